"""what was brought from elsewhere"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "transfers",
        sa.Column("domain", sa.String(length=80), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["domain"], ["domains.name"], name=op.f("fk_transfers_domain_domains"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("domain", "id", name=op.f("pk_transfers")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("transfers")
