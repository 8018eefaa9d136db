"""Verdicts and requests as JSON, so that they outlive the process. An image never goes into JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from gatepost_server.domain.decision import ModerationRequest, Verdict
from gatepost_server.domain.evidence import Evidence

_VERDICT = TypeAdapter(Verdict)
_REQUEST = TypeAdapter(ModerationRequest)
_EVIDENCE = TypeAdapter(Evidence)


def verdict_to_json(verdict: Verdict) -> bytes:
    """UTF-8 JSON; `verdict_from_json` gives an equal verdict."""
    return _VERDICT.dump_json(verdict)


def verdict_from_json(text: bytes) -> Verdict:
    """Raises ValueError for what `verdict_to_json` did not write."""
    return _VERDICT.validate_json(text)


def verdict_record(verdict: Verdict) -> bytes:
    """What is kept of a judgement for policies to come: UTF-8 JSON without the embedding and the ticket."""
    evidence = None if verdict.evidence is None else replace(verdict.evidence, embedding=())
    return _exact_json(_VERDICT, replace(verdict, evidence=evidence, ticket=""))


def request_to_json(request: ModerationRequest) -> bytes:
    """UTF-8 JSON of everything but the image."""
    return _REQUEST.dump_json(replace(request, image=b""))


def request_from_json(text: bytes, image: bytes) -> ModerationRequest:
    """The request with its image again. Raises ValueError for what `request_to_json` did not write."""
    return replace(_REQUEST.validate_json(text), image=image)


def evidence_to_json(evidence: Evidence) -> bytes:
    """UTF-8 JSON of everything but the embedding, which is kept as numbers where it is kept."""
    return _exact_json(_EVIDENCE, replace(evidence, embedding=()))


def evidence_from_json(text: bytes, embedding: tuple[float, ...] = ()) -> Evidence:
    """The evidence with its embedding again. Raises ValueError for what `evidence_to_json` did not write."""
    return replace(_EVIDENCE.validate_json(text), embedding=embedding)


def _exact_json(adapter: TypeAdapter[Any], value: object) -> bytes:
    """Not dump_json: it writes null for NaN, and a policy must see what is no number."""
    return json.dumps(adapter.dump_python(value, mode="json"), ensure_ascii=False).encode()
