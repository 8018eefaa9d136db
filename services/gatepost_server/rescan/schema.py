"""The columns of a re-scan's results (docs/rescan.md says what each one holds). Additive only: readers go by name."""

from __future__ import annotations

import pyarrow as pa

from gatepost_server.domain.labels import CATEGORIES
from gatepost_server.rescan.replay.facts import FACTS

FORMAT = "1"  # rises when an older reader would misread what is written
FORMAT_KEY = b"gatepost.results"  # of the file's metadata

_TEXTS = pa.list_(pa.string())
_COUNTS = pa.map_(pa.string(), pa.int32())


def by_category(kind: pa.DataType) -> pa.DataType:
    """A struct with one field for each category, in the order of the wire."""
    return pa.struct([(category.value, kind) for category in CATEGORIES])


SCORES = by_category(pa.float64())  # as exact as a policy compares them

REASONS = pa.list_(
    pa.struct(
        [
            ("code", pa.string()),
            ("decision", pa.string()),
            ("category", pa.string()),
            ("score", pa.float64()),
            ("threshold", pa.float64()),
            ("source", pa.string()),
            ("detail", pa.string()),
        ]
    )
)
LINES = pa.list_(
    pa.struct(
        [
            ("text", pa.string()),
            ("normalized", pa.string()),
            ("language", pa.string()),
            ("confidence", pa.float64()),
            ("polygon", pa.list_(pa.float32())),  # x, y, x, y, ... in pixels of the upright image
            ("view", pa.int32()),
            ("expected", pa.float64()),
            ("scores", SCORES),
            ("matches", _TEXTS),
        ]
    )
)
COVERAGE = pa.struct(
    [
        ("complete", pa.bool_()),
        ("missing", _TEXTS),
        (
            "stages",
            pa.list_(
                pa.struct(
                    [
                        ("stage", pa.string()),
                        ("looked_at", _COUNTS),
                        ("skipped", pa.list_(pa.struct([("what", pa.string()), ("why", pa.string())]))),
                    ]
                )
            ),
        ),
        ("scripts", _COUNTS),
        ("unjudged_scripts", _TEXTS),
    ]
)
VERSIONED = pa.struct([("name", pa.string()), ("version", pa.string())])
ERROR = pa.struct([("code", pa.string()), ("reason", pa.string()), ("message", pa.string())])


def results_schema(embedding_size: int) -> pa.Schema:
    """The schema of every shard of a job; `embedding_size` is the image net's, the same for the whole job."""
    return pa.schema(
        [
            # what was asked
            pa.field("number", pa.int64(), nullable=False),
            pa.field("id", pa.string(), nullable=False),
            pa.field("uri", pa.string(), nullable=False),
            pa.field("tenant", pa.string(), nullable=False),
            ("prompt", pa.string()),
            ("expected_text", _TEXTS),
            ("locale", pa.string()),
            ("labels", pa.map_(pa.string(), pa.string())),
            # the file
            ("content_key", pa.string()),
            ("sha256", pa.string()),
            ("size", pa.int64()),
            ("pdq", pa.string()),
            ("pdq_quality", pa.int32()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("format", pa.string()),
            ("frames", pa.int32()),
            # the verdict
            ("decision", pa.string()),
            ("reasons", REASONS),
            ("policy", VERSIONED),
            ("scores", SCORES),
            ("score_sources", by_category(pa.string())),
            ("image_scores", SCORES),
            ("joined_text", pa.string()),
            ("joined_scores", SCORES),
            ("lines", LINES),
            ("coverage", COVERAGE),
            ("models", pa.list_(VERSIONED)),
            ("prompt_similarity", pa.float64()),
            # Zeros where there is none, for pyarrow cannot read nulls among fixed-size lists back from Parquet.
            pa.field("embedding", pa.list_(pa.float32(), embedding_size), nullable=False),
            ("evidence", pa.binary()),
            ("facts", FACTS),
            # how it went
            ("error", ERROR),
            ("duplicate_of", pa.string()),
            ("timings_ms", pa.map_(pa.string(), pa.float64())),
            ("scored_at", pa.timestamp("us", tz="UTC")),
        ],
        metadata={FORMAT_KEY: FORMAT.encode()},
    )
