"""The schema: migrated to what the code describes, newer ones refused, new properties filled in."""

import hashlib
from pathlib import Path

import pytest
import sample_candidates as sample
from hysteron import __version__
from hysteron.core.errors import StoreError
from hysteron.store import migrate, schema
from hysteron.store.store import CandidateStore

WITHOUT_ORDER = (
    "DROP INDEX ix_work_seq",
    "DROP INDEX ix_work_stage",
    "ALTER TABLE work DROP COLUMN seq",
)
"""Back to schema 2."""


def change(url: str, *statements: str) -> None:
    with CandidateStore.open(url) as store:
        store._database.write(lambda c: [c.exec_driver_sql(statement) for statement in statements])


def digest(url: str) -> str | None:
    if not url.startswith("sqlite"):
        return None
    return hashlib.sha256(Path(url.removeprefix("sqlite:///")).read_bytes()).hexdigest()


def test_the_scripts_lead_to_the_schema_of_the_code(store):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def compare(connection):
        options = {"version_table": migrate.VERSION_TABLE, "compare_type": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), schema.metadata)

    assert store._database.read(compare) == []


def test_the_number_is_that_of_the_newest_script():
    scripts = Path(migrate.__file__).parent / "migrations" / "versions"
    newest = max(path.name for path in scripts.glob("v*.py"))
    assert newest.startswith(f"v{migrate.SCHEMA_VERSION:04d}_")


def test_opening_again_writes_nothing(store_url):
    CandidateStore.open(store_url).close()
    before = digest(store_url)
    with CandidateStore.open(store_url) as store:
        assert store.count() == 0
    assert digest(store_url) == before


def test_a_newer_schema_is_refused_and_left_alone(store_url):
    change(
        store_url,
        f"UPDATE {migrate.VERSION_TABLE} SET version_num = '0042'",
        "UPDATE store_info SET value = '9.9.0' WHERE name = 'hysteron'",
    )
    before = digest(store_url)
    with pytest.raises(StoreError, match=r"hysteron 9\.9\.0 and has schema 42") as caught:
        CandidateStore.open(store_url)
    assert f"this is hysteron {__version__}" in str(caught.value)
    assert f"knows schema {migrate.SCHEMA_VERSION}" in str(caught.value)
    assert digest(store_url) == before


def test_properties_of_a_newer_program_are_refused(store_url):
    change(store_url, "ALTER TABLE candidates ADD COLUMN domain_wall_energy DOUBLE PRECISION")
    with pytest.raises(StoreError, match="the properties domain_wall_energy"):
        CandidateStore.open(store_url)


def test_a_property_that_is_new_gets_its_column_filled(store_url):
    with CandidateStore.open(store_url) as store:
        store.upsert(sample.everyone())
        seen = store._database.read(lambda c: c.exec_driver_sql("SELECT first_seen FROM candidates").all())
    change(
        store_url,
        "ALTER TABLE candidates DROP COLUMN polarization",
        "UPDATE store_info SET value = 'older' WHERE name = 'properties'",
        "DELETE FROM verdicts",
    )
    with CandidateStore.open(store_url) as store:
        assert store.query_ids("polarization > 40") == ["BaTiO3-99-0123456789"]
        assert store.query_ids('passes HAS "ferroelectric"') == ["BaTiO3-99-0123456789"]
        assert sample.records(store.query(sort="nsites")) != []
        assert (
            store._database.read(lambda c: c.exec_driver_sql("SELECT first_seen FROM candidates").all())
            == seen
        )


def test_a_store_of_the_first_schema_is_brought_up(store_url):
    with CandidateStore.open(store_url) as store:
        store.upsert(sample.everyone())
    change(
        store_url,
        "DROP TABLE leases",
        "DROP TABLE lessons",
        "DROP INDEX ix_candidates_chemical_formula_anonymous",
        "DROP INDEX ix_candidates_material_id",
        "ALTER TABLE candidates DROP COLUMN chemical_formula_anonymous",
        "ALTER TABLE candidates DROP COLUMN material_id",
        *WITHOUT_ORDER,
        f"UPDATE {migrate.VERSION_TABLE} SET version_num = '0001'",
    )
    with CandidateStore.open(store_url) as store:
        assert "BaTiO3-99-0123456789" in store.query_ids('chemical_formula_anonymous = "ABC3"')


def test_a_store_without_leases_is_brought_up(store_url):
    with CandidateStore.open(store_url) as store:
        store.create_run("old", seed=0, config={})
    change(
        store_url,
        "DROP TABLE leases",
        "DROP TABLE lessons",
        f"UPDATE {migrate.VERSION_TABLE} SET version_num = '0003'",
    )
    with CandidateStore.open(store_url) as store:
        assert store.take_lease("old", "holder", {})


def test_work_that_was_noted_before_there_was_an_order_counts_as_older(store_url):
    with CandidateStore.open(store_url) as store:
        store.create_run("old", seed=0, config={"run": {}})
        store.upsert([], "old", work=("relax", 0, {"ids": ["x"]}))
    change(
        store_url,
        "DROP TABLE leases",
        "DROP TABLE lessons",
        *WITHOUT_ORDER,
        f"UPDATE {migrate.VERSION_TABLE} SET version_num = '0002'",
    )
    with CandidateStore.open(store_url) as store:
        store.create_run("new", seed=1, config={})
        store.upsert([], "new", work=("out", 0, {}))
        assert [piece.payload for piece in store.done_before("new", "relax")] == [{"ids": ["x"]}]
        assert store.earlier_configs("new") == {"old": {"run": {}}}
        store.upsert([], "old", work=("screen", 0, {}))
        assert store.done_before("old", "relax") == [], "its own work is none of another run's"


def test_a_migration_that_breaks_leaves_the_file_as_it_was(store_url, monkeypatch):
    def breaks(_):
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(migrate, "reindex", breaks)
        with pytest.raises(RuntimeError):
            CandidateStore.open(store_url)
    with CandidateStore.open(store_url) as store:
        store.upsert(sample.everyone())
        assert store.count() == 4


def test_another_programs_database_is_left_alone(tmp_path):
    import sqlite3

    path = tmp_path / "ase.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE systems (id INTEGER)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="belongs to another program"):
        CandidateStore.open(path)
    assert path.read_bytes() == before


def test_sqlite_is_set_up_for_many_writers(tmp_path):
    with CandidateStore.open(tmp_path / "s.db") as store:
        pragmas = ("journal_mode", "busy_timeout", "foreign_keys")
        found = store._database.read(lambda c: [c.exec_driver_sql(f"PRAGMA {p}").scalar() for p in pragmas])
    assert found == ["wal", 30_000, 1]
