"""The first tables. Columns of properties are added by `store.migrate`, after the scripts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

WORD = sa.String().with_variant(sa.String(collation="C"), "postgresql")
KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _candidates()
    _derived_from_candidates()
    _runs()
    op.create_table(
        "store_info", _word("name", primary_key=True), sa.Column("value", sa.Text, nullable=False)
    )


def _candidates() -> None:
    op.create_table(
        "candidates",
        sa.Column("key", KEY, primary_key=True, autoincrement=False),
        _word("candidate_id", unique=True),
        _word("formula", index=True),
        _word("chemsys", index=True),
        sa.Column("nelements", sa.Integer, nullable=False),
        sa.Column("nsites", sa.Integer, nullable=False),
        sa.Column("spacegroup_number", sa.Integer),
        sa.Column("elements_low", sa.BigInteger, nullable=False),
        sa.Column("elements_high", sa.BigInteger, nullable=False),
        _word("origin", nullable=True),
        _word("first_seen"),
        _word("written_by"),
    )
    op.create_table(
        "records",
        _candidate(primary_key=True, autoincrement=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("first_structure", sa.Text),
    )


def _derived_from_candidates() -> None:
    op.create_table(
        "properties",
        _candidate(),
        _word("name"),
        sa.Column("place", sa.Integer, nullable=False),
        _word("method"),
        _word("slug"),
        sa.Column("value", sa.Double),
        sa.Column("text", sa.Text),
        _word("units"),
        sa.Column("uncertainty", sa.Double),
        sa.Column("interval_low", sa.Double),
        sa.Column("interval_high", sa.Double),
        sa.Column("coverage", sa.Double),
        _word("source"),
        sa.PrimaryKeyConstraint("key", "name", "place"),
        sa.Index("ix_properties_method", "name", "slug", "key", "place", "value"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "steps",
        _candidate(),
        sa.Column("place", sa.Integer, nullable=False),
        _word("stage"),
        _word("name"),
        _word("version"),
        _word("config_hash"),
        _word("seed", nullable=True),
        _word("time"),
        sa.PrimaryKeyConstraint("key", "place"),
        sa.Index("ix_steps_stage", "stage", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lineage",
        _candidate(),
        _word("parent_id"),
        sa.PrimaryKeyConstraint("key", "parent_id"),
        sa.Index("ix_lineage_parent", "parent_id", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "verdicts",
        _candidate(),
        _word("screen"),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("score", sa.Double),
        sa.Column("value", sa.Double),
        sa.Column("threshold", sa.Double),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", "screen"),
        sa.Index("ix_verdicts_screen", "screen", "passed", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "failures",
        _candidate(),
        sa.Column("place", sa.Integer, nullable=False),
        _word("stage"),
        _word("name"),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", "place"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "same_as",
        _word("candidate_id"),
        _word("other_id"),
        sa.PrimaryKeyConstraint("candidate_id", "other_id"),
        sa.Index("ix_same_as_other", "other_id"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        _word("run_id", primary_key=True),
        _word("status"),
        _word("created"),
        _word("started", nullable=True),
        _word("finished", nullable=True),
        _word("seed"),
        sa.Column("config", sa.Text, nullable=False),
        sa.Column("versions", sa.Text, nullable=False),
        sa.Column("budget", sa.Text, nullable=False),
        sa.Column("summary", sa.Text),
    )
    op.create_table(
        "run_candidates",
        _run(),
        _candidate(index=True),
        _word("role", nullable=True),
        _word("stage", nullable=True),
        sa.Column("chunk", sa.Integer),
        sa.Column("position", sa.Integer),
        sa.PrimaryKeyConstraint("run_id", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "work",
        _run(),
        _word("stage"),
        sa.Column("chunk", sa.Integer, nullable=False),
        _word("status"),
        sa.Column("payload", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "stage", "chunk"),
    )


def _word(name: str, nullable: bool = False, **options) -> sa.Column:
    return sa.Column(name, WORD, nullable=nullable, **options)


def _candidate(**options) -> sa.Column:
    return sa.Column(
        "key", KEY, sa.ForeignKey("candidates.key", ondelete="CASCADE"), nullable=False, **options
    )


def _run() -> sa.Column:
    return sa.Column("run_id", WORD, sa.ForeignKey("runs.run_id", ondelete="CASCADE"), nullable=False)
