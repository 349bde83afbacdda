"""What domains allow their sandboxes, and what they ask of the host."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("domains", schema=None) as batch_op:
        batch_op.add_column(sa.Column("memory_mb", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("cpu", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("processes", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("required_isolation", sa.String(16), server_default="none", nullable=False))
        batch_op.add_column(sa.Column("idle_minutes", sa.Integer(), server_default="480", nullable=False))
        batch_op.add_column(sa.Column("removing_ms", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("sandboxes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("applied_network", sa.String(length=16), server_default="", nullable=False))
        batch_op.add_column(sa.Column("restart", sa.Boolean(), server_default=sa.false(), nullable=False))
    # Any but the first was only ever made where domains are kept apart, and goes on asking for that.
    op.execute(
        "UPDATE domains SET required_isolation = 'sandbox' WHERE name <> "
        "(SELECT name FROM domains ORDER BY created_ms, name LIMIT 1)"
    )
    # What runs has the network that its domain had until now.
    op.execute(
        "UPDATE sandboxes SET applied_network = "
        "(SELECT network_mode FROM domains WHERE domains.name = sandboxes.domain) WHERE applied_role <> ''"
    )


def downgrade() -> None:
    # One by one: a table that is made anew would take with it what refers to it.
    for name in ("restart", "applied_network"):
        op.drop_column("sandboxes", name)
    for name in ("removing_ms", "idle_minutes", "required_isolation", "processes", "cpu", "memory_mb"):
        op.drop_column("domains", name)
