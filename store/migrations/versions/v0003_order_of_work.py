"""Pieces of work carry the order in which they were written, so that a run can tell what was there before it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("work", sa.Column("seq", sa.BigInteger))
    op.create_index("ix_work_seq", "work", ["seq"])
    op.create_index("ix_work_stage", "work", ["stage", "seq"])
