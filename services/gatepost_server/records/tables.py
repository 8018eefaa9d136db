"""The record's tables. Times are Unix seconds; "" stands for what there is not. migrations/ makes them."""

from __future__ import annotations

import sqlalchemy as sql

METADATA = sql.MetaData()

# Append-only: the database refuses every UPDATE, and every DELETE that is not a purge's.
DECISIONS = sql.Table(
    "decisions",
    METADATA,
    sql.Column("name", sql.String(64), primary_key=True),
    sql.Column("pending", sql.Boolean, primary_key=True),  # a HOLD that became another verdict has two rows
    sql.Column("tenant", sql.String(64), nullable=False),
    sql.Column("request_id", sql.String(128), nullable=False),
    sql.Column("subject", sql.String(128), nullable=False),
    sql.Column("created", sql.Float, nullable=False),
    sql.Column("decision", sql.String(16), nullable=False),
    sql.Column("category", sql.String(32), nullable=False),
    sql.Column("severity", sql.Float, nullable=False),
    sql.Column("policy", sql.String(64), nullable=False),
    sql.Column("policy_version", sql.String(16), nullable=False),
    sql.Column("image_sha256", sql.String(64), nullable=False),
    sql.Column("pdq", sql.String(64), nullable=False),
    sql.Column("image_kept", sql.Boolean, nullable=False),
    sql.Column("opinions", sql.Integer, nullable=False),  # how many people decide together
    sql.Column("due_s", sql.Float, nullable=False),  # how soon a person looks
    sql.Column("request", sql.LargeBinary, nullable=False),  # records.codec, as `verdict`
    sql.Column("verdict", sql.LargeBinary, nullable=False),
    sql.Column("embedding", sql.LargeBinary, nullable=False),  # float32, little-endian
    sql.Index("decisions_counted", "created", "tenant", "policy", "decision", "pending", "name"),
    sql.Index("decisions_tenant", "tenant", "created"),
    sql.Index("decisions_subject", "subject"),
)

# What people did, in order; append-only, too. What stands is worked out of it (records.acts).
ACTS = sql.Table(
    "acts",
    METADATA,
    sql.Column("id", sql.Integer, primary_key=True, autoincrement=True),
    sql.Column("verdict", sql.String(64), nullable=False),
    sql.Column("kind", sql.String(16), nullable=False),
    sql.Column("actor", sql.String(128), nullable=False),
    sql.Column("at", sql.Float, nullable=False),
    sql.Column("category", sql.String(32), nullable=False),
    sql.Column("text", sql.Text, nullable=False),
    sql.Column("undoes", sql.Integer, nullable=True),
    sql.Column("ground", sql.String(16), nullable=False, server_default=""),
    sql.Column("due_s", sql.Float, nullable=True),
    sql.Index("acts_verdict", "verdict", "id"),
    sql.Index("acts_actor", "actor", "at"),
)

# What waits for people: follows from the two above, but for the claims.
REVIEW_QUEUE = sql.Table(
    "review_queue",
    METADATA,
    sql.Column("verdict", sql.String(64), primary_key=True),
    sql.Column("tenant", sql.String(64), nullable=False),
    sql.Column("kind", sql.String(16), nullable=False),
    sql.Column("category", sql.String(32), nullable=False),
    sql.Column("severity", sql.Float, nullable=False),
    sql.Column("queued", sql.Float, nullable=False),
    sql.Column("due", sql.Float, nullable=False),
    sql.Column("open", sql.Boolean, nullable=False),
    sql.Column("claimed_by", sql.String(128), nullable=False),
    sql.Column("claimed_until", sql.Float, nullable=False),
    sql.Index("review_queue_open", "open", "due"),
)

# Who removed what, and why; a row without `finished` is what lets rows be deleted.
PURGES = sql.Table(
    "purges",
    METADATA,
    sql.Column("id", sql.Integer, primary_key=True, autoincrement=True),
    sql.Column("actor", sql.String(128), nullable=False),
    sql.Column("started", sql.Float, nullable=False),
    sql.Column("finished", sql.Float, nullable=True),
    sql.Column("criteria", sql.Text, nullable=False),
    sql.Column("decisions", sql.Integer, nullable=False),
    sql.Column("images", sql.Integer, nullable=False),
)
