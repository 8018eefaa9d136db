"""The page of a comparison, in one file."""

from __future__ import annotations

from importlib.resources import files

import jinja2

from gatepost_server.policy.comparison import Comparison, rate
from gatepost_server.policy.grounds import BY_GRAVITY


def render(found: Comparison, *, new: str, old: str) -> str:
    """HTML without scripts. Everything that comes from names and manifests is escaped."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string((files(__package__) / "page.html").read_text())
    decisions = [decision.value for decision in reversed(BY_GRAVITY)]
    return template.render(found=found, new=new, old=old, decisions=decisions, rate=rate)
