"""Candidates can be asked for by anonymous formula and by the id a database gave them.

The store fills both columns when it makes its tables again, after the scripts.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

WORD = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    for name in ("chemical_formula_anonymous", "material_id"):
        op.add_column("candidates", sa.Column(name, WORD))
        op.create_index(f"ix_candidates_{name}", "candidates", [name])
