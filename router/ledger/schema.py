"""The ledger's tables. `migrations/` makes them; a test holds the two against each other.

    tenants    who pays: budgets, rate limits, whether texts are stored
    api_keys   SHA-256 of each key, never the key
    budgets    per tenant and UTC day or month: what is spent, what is reserved
    requests   one row a request, whatever happened to it
    leases     one row an attempt that was paid for: its reserve, then its bill
    labels     what is known of an answer afterwards, by source

Money is whole nano-USD. Times are ISO 8601, UTC, microseconds: they sort as text, alike on
both databases.
"""

import sqlalchemy as sa

__all__ = ["api_keys", "budgets", "labels", "leases", "metadata", "requests", "tenants"]

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite counts up only what is called INTEGER."""

tenants = sa.Table(
    "tenants",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("daily_nano", sa.BigInteger),  # null: no budget
    sa.Column("monthly_nano", sa.BigInteger),
    sa.Column("requests_per_minute", sa.Integer),
    sa.Column("tokens_per_minute", sa.Integer),
    sa.Column("stores_prompts", sa.Boolean, nullable=False),
    sa.Column("created", sa.Text, nullable=False),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, sa.ForeignKey("tenants.name"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.Column("prefix", sa.Text, nullable=False),  # what a person tells keys apart by
    sa.Column("created", sa.Text, nullable=False),
    sa.Column("expires", sa.Text),
    sa.Column("revoked", sa.Text),
)

budgets = sa.Table(
    "budgets",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("period", sa.Text, primary_key=True),  # day:2026-11-23, month:2026-11
    sa.Column("spent_nano", sa.BigInteger, nullable=False),
    sa.Column("reserved_nano", sa.BigInteger, nullable=False),
)

requests = sa.Table(
    "requests",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("key", sa.Text),
    sa.Column("replica", sa.Text, nullable=False),
    sa.Column("created", sa.Text, nullable=False),
    sa.Column("expires", sa.Text, nullable=False),  # when an open row is given up
    sa.Column("closed", sa.Text),
    # what was asked
    sa.Column("endpoint", sa.Text, nullable=False),
    sa.Column("asked_model", sa.Text, nullable=False),
    sa.Column("stream", sa.Boolean, nullable=False),
    sa.Column("conversation", sa.Text),
    sa.Column("prompt_hash", sa.Text),
    # how it ended; null: it runs
    sa.Column("ending", sa.Text),
    sa.Column("http_status", sa.Integer),
    sa.Column("error", sa.Text),
    # what came out
    sa.Column("policy", sa.Text),
    sa.Column("policy_version", sa.Text),
    sa.Column("route", sa.Text),  # arms in the order they were tried, joined by " > "
    sa.Column("arm", sa.Text),
    sa.Column("model", sa.Text),
    sa.Column("verdict", sa.Text),  # passed, failed, unknown
    sa.Column("verdict_kind", sa.Text),
    sa.Column("p_right", sa.Float),
    sa.Column("prompt_tokens", sa.BigInteger),
    sa.Column("completion_tokens", sa.BigInteger),
    sa.Column("cost_nano", sa.BigInteger, nullable=False),  # the sum of its leases' bills
    sa.Column("all_large_nano", sa.BigInteger),  # an estimate; see router/answer.py
    sa.Column("first_token_seconds", sa.Float),
    sa.Column("seconds", sa.Float),
    # what it was decided by
    sa.Column("fingerprint", sa.Text),  # of the featuriser
    sa.Column("layout", sa.Text),  # names and widths of the blocks in `features`
    sa.Column("features", sa.LargeBinary),  # float32, little-endian
    sa.Column("answer", sa.Text),  # JSON; texts only where the tenant stores them
    sa.Column("trace", sa.Text),
    sa.Index(None, "tenant", "created"),
    sa.Index(None, "created"),
    sa.Index(
        "ix_requests_running",
        "expires",
        sqlite_where=sa.text("ending IS NULL"),
        postgresql_where=sa.text("ending IS NULL"),
    ),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("month", sa.Text, nullable=False),
    sa.Column("arm", sa.Text, nullable=False),
    sa.Column("place", sa.Integer, nullable=False),  # 0, 1, ... within the request
    sa.Column("reserved_nano", sa.BigInteger, nullable=False),
    sa.Column("created", sa.Text, nullable=False),
    sa.Column("expires", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # open, settled, swept
    sa.Column("cost_nano", sa.BigInteger, nullable=False),
    sa.Column("basis", sa.Text),
    sa.Column("prompt_tokens", sa.BigInteger, nullable=False),
    sa.Column("completion_tokens", sa.BigInteger, nullable=False),
    sa.Index(None, "request"),
    sa.Index(
        "ix_leases_open",
        "expires",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    ),
)

labels = sa.Table(
    "labels",
    metadata,
    sa.Column("id", _Key, primary_key=True),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("arm", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("score", sa.Float),  # null: a label was drawn, and could not be told
    sa.Column("probability", sa.Float, nullable=False),
    sa.Column("cost_nano", sa.BigInteger, nullable=False),
    sa.Column("created", sa.Text, nullable=False),
    sa.Column("changes", sa.Integer, nullable=False),  # how often it was replaced
    sa.Column("meta", sa.Text, nullable=False),  # JSON
    sa.UniqueConstraint("request", "source", "arm"),
    sa.Index(None, "source", "created"),
)
