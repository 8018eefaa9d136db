"""Verdicts and requests as JSON, so that they outlive the process. An image never goes into JSON."""

from __future__ import annotations

from dataclasses import replace

from pydantic import TypeAdapter

from gatepost_server.domain.decision import ModerationRequest, Verdict

_VERDICT = TypeAdapter(Verdict)
_REQUEST = TypeAdapter(ModerationRequest)


def verdict_to_json(verdict: Verdict) -> bytes:
    """UTF-8 JSON; `verdict_from_json` gives an equal verdict."""
    return _VERDICT.dump_json(verdict)


def verdict_from_json(text: bytes) -> Verdict:
    """Raises ValueError for what `verdict_to_json` did not write."""
    return _VERDICT.validate_json(text)


def request_to_json(request: ModerationRequest) -> bytes:
    """UTF-8 JSON of everything but the image."""
    return _REQUEST.dump_json(replace(request, image=b""))


def request_from_json(text: bytes, image: bytes) -> ModerationRequest:
    """The request with its image again. Raises ValueError for what `request_to_json` did not write."""
    return replace(_REQUEST.validate_json(text), image=image)
