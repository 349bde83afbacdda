"""Passwords, what keys are narrowed to, where sessions were opened and last seen."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "passwords",
        sa.Column("user", sa.String(length=80), nullable=False),
        sa.Column("hashed", sa.String(length=300), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["users.name"], name=op.f("fk_passwords_user_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user", name=op.f("pk_passwords")),
    )
    with op.batch_alter_table("access_keys", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sealed", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("actions", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("resources", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("used_ms", sa.BigInteger(), nullable=True))

    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("via", sa.String(length=16), server_default="link", nullable=False))
        batch_op.add_column(sa.Column("agent", sa.String(length=100), server_default="", nullable=False))
        batch_op.add_column(sa.Column("address", sa.String(length=64), server_default="", nullable=False))
        batch_op.add_column(sa.Column("seen_ms", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        for name in ("seen_ms", "address", "agent", "via"):
            batch_op.drop_column(name)

    with op.batch_alter_table("access_keys", schema=None) as batch_op:
        for name in ("used_ms", "resources", "actions", "sealed"):
            batch_op.drop_column(name)

    op.drop_table("passwords")
