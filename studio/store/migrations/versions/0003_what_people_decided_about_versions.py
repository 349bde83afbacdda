"""what people decided about versions"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "model_version_approvals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model"],
            ["registered_models.id"],
            name=op.f("fk_model_version_approvals_model_registered_models"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_version_approvals")),
    )
    op.create_index("ix_model_version_approvals_version", "model_version_approvals", ["model", "version", "id"])


def downgrade() -> None:
    op.drop_index("ix_model_version_approvals_version", "model_version_approvals")
    op.drop_table("model_version_approvals")
