"""Candidates can be asked for by anonymous formula; the store fills the column when it makes its tables again."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

WORD = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("candidates", sa.Column("chemical_formula_anonymous", WORD))
    op.create_index("ix_candidates_chemical_formula_anonymous", "candidates", ["chemical_formula_anonymous"])
