"""What pages say, by language: words/<language>/<part>.toml, `part.key` in templates."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from gatepost_server.policy.messages import closest_locale

LANGUAGES = {"en": "English", "zh": "中文"}  # each by its own name
FALLBACK = "en"


class Words:
    """The texts of one language."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, key: str, **values: object) -> str:
        """The text, with {values} in their places. Raises KeyError for what is not in the catalogue."""
        text = self._texts[key]
        return text.format(**values) if values else text

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in self._texts

    def age(self, seconds: float) -> str:
        """A stretch of time in its largest unit, rounded down."""
        for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
            if seconds >= length:
                return self(f"time.{unit}", count=int(seconds // length))
        return self("time.seconds", count=int(max(0.0, seconds)))

    @property
    def keys(self) -> frozenset[str]:
        """Of all texts."""
        return frozenset(self._texts)

    def raw(self, key: str) -> str:
        """The text as the catalogue has it."""
        return self._texts[key]


@cache
def words_in(language: str) -> Words:
    """The catalogue of one of LANGUAGES."""
    texts: dict[str, str] = {}
    for file in (files("gatepost_server.console") / "words" / language).iterdir():
        if file.name.endswith(".toml"):
            table = tomllib.loads(file.read_text("utf-8"))
            texts |= {f"{file.name.removesuffix('.toml')}.{key}": text for key, text in table.items()}
    return Words(language, texts)


def language_for(wanted: str, accepted: str) -> str:
    """One of LANGUAGES: what somebody chose, or what their browser asks for (Accept-Language)."""
    if wanted in LANGUAGES:
        return wanted
    ranges = [part.partition(";") for part in accepted.split(",")[:10]]
    for tag, _, _ in sorted(ranges, key=lambda each: -_weight(each[2])):
        try:
            found = closest_locale(tag.strip(), (*LANGUAGES, "und"))
        except (ValueError, AttributeError):  # a browser may send anything
            continue
        if found in LANGUAGES and (found != FALLBACK or tag.strip().lower().startswith(FALLBACK)):
            return found
    return FALLBACK


def _weight(quality: str) -> float:
    name, _, value = quality.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
