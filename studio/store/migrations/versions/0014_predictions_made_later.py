"""predictions made later, jobs of another kind"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "async_invocations",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("domain", sa.String(length=80), nullable=False),
        sa.Column("endpoint", sa.String(length=80), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("inference_id", sa.String(length=64), nullable=False),
        sa.Column("content_type", sa.String(length=200), nullable=False),
        sa.Column("accept", sa.String(length=200), nullable=False),
        sa.Column("target", sa.String(length=80), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("timeout_s", sa.Float(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=True),
        sa.Column("started_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("notify_url", sa.String(length=2000), nullable=False),
        sa.Column("notify_secret", sa.LargeBinary(), nullable=True),
        sa.Column("notify_tries", sa.Integer(), nullable=False),
        sa.Column("notify_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["domain"], ["domains.name"], name=op.f("fk_async_invocations_domain_domains"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["endpoint"], ["endpoints.id"], name=op.f("fk_async_invocations_endpoint_endpoints"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_async_invocations")),
        sa.UniqueConstraint("id", name=op.f("uq_async_invocations_id")),
    )
    with op.batch_alter_table("async_invocations", schema=None) as batch_op:
        batch_op.create_index("ix_async_invocations_endpoint", ["endpoint", "state", "number"], unique=False)
        batch_op.create_index("ix_async_invocations_notify", ["notify_ms"], unique=False)
        batch_op.create_index("ix_async_invocations_state", ["state", "ended_ms"], unique=False)

    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(length=16), server_default="script", nullable=False))


def downgrade() -> None:
    op.drop_column("jobs", "kind")
    with op.batch_alter_table("async_invocations", schema=None) as batch_op:
        batch_op.drop_index("ix_async_invocations_state")
        batch_op.drop_index("ix_async_invocations_notify")
        batch_op.drop_index("ix_async_invocations_endpoint")

    op.drop_table("async_invocations")
