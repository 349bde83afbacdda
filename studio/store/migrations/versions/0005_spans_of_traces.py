"""spans of traces"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trace_runs",
        sa.Column("domain", sa.String(length=80), nullable=False),
        sa.Column("trace_id", sa.String(length=80), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["domain"], ["domains.name"], name=op.f("fk_trace_runs_domain_domains"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("domain", "trace_id", "run_id", name=op.f("pk_trace_runs")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_trace_runs_run", "trace_runs", ["run_id"])
    op.create_table(
        "trace_spans",
        sa.Column("domain", sa.String(length=80), nullable=False),
        sa.Column("trace_id", sa.String(length=80), nullable=False),
        sa.Column("span_id", sa.String(length=32), nullable=False),
        sa.Column("start_ns", sa.BigInteger(), nullable=False),
        sa.Column("span", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["domain"], ["domains.name"], name=op.f("fk_trace_spans_domain_domains"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("domain", "trace_id", "span_id", name=op.f("pk_trace_spans")),
        sqlite_with_rowid=False,
    )
    # Nothing ever read these: clients had put the same spans with the traces' files.
    op.drop_table("trace_span_batches")


def downgrade() -> None:
    op.create_table(
        "trace_span_batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("experiment", sa.Integer(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("content_type", sa.String(length=80), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment"],
            ["experiments.id"],
            name=op.f("fk_trace_span_batches_experiment_experiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trace_span_batches")),
    )
    op.drop_table("trace_spans")
    op.drop_index("ix_trace_runs_run", "trace_runs")
    op.drop_table("trace_runs")
