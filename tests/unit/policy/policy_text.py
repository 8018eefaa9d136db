"""A small valid policy, as a dict to be changed and written as YAML."""

from __future__ import annotations

from typing import Any

import yaml

from gatepost_server.policy.load import Policy, parse_policy

MESSAGE = {"default": "Not now."}


def content(**changed: Any) -> dict[str, Any]:
    """The document with top-level keys replaced."""
    return {
        "name": "test",
        "description": "For tests.",
        "thresholds": {"insult": {"review": 0.5, "block": 0.8}, "off_script": {"review": 0.5, "block": None}},
        "mandatory_stages": ["decode", "ocr_detect", "ocr_recognize", "text_toxicity", "clip", "fusion"],
        "messages": {"en": {"review": MESSAGE, "block": MESSAGE, "hold": MESSAGE}},
    } | changed


def policy(**changed: Any) -> Policy:
    """That document as a policy."""
    return parse_policy(yaml.safe_dump(content(**changed), allow_unicode=True).encode(), source="test.yaml")
