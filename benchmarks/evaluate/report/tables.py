"""Blocks of Markdown for docs/quality.md, each from one part of quality.json."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Told = Mapping[str, Any]


def blocks(quality: Told) -> dict[str, str]:
    """Every block of the page by its name; a part that was not measured says so."""
    parts = {
        "how": _how,
        "targets": _targets,
        "plain": lambda q: caught(q["plain_abuse"]),
        "evasions": _evasions,
        "implicit": lambda q: caught(q["implicit_malice"]),
        "pictures": _pictures,
        "pairing": _pairing,
        "off-script": _off_script,
        "kind": _kind,
        "scores": _scores,
        "images": _images,
        "labelled": _labelled,
        "ocr": _ocr,
        "cost": _cost,
    }
    made: dict[str, str] = {}
    for name, make in parts.items():
        try:
            made[name] = make(quality)
        except KeyError as missing:
            made[name] = f"Not measured in this run ({missing.args[0]})."
    return made


def told(share: Told, digits: int = 1) -> str:
    """A share with its interval: "98.7 (97.6 to 99.3)"."""
    return f"{share['value']:.{digits}f} ({share['low']:.{digits}f} to {share['high']:.{digits}f})"


def fraction(percent: Told) -> str:
    """What is usually told between 0 and 1, such as an AUC, out of per cent."""
    return told({side: percent[side] / 100 for side in ("value", "low", "high")}, 3)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Markdown; the first column to the left, the others to the right."""
    lines = [list(head), ["---", *("---:" for _ in head[1:])], *([str(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def caught(part: Told) -> str:
    """Cards not allowed and blocked: all of them, then by each of the part's keys."""

    def rows() -> Iterator[Sequence[object]]:
        yield _row("all", part["all"])
        for by in (name for name in part if name.startswith("by_")):
            for name, share in part[by].items():
                yield _row(f"{by.removeprefix('by_')}: {name or 'none'}", share)

    return table(["", "cards", "not allowed, %", "blocked, %", "a score of harm reaches 0.5, %"], rows())


def _how(quality: Told) -> str:
    counts = ", ".join(f"{name} {share['n']}" for name, share in quality["suites"].items())
    machine = quality["machine"]
    first, last = (moment.replace("T", " ").removesuffix("+00:00") for moment in quality["judged"])
    return (
        f"Measured on {machine['cpu']}, {machine['cores']} cores; cards judged from {first} to {last} UTC, the whole "
        f"run took {quality['minutes']:.0f} minutes; system {quality['system']}. "
        f"Cards of the {quality['split']} split{_share(quality)}: {counts}."
    )


def _share(quality: Told) -> str:
    share = quality.get("share", 1.0)
    return "" if share == 1.0 else f" (--share {share:g}: the other cards were left out for want of time)"


def _targets(quality: Told) -> str:
    rows = (
        (
            row["name"],
            f"{row['value']:.4g} {row['unit']}".strip(),
            f"{row['low']:.4g} to {row['high']:.4g}" if row["low"] is not None else "",
            row["target"],
            {True: "yes", False: "**no**"}[row["met"]],
        )
        for row in quality["targets"]
    )
    return table(["measure", "value", "95 % interval", "target", "met"], rows)


def _row(name: str, share: Told) -> Sequence[object]:
    shares = (share[way] for way in ("not_allowed", "blocked", "by_score"))
    return name, share["not_allowed"]["n"], *map(told, shares)


def _evasions(quality: Told) -> str:
    part = quality["evasions"]

    def rows() -> Iterator[Sequence[object]]:
        for name, row in part["by_evasion"].items():
            languages = (row["by_language"].get(language) for language in ("zh", "en"))
            cells = (told(one["at_1_percent"], 0) if one else "" for one in languages)
            yield name, row["not_allowed"]["n"], told(row["not_allowed"]), told(row["at_1_percent"]), *cells

    head = ["evasion", "cards", "not allowed, %", "recall at 1 % false positives", "zh", "en"]
    here = part["false_positives_here"]
    note = f"Threshold {part['threshold']:.3f} on the worst score, chosen on {part['threshold_chosen_on']}."
    if here:
        note += f" Of the {here['n']} kind cards of this split {told(here)} % reach it."
    return f"{table(head, rows())}\n\n{note}"


def _pictures(quality: Told) -> str:
    names = {"kind_words_cruel_picture": "harmful picture, kind words", "cruel_words_kind_picture": "the reverse"}
    parts = [f"**{said}**\n\n{caught(quality[name])}" for name, said in names.items()]
    return "\n\n".join(parts)


def _pairing(quality: Told) -> str:
    rows = [
        (
            suite,
            way,
            told(one["held"]) if one["held"] else "",
            fraction(one["auc"]),
        )
        for suite, ways in quality["pairing"].items()
        for way, one in ways.items()
    ]
    return table(["suite", "scored by", "at least 0.5, %", "AUC against kind cards"], rows)


def _off_script(quality: Told) -> str:
    def rows() -> Iterator[Sequence[object]]:
        for key, said in (("found", "found"), ("false_alarms", "false alarm")):
            part = quality["off_script"][key]
            if not part:
                continue
            yield said, part["all"]["n"], told(part["all"])
            for by in ("language", "style"):
                for name, share in part[f"by_{by}"].items():
                    yield f"{said}, {by}: {name}", share["n"], told(share)

    return table(["", "cards", "%"], rows())


def _kind(quality: Told) -> str:
    parts = []
    for name in ("kind_ordinary", "kind_tricky", "kind_condolence"):
        part = quality[name]
        why = ", ".join(f"{category} {count}" for category, count in part["why"].items()) or "nothing"
        held_back = caught({key: value for key, value in part.items() if key != "why"})
        parts.append(f"**{name.replace('_', ', ')}**\n\n{held_back}\n\nWhat held them back: {why}.")
    return "\n\n".join(parts)


def _scores(quality: Told) -> str:
    areas, errors = quality["separation"], quality["calibration"]
    rows = (
        (
            category,
            *areas[category]["cards"],
            fraction(areas[category]["auc"]),
            fraction(errors[category]["ece"]),
        )
        for category in areas
    )
    return table(["category", "its cards", "kind cards", "AUC", "ECE"], rows)


def _images(quality: Told) -> str:
    part = quality["images"]
    rows = [
        (category, row["concepts"], row["cards"],
         fraction(row["auc"]))
        for category, some in part["by_category"].items() for row in some
    ]  # fmt: skip
    kind, photos = part["kind_cards_flagged"], part["photos"]
    return (
        f"{table(['category', 'concepts', 'cards', 'AUC'], rows)}\n\n"
        f"Of {kind['n']} kind cards {told(kind)} % reach 0.5 in a category; so do {photos['hits']} of {photos['n']} "
        f"photographs, {told(photos)} % ({photos['from']})."
    )


def _labelled(quality: Told) -> str:
    part = quality["labelled"]
    if "skipped" in part:
        return f"Skipped: {part['skipped']}."
    judged = {name: row for name, row in part["sets"].items() if "macro_f1" in row}
    if cold := judged.get("COLD dev"):
        plain = {"lines": cold["lines"], "scored_by": "a plain TF-IDF", **cold["plain_tfidf"]}
        judged = {"COLD dev": cold, "COLD dev, beside": plain, **judged}
    binary = [
        (name, row["lines"], told(row["accuracy"]), f"{row['macro_f1']:.1f}",
         fraction(row["auc"]), row["scored_by"])
        for name, row in judged.items()
    ]  # fmt: skip
    labels = [
        (f"{name}: {label}", area["positive"], fraction(area))
        for name, row in part["sets"].items()
        for label, area in row.get("auc_by_label", {}).items()
    ]
    flagged = [(name, row["lines"], told(row["flagged"])) for name, row in part["sets"].items() if "flagged" in row]
    return "\n\n".join(
        [
            table(["set", "lines", "accuracy at 0.5, %", "macro-F1", "AUC", "scored by"], binary),
            table(["set and label", "lines with it", "AUC"], labels),
            table(["kind lines", "lines", "flagged at 0.5, %"], flagged),
            f"Only trained on, so not measured: {', '.join(part['only_trained_on'])}.",
        ]
    )


def _ocr(quality: Told) -> str:
    rows = (
        (style, one["lines"], f"{one['recall']:.0f}", f"{one['cer']:.1f}", f"{one['exact']:.0f}")
        for style, one in quality["ocr"].items()
    )
    return table(["style", "lines", "recall, %", "CER, %", "exact, %"], rows)


def _cost(quality: Told) -> str:
    cost, weights = quality["cost"], quality["weights"]
    rows = [
        ("text model, a line at batch 1, CPU", f"{cost['line']['mean_ms']:.2f} ms (p99 {cost['line']['p99_ms']:.2f})"),
        ("text stage's share of a card, one at a time", f"{cost['text_share_percent']:.1f} %"),
        *((f"stage {name}, p50", f"{spent:.0f} ms") for name, spent in cost["stages_p50_ms"].items()),
        *((name, f"{size:.2f} MB") for name, size in weights["files_mb"].items()),
        ("all weights of ours", f"{weights['total_mb']:.1f} MB"),
    ]
    return table(["", "measured"], rows)
