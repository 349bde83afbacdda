"""Endpoints with several variants, their rollout, scaling and what is kept of their requests."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _endpoints() -> list["sa.Column[object]"]:
    return [
        sa.Column("capture_percent", sa.Float(), server_default="100", nullable=False),
        sa.Column("capture_days", sa.Integer(), server_default="30", nullable=False),
        sa.Column("redact", sa.Text(), server_default="[]", nullable=False),
        sa.Column("rate_limit", sa.Float(), nullable=True),
        sa.Column("max_body", sa.BigInteger(), server_default=str(16 << 20), nullable=False),
        sa.Column("cors", sa.Text(), server_default="[]", nullable=False),
        sa.Column("fast_path", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("target_load", sa.Float(), server_default="4", nullable=False),
        sa.Column("rollout", sa.Text(), server_default="", nullable=False),
    ]


def _variants() -> list["sa.Column[object]"]:
    return [
        sa.Column("name", sa.String(80), server_default="", nullable=False),
        sa.Column("weight", sa.Float(), server_default="0", nullable=False),
        sa.Column("instance_type", sa.String(80), server_default="", nullable=False),
        sa.Column("min_replicas", sa.Integer(), server_default="1", nullable=False),
        sa.Column("max_replicas", sa.Integer(), server_default="1", nullable=False),
        sa.Column("wanted", sa.Integer(), server_default="1", nullable=False),
        sa.Column("calm_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("shadow", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("joins", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("loaded", sa.Text(), server_default="", nullable=False),
    ]


def upgrade() -> None:
    with op.batch_alter_table("endpoints", schema=None) as batch_op:
        for column in _endpoints():
            batch_op.add_column(column)
    with op.batch_alter_table("variants", schema=None) as batch_op:
        for column in _variants():
            batch_op.add_column(column)
    # Until now one variant had all the traffic, on the endpoint's instance type, under the version's number.
    op.execute("UPDATE variants SET name = 'v' || version")
    op.execute("UPDATE variants SET weight = 100 WHERE state IN ('Serving', 'Waiting')")
    op.execute(
        "UPDATE variants SET instance_type = "
        "(SELECT instance_type FROM endpoints WHERE endpoints.id = variants.endpoint)"
    )


def downgrade() -> None:
    # One by one: a table that is made anew would take with it what refers to it.
    for column in _variants():
        op.drop_column("variants", column.name)
    for column in _endpoints():
        op.drop_column("endpoints", column.name)
