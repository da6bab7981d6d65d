"""The tables of the store, as they are in the present version.

`records` is the one source of truth: each row holds the public JSON record of a candidate. Everything
else that is keyed by a candidate (`candidates`, `properties`, `steps`, `lineage`, `verdicts`,
`failures`) is derived from it by `rows.py` whenever it is written, so that filters and plain SQL can
ask; it can be made again at any time (`migrate.reindex`). Runs, their members, their work, lessons and
`same_as` stand on their own.

`candidates` is narrow, because a filter scans it: 100,000 rows in some 20 ms. It has one nullable column
per property of `core.properties.PROPERTIES`, which holds the value of the best method; opening a store
adds the columns that a longer table asks for. Elements are bits of two integers. Tables with several
rows of a candidate keep them side by side (without SQLite's own row number).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

from ..core.properties import PROPERTIES, Property

metadata = MetaData()

Word = String().with_variant(String(collation="C"), "postgresql")
"""Sorted by code point everywhere, as Python does."""
Key = BigInteger().with_variant(Integer, "sqlite")


def property_column(row: Property) -> Column:
    """The column of a property's best value; a property that is a vector has none."""
    return Column(row.name, Word if row.text else Double)


def column_properties() -> list[Property]:
    """The properties that have a column."""
    return [row for row in PROPERTIES.values() if not row.vector]


def _candidate_key(**options) -> Column:
    return Column("key", Key, ForeignKey("candidates.key", ondelete="CASCADE"), nullable=False, **options)


candidates = Table(
    "candidates",
    metadata,
    Column("key", Key, primary_key=True, autoincrement=False),
    Column("candidate_id", Word, nullable=False, unique=True),
    Column("formula", Word, nullable=False, index=True),
    Column("chemical_formula_anonymous", Word, index=True),
    Column("chemsys", Word, nullable=False, index=True),
    Column("nelements", Integer, nullable=False),
    Column("nsites", Integer, nullable=False),
    Column("spacegroup_number", Integer),
    Column("elements_low", BigInteger, nullable=False),
    Column("elements_high", BigInteger, nullable=False),
    Column("material_id", Word, index=True),
    Column("origin", Word),
    Column("first_seen", Word, nullable=False),
    Column("written_by", Word, nullable=False),
    *(property_column(row) for row in column_properties()),
)

records = Table(
    "records",
    metadata,
    _candidate_key(primary_key=True, autoincrement=False),
    Column("record", Text, nullable=False),
    Column("first_structure", Text),
)
"""`first_structure` is NULL as long as it is the one in the record."""

properties = Table(
    "properties",
    metadata,
    _candidate_key(),
    Column("name", Word, nullable=False),
    Column("place", Integer, nullable=False),
    Column("method", Word, nullable=False),
    Column("slug", Word, nullable=False),
    Column("value", Double),
    Column("text", Text),
    Column("units", Word, nullable=False),
    Column("uncertainty", Double),
    Column("interval_low", Double),
    Column("interval_high", Double),
    Column("coverage", Double),
    Column("source", Word, nullable=False),
    PrimaryKeyConstraint("key", "name", "place"),
    Index("ix_properties_method", "name", "slug", "key", "place", "value"),
    sqlite_with_rowid=False,
)
"""`place` orders the methods of one property, best first: 0 is what a bare name means. A word or a vector
(as JSON) is in `text`."""

steps = Table(
    "steps",
    metadata,
    _candidate_key(),
    Column("place", Integer, nullable=False),
    Column("stage", Word, nullable=False),
    Column("name", Word, nullable=False),
    Column("version", Word, nullable=False),
    Column("config_hash", Word, nullable=False),
    Column("seed", Word),
    Column("time", Word, nullable=False),
    PrimaryKeyConstraint("key", "place"),
    Index("ix_steps_stage", "stage", "key"),
    sqlite_with_rowid=False,
)

lineage = Table(
    "lineage",
    metadata,
    _candidate_key(),
    Column("parent_id", Word, nullable=False),
    PrimaryKeyConstraint("key", "parent_id"),
    Index("ix_lineage_parent", "parent_id", "key"),
    sqlite_with_rowid=False,
)
"""An edge from a candidate to what it was made from, which the store need not hold."""

verdicts = Table(
    "verdicts",
    metadata,
    _candidate_key(),
    Column("screen", Word, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("score", Double),
    Column("value", Double),
    Column("threshold", Double),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("key", "screen"),
    Index("ix_verdicts_screen", "screen", "passed", "key"),
    sqlite_with_rowid=False,
)

failures = Table(
    "failures",
    metadata,
    _candidate_key(),
    Column("place", Integer, nullable=False),
    Column("stage", Word, nullable=False),
    Column("name", Word, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("key", "place"),
    sqlite_with_rowid=False,
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", Word, primary_key=True),
    Column("status", Word, nullable=False),
    Column("created", Word, nullable=False),
    Column("started", Word),
    Column("finished", Word),
    Column("seed", Word, nullable=False),
    Column("config", Text, nullable=False),
    Column("versions", Text, nullable=False),
    Column("budget", Text, nullable=False),
    Column("summary", Text),
)
"""Times are ISO 8601 in UTC; the last four columns are JSON."""

run_candidates = Table(
    "run_candidates",
    metadata,
    Column("run_id", Word, ForeignKey("runs.run_id", ondelete="CASCADE"), nullable=False),
    _candidate_key(index=True),
    Column("role", Word),
    Column("stage", Word),
    Column("chunk", Integer),
    Column("position", Integer),
    PrimaryKeyConstraint("run_id", "key"),
    sqlite_with_rowid=False,
)
"""`stage` is the last one the candidate reached, `chunk` the one it came with, `position` its rank from 1."""

work = Table(
    "work",
    metadata,
    Column("run_id", Word, ForeignKey("runs.run_id", ondelete="CASCADE"), nullable=False),
    Column("stage", Word, nullable=False),
    Column("chunk", Integer, nullable=False),
    Column("status", Word, nullable=False),
    Column("payload", Text, nullable=False),
    Column("seq", BigInteger),
    PrimaryKeyConstraint("run_id", "stage", "chunk"),
    Index("ix_work_seq", "seq"),
    Index("ix_work_stage", "stage", "seq"),
)
"""`seq` counts the writes of all runs: what has a smaller one was there before. Rows of schema 2 have none."""

leases = Table(
    "leases",
    metadata,
    Column("run_id", Word, ForeignKey("runs.run_id", ondelete="CASCADE"), primary_key=True),
    Column("holder", Word, nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("place", Text, nullable=False),
)
"""Who carries a run out: see `leases.py`. `holder` is empty when nobody does; `place` is JSON."""

lessons = Table(
    "lessons",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Word, nullable=False),
    Column("made", Word, nullable=False),
    Column("content", Text, nullable=False),
    Index("ix_lessons_version", "version"),
)
"""What DFT results taught: see `lessons.py`. The newest has the greatest number; `content` is JSON, `version` its hash."""

same_as = Table(
    "same_as",
    metadata,
    Column("candidate_id", Word, nullable=False),
    Column("other_id", Word, nullable=False),
    PrimaryKeyConstraint("candidate_id", "other_id"),
    Index("ix_same_as_other", "other_id"),
)
"""Crystals that relax into one another; the smaller id stands first."""

store_info = Table(
    "store_info",
    metadata,
    Column("name", Word, primary_key=True),
    Column("value", Text, nullable=False),
)
"""`hysteron`: the version that last changed the schema; `properties`: hash of its property table."""

DERIVED = (properties, steps, lineage, verdicts, failures)
"""Tables that are rewritten whole for a candidate whose record changes."""
