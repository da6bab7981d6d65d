"""What DFT results taught is kept, version after version, so that a run can name the lesson it was judged with."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

WORD = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "lessons",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", WORD, nullable=False),
        sa.Column("made", WORD, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_index("ix_lessons_version", "lessons", ["version"])
