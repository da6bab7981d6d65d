"""Which version is the store, and how is it brought to the present one?

Two things can be behind: the schema, which has numbered versions (alembic scripts in `migrations/`), and
the columns of properties, which follow `core.properties.PROPERTIES`. Both are brought up inside one
writing transaction, so of two programs that open an old store at once the second finds it done, and a
program killed half way leaves it as it was.
"""

from __future__ import annotations

import json
import logging
from importlib import resources

from sqlalchemy import Connection, inspect, select
from sqlalchemy.schema import CreateColumn

from .. import __version__
from ..core.errors import StoreError
from ..core.properties import PROPERTIES
from ..core.settings import config_hash
from .database import Database
from .schema import DERIVED, candidates, column_properties, metadata, property_column, records, store_info
from .writing import IDS_A_STATEMENT, Prepared, upsert_rows, write_rows

SCHEMA_VERSION = 5
"""Number of the newest script in `migrations/versions`."""
VERSION_TABLE = "hysteron_schema"

log = logging.getLogger(__name__)


def bring_up_to_date(database: Database) -> None:
    """Make or migrate the tables if that is needed; a store that is up to date is only read.

    Raises:
        StoreError: a newer program made the store, or the database belongs to another program. Nothing
            has been written then.
    """
    if database.read(lambda connection: _is_current(connection, database)):
        return
    if database.is_sqlite:
        database.alone("PRAGMA journal_mode=WAL")
    database.write(lambda connection: _migrate(connection, database))


def _is_current(connection: Connection, database: Database) -> bool:
    version = _version(connection)
    _refuse_newer(connection, database, version)
    _refuse_foreign(connection, database, version)
    return version == SCHEMA_VERSION and _info(connection, "properties") == _property_table()


def _migrate(connection: Connection, database: Database) -> None:
    if _is_current(connection, database):
        return
    if _version(connection) != SCHEMA_VERSION:
        _run_scripts(connection)
    _follow_property_table(connection)
    rows = [{"name": "hysteron", "value": __version__}, {"name": "properties", "value": _property_table()}]
    upsert_rows(connection, store_info, rows)


def _run_scripts(connection: Connection, to: str = "head") -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    with resources.as_file(resources.files("hysteron.store") / "migrations") as folder:
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        command.upgrade(config, to)


def _version(connection: Connection) -> int:
    """The schema's number, 0 before there is one."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return 0
    number = connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar()  # noqa: S608
    return int(number or 0)


def _refuse_newer(connection: Connection, database: Database, version: int) -> None:
    unknown: set[str] = set()
    if 0 < version <= SCHEMA_VERSION:
        unknown = _columns(connection) - set(candidates.columns.keys())
    if version <= SCHEMA_VERSION and not unknown:
        return
    maker = _info(connection, "hysteron") or "a newer version"
    what = f"schema {version}" if version > SCHEMA_VERSION else f"the properties {', '.join(sorted(unknown))}"
    raise StoreError(
        f"The store {database.address.shown} was made by hysteron {maker} and has {what}; this is hysteron "
        f"{__version__}, which knows schema {SCHEMA_VERSION}. Update hysteron, or name another store with "
        "--store. Nothing was written."
    )


def _refuse_foreign(connection: Connection, database: Database, version: int) -> None:
    if version:
        return
    present = set(inspect(connection).get_table_names())
    # A SQLite file belongs to one program; in a PostgreSQL schema others may live beside the store.
    foreign = present if database.is_sqlite else present & set(metadata.tables)
    if foreign:
        shown = ", ".join(sorted(foreign)[:5])
        raise StoreError(
            f"The database {database.address.shown} belongs to another program (its tables: {shown}), so it "
            "is left alone. Name another one with --store."
        )


def _columns(connection: Connection) -> set[str]:
    return {column["name"] for column in inspect(connection).get_columns("candidates")}


def _info(connection: Connection, name: str) -> str | None:
    if not inspect(connection).has_table("store_info"):
        return None
    return connection.scalar(select(store_info.c.value).where(store_info.c.name == name))


def _property_table() -> str:
    """Hash of what decides the derived columns: names, kinds and the ranking of methods."""
    return config_hash([[p.name, p.text, p.vector, list(p.methods)] for p in PROPERTIES.values()])


def _follow_property_table(connection: Connection) -> None:
    present = _columns(connection)
    for row in column_properties():
        if row.name not in present:
            definition = CreateColumn(property_column(row)).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE candidates ADD COLUMN {definition}")
    reindex(connection)


def reindex(connection: Connection) -> None:
    """Make every derived row again from the records."""
    for table in DERIVED:
        connection.execute(table.delete())
    done = 0
    while batch := connection.execute(
        select(records).where(records.c.key > done).order_by(records.c.key).limit(IDS_A_STATEMENT)
    ).all():
        write_rows(
            connection,
            [(row.key, Prepared(json.loads(row.record), row.record), row.first_structure) for row in batch],
        )
        done = batch[-1].key
        log.info("The store's tables are being made again: %d candidates done.", done)
