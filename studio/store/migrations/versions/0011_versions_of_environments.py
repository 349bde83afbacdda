"""versions of environments, and domains' own"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Only the catalogue was in it, and what is built: both are read again from the definitions and from the store.
    op.drop_table("environments")
    op.create_table(
        "environments",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("domain", sa.String(length=80), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("about", sa.String(length=1000), nullable=False),
        sa.Column("current", sa.Integer(), nullable=False),
        sa.Column("newest", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["domain"], ["domains.name"], name=op.f("fk_environments_domain_domains"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_environments")),
        sa.UniqueConstraint("domain", "name", name=op.f("uq_environments_domain")),
    )
    op.create_table(
        "environment_versions",
        sa.Column("environment", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("python", sa.String(length=20), nullable=False),
        sa.Column("packages", sa.JSON(), nullable=False),
        sa.Column("preload", sa.JSON(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("progress_done", sa.Integer(), nullable=False),
        sa.Column("progress_total", sa.Integer(), nullable=False),
        sa.Column("progress_text", sa.String(length=300), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=True),
        sa.Column("built_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["environment"],
            ["environments.id"],
            name=op.f("fk_environment_versions_environment_environments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("environment", "number", name=op.f("pk_environment_versions")),
    )
    op.create_table(
        "default_environments",
        sa.Column("domain", sa.String(length=80), nullable=False),
        sa.Column("environment", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["domain"], ["domains.name"], name=op.f("fk_default_environments_domain_domains"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_default_environments")),
    )
    with op.batch_alter_table("jobs") as batch:
        batch.add_column(sa.Column("environment_hash", sa.String(length=64), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("jobs") as batch:
        batch.drop_column("environment_hash")
    op.drop_table("default_environments")
    op.drop_table("environment_versions")
    op.drop_table("environments")
    op.create_table(
        "environments",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("python", sa.String(length=20), nullable=False),
        sa.Column("packages", sa.JSON(), nullable=False),
        sa.Column("preload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("built_from", sa.String(length=64), nullable=False),
        sa.Column("progress_done", sa.Integer(), nullable=False),
        sa.Column("progress_total", sa.Integer(), nullable=False),
        sa.Column("progress_text", sa.String(length=300), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_environments")),
    )
