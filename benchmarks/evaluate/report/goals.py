"""The project's targets, held against what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from benchmarks.targets import Target, at_least, at_most

COMMAND = "make evaluate"
HARD_STYLES = ("perspective", "wave")
Quality = Mapping[str, Any]
Hold = Callable[..., Target]


def goals(quality: Quality) -> list[Target]:
    """A row for every target that something was measured for, met or not."""
    return [*_text(quality), *_cards(quality), *_kind(quality), *_pictures(quality), *_cost(quality)]


def _row(hold: Hold, name: str, told: Mapping[str, Any], limit: float, unit: str = "%") -> Target:
    return hold(name, told["value"], limit, unit, COMMAND, low=told.get("low"), high=told.get("high"))


def _text(quality: Quality) -> Iterator[Target]:
    sets = quality.get("labelled", {}).get("sets", {})
    if "COLD dev" in sets:
        command = f"{COMMAND} DATA=folder"
        accuracy = sets["COLD dev"]["accuracy"]
        yield at_least(
            "COLD dev accuracy", accuracy["value"], 82, "%", command, low=accuracy["low"], high=accuracy["high"]
        )
        yield at_least("COLD dev macro-F1", sets["COLD dev"]["macro_f1"], 81.5, "%", command)


def _cards(quality: Quality) -> Iterator[Target]:
    plain = quality.get("plain_abuse", {})
    for language, told in plain.get("by_language", {}).items():
        yield _row(at_least, f"plain abuse, {language}, not allowed", told["not_allowed"], 99)
    for style, told in plain.get("by_style", {}).items():
        hard = style.startswith(HARD_STYLES)
        yield _row(at_least, f"plain abuse, {style}, not allowed", told["not_allowed"], 90 if hard else 97)
    for name, told in quality.get("evasions", {}).get("by_evasion", {}).items():
        if name != "none":
            yield _row(at_least, f"evaded abuse, {name}, not allowed", told["not_allowed"], 90)
    if implicit := quality.get("implicit_malice"):
        yield _row(at_least, "implicit malice, not allowed", implicit["all"]["not_allowed"], 75)
    asked = quality.get("off_script", {})
    if found := asked.get("found"):
        yield _row(at_least, "unexpected text found", found["all"], 99)
    if alarms := asked.get("false_alarms"):
        yield _row(at_most, "false alarms on text as asked", alarms["all"], 1)


def _kind(quality: Quality) -> Iterator[Target]:
    for name, held, blocked in (("ordinary", 0.5, 0.1), ("tricky", 5.0, 1.0)):
        if told := quality.get(f"kind_{name}"):
            yield _row(at_most, f"{name} kind cards held back", told["all"]["not_allowed"], held)
            yield _row(at_most, f"{name} kind cards blocked", told["all"]["blocked"], blocked)


def _pictures(quality: Quality) -> Iterator[Target]:
    for concepts, least in (("seen", 0.95), ("held-out", 0.85)):
        if told := quality.get("images", {}).get("mean_auc", {}).get(concepts):
            area = {side: told[side] / 100 for side in ("value", "low", "high")}
            yield _row(at_least, f"image categories, {concepts} concepts, mean AUC", area, least, "")
    for category, told in quality.get("calibration", {}).items():
        error = {side: told["ece"][side] / 100 for side in ("value", "low", "high")}
        yield _row(at_most, f"calibration error, {category}", error, 0.03, "")


def _cost(quality: Quality) -> Iterator[Target]:
    if cost := quality.get("cost"):
        yield at_most("text model, a line on one core", cost["line"]["mean_ms"], 6, "ms", COMMAND)
        yield at_most("text stage's share of a card", cost["text_share_percent"], 10, "%", COMMAND)
    if weights := quality.get("weights"):
        yield at_most("weights of ours in the repository", weights["total_mb"], 70, "MB", COMMAND)
        yield at_most("largest of their files", weights["largest_mib"], 16, "MiB", COMMAND)
