"""docs/sdk.md is what the docstrings say."""

from __future__ import annotations

import runpy
from pathlib import Path

import gatepost_client

ROOT = Path(__file__).parents[2]
GENERATOR = runpy.run_path(str(ROOT / "clients" / "python" / "scripts" / "reference.py"))


def test_the_reference_is_that_of_the_docstrings() -> None:
    page = (ROOT / "docs" / "sdk.md").read_text(encoding="utf-8")
    assert page == GENERATOR["reference"](), "make docs"


def test_every_public_name_has_a_place_in_it() -> None:
    page = (ROOT / "docs" / "sdk.md").read_text(encoding="utf-8")
    missing = [name for name in gatepost_client.__all__ if not name.startswith("_") and f"\n### {name}\n" not in page]
    assert missing == []
