"""What a name, a manifest's row, or a JSON beside an image says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

# Endings of files that hold images.
IMAGES = frozenset(
    ("apng", "avif", "bmp", "gif", "heic", "heif", "jfif", "jpe", "jpeg", "jpg", "png", "tif", "tiff", "webp")
)


def known_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of Input: id, tenant, prompt, expected_text, locale, labels; what is not said is left out.

    `expected_text` is a list, a JSON list in a string, or one text. `labels` is an object or a JSON object in a string.
    """
    known: dict[str, Any] = {}
    for name in ("id", "tenant", "prompt", "locale"):
        if fields.get(name) not in (None, ""):
            known[name] = _text(fields[name])
    if texts := _texts(fields.get("expected_text")):
        known["expected_text"] = texts
    if labels := _labels(fields.get("labels")):
        known["labels"] = labels
    return known


def _texts(value: Any) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        read = _json(value) if value.lstrip().startswith("[") else None
        value = read if isinstance(read, list) else [value]
    return (
        tuple(_text(each) for each in value if each is not None) if isinstance(value, list | tuple) else (_text(value),)
    )


def _labels(value: Any) -> dict[str, str]:
    if isinstance(value, str):
        value = _json(value)
    return {_text(key): _text(each) for key, each in value.items()} if isinstance(value, Mapping) else {}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _text(value: Any) -> str:
    """Without what UTF-8 cannot hold, for no gateway would take it."""
    return str(value).encode("utf-8", "replace").decode()
