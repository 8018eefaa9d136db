"""StageReport <-> the JSON of every step's <STAGE>_REPORT tensor."""

from __future__ import annotations

import json

from gatepost_server.domain.evidence import ModelVersion, Skipped, StageReport
from gatepost_server.domain.labels import StageName


def encode_report(report: StageReport) -> bytes:
    """The report as compact JSON in UTF-8."""
    fields = {
        "stage": report.stage,
        "started": report.started,
        "ended": report.ended,
        "models": [[model.name, model.version] for model in report.models],
        "looked_at": dict(report.looked_at),
        "skipped": [[skipped.what, skipped.why] for skipped in report.skipped],
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def decode_report(data: bytes) -> StageReport:
    """The report. Raises ValueError for anything that `encode_report` did not write."""
    try:
        fields = json.loads(data)
        return StageReport(
            stage=StageName(fields["stage"]),
            started=float(fields["started"]),
            ended=float(fields["ended"]),
            models=tuple(ModelVersion(str(name), str(version)) for name, version in fields["models"]),
            looked_at={str(what): int(count) for what, count in fields["looked_at"].items()},
            skipped=tuple(Skipped(str(what), str(why)) for what, why in fields["skipped"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a stage report") from error
