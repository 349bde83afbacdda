"""runs by a param or tag"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SHORT = "length(value) <= 200"
TAGS = SHORT + " AND (substr(key, 1, 7) <> 'mlflow.' OR key = 'mlflow.parentRunId')"


def upgrade() -> None:
    for table, where in (("params", SHORT), ("tags", TAGS)):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.create_index(
                f"ix_{table}_value",
                ["key", "value", "run"],
                unique=False,
                sqlite_where=sa.text(where),
                postgresql_where=sa.text(where),
            )


def downgrade() -> None:
    for table in ("tags", "params"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_index(f"ix_{table}_value")
