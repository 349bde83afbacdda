"""saved views of runs"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_views",
        sa.Column("domain", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["domain"], ["domains.name"], name=op.f("fk_run_views_domain_domains"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("domain", "name", name=op.f("pk_run_views")),
    )
    archived = sa.text("key = 'studio.archived'")
    op.create_index("ix_tags_archived", "tags", ["run"], sqlite_where=archived, postgresql_where=archived)


def downgrade() -> None:
    op.drop_index("ix_tags_archived", "tags")
    op.drop_table("run_views")
