"""Tenants, keys, budgets, requests, leases, labels, and the tenant `default`.

The tables as they were at this version, copied out of `router.ledger.schema` on purpose: a
migration does not change with the schema, and what changes there is a further migration here.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "tenants",
        sa.Column("name", sa.Text),
        sa.Column("daily_nano", sa.BigInteger),
        sa.Column("monthly_nano", sa.BigInteger),
        sa.Column("requests_per_minute", sa.Integer),
        sa.Column("tokens_per_minute", sa.Integer),
        sa.Column("stores_prompts", sa.Boolean, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_tenants"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("expires", sa.Text),
        sa.Column("revoked", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name="fk_api_keys_tenant"),
        sa.UniqueConstraint("hash", name="uq_api_keys_hash"),
    )
    op.create_table(
        "budgets",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("spent_nano", sa.BigInteger, nullable=False),
        sa.Column("reserved_nano", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "period", name="pk_budgets"),
    )
    _requests()
    _leases()
    _labels()
    tenants = sa.table(
        "tenants",
        sa.column("name", sa.Text),
        sa.column("stores_prompts", sa.Boolean),
        sa.column("created", sa.Text),
    )
    first = {"name": "default", "stores_prompts": False, "created": datetime.now(UTC).isoformat()}
    op.bulk_insert(tenants, [first])


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("id", sa.Text),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("replica", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("expires", sa.Text, nullable=False),
        sa.Column("closed", sa.Text),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("asked_model", sa.Text, nullable=False),
        sa.Column("stream", sa.Boolean, nullable=False),
        sa.Column("conversation", sa.Text),
        sa.Column("prompt_hash", sa.Text),
        sa.Column("ending", sa.Text),
        sa.Column("http_status", sa.Integer),
        sa.Column("error", sa.Text),
        sa.Column("policy", sa.Text),
        sa.Column("policy_version", sa.Text),
        sa.Column("route", sa.Text),
        sa.Column("arm", sa.Text),
        sa.Column("model", sa.Text),
        sa.Column("verdict", sa.Text),
        sa.Column("verdict_kind", sa.Text),
        sa.Column("p_right", sa.Float),
        sa.Column("prompt_tokens", sa.BigInteger),
        sa.Column("completion_tokens", sa.BigInteger),
        sa.Column("cost_nano", sa.BigInteger, nullable=False),
        sa.Column("all_large_nano", sa.BigInteger),
        sa.Column("first_token_seconds", sa.Float),
        sa.Column("seconds", sa.Float),
        sa.Column("fingerprint", sa.Text),
        sa.Column("layout", sa.Text),
        sa.Column("features", sa.LargeBinary),
        sa.Column("answer", sa.Text),
        sa.Column("trace", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
    )
    op.create_index("ix_requests_tenant_created", "requests", ["tenant", "created"])
    op.create_index("ix_requests_created", "requests", ["created"])
    running = sa.text("ending IS NULL")
    op.create_index(
        "ix_requests_running",
        "requests",
        ["expires"],
        sqlite_where=running,
        postgresql_where=running,
    )


def _leases() -> None:
    op.create_table(
        "leases",
        sa.Column("id", sa.Text),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("month", sa.Text, nullable=False),
        sa.Column("arm", sa.Text, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("reserved_nano", sa.BigInteger, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("expires", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("cost_nano", sa.BigInteger, nullable=False),
        sa.Column("basis", sa.Text),
        sa.Column("prompt_tokens", sa.BigInteger, nullable=False),
        sa.Column("completion_tokens", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_leases"),
    )
    op.create_index("ix_leases_request", "leases", ["request"])
    is_open = sa.text("state = 'open'")
    op.create_index(
        "ix_leases_open", "leases", ["expires"], sqlite_where=is_open, postgresql_where=is_open
    )


def _labels() -> None:
    counted = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "labels",
        sa.Column("id", counted, autoincrement=True),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("arm", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("probability", sa.Float, nullable=False),
        sa.Column("cost_nano", sa.BigInteger, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("changes", sa.Integer, nullable=False),
        sa.Column("meta", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_labels"),
        sa.UniqueConstraint("request", "source", "arm", name="uq_labels_request_source_arm"),
    )
    op.create_index("ix_labels_source_created", "labels", ["source", "created"])


def downgrade() -> None:
    """Drop them, with all that is in them."""
    for name in ("labels", "leases", "requests", "budgets", "api_keys", "tenants"):
        op.drop_table(name)
