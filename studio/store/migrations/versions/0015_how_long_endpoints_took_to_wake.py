"""how long endpoints took to wake"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wakes",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("domain", sa.String(length=80), nullable=False),
        sa.Column("endpoint", sa.String(length=80), nullable=False),
        sa.Column("environment", sa.String(length=80), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ms", sa.Float(), nullable=False),
        sa.Column("cold", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["domain"], ["domains.name"], name=op.f("fk_wakes_domain_domains"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_wakes")),
    )
    with op.batch_alter_table("wakes", schema=None) as batch_op:
        batch_op.create_index("ix_wakes_environment", ["domain", "environment", "cold"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("wakes", schema=None) as batch_op:
        batch_op.drop_index("ix_wakes_environment")

    op.drop_table("wakes")
