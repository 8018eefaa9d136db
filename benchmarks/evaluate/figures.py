"""Tables of numbers out of judged cards: plain data, ready for quality.json."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks.evaluate import metrics
from benchmarks.evaluate.case import HELD, KIND, OFF_SCRIPT, Suite, harm, right
from benchmarks.evaluate.rows import Row

Table = dict[str, Any]
FALSE_POSITIVES = 0.01  # of kind cards, where the evasion card's threshold is put
_POINTS = 100  # of a ROC curve in the report
_LABELLED = (Suite.PLAIN_ABUSE, Suite.IMPLICIT_MALICE, Suite.CRUEL_PICTURE, Suite.CRUEL_WORDS)
_LEAST = 15  # cards of a category, below which its AUC and calibration are not told


def suites(rows: Sequence[Row]) -> Table:
    """By suite: cards judged rightly."""
    return {suite: percent(map(right, some)) for suite, some in _grouped(rows, lambda row: row["suite"]).items()}


def caught(rows: Sequence[Row], *keys: str) -> Table:
    """Cards not allowed, and cards blocked, over all and by each of `keys` of the rows (language, style, ...)."""
    if not rows:
        return {}
    return {"all": _caught(rows)} | {
        f"by_{key}": {name: _caught(some) for name, some in _grouped(rows, lambda row: row[key]).items()}  # noqa: B023
        for key in keys
    }


def held_back(rows: Sequence[Row], *keys: str) -> Table:
    """As `caught` for kind cards, where it is a mistake; "why" counts what held them back."""
    return caught(rows, *keys) | {"why": dict(Counter(name for row in rows for name in _grounds(row)).most_common())}


def off_script(unexpected: Sequence[Row], as_asked: Sequence[Row]) -> Table:
    """Unexpected text found, by language and style, and cards as asked that were said to hold some."""
    return {
        "found": _shares(unexpected, _off_script, "language", "style"),
        "false_alarms": _shares(as_asked, _off_script, "language", "style"),
    }


def evasions(evaded: Sequence[Row], plain: Sequence[Row], kind_of_dev: Sequence[Row], kind: Sequence[Row]) -> Table:
    """Recall by evasion at the default policy, and where 1 % of the kind cards of another split reach the threshold."""
    if not evaded or not kind_of_dev:
        return {}
    threshold = metrics.threshold_at([harm(row) for row in kind_of_dev], FALSE_POSITIVES)
    by_name = {"none": list(plain)} if plain else {}
    by_name |= _grouped(evaded, lambda row: row["evasion"])

    def rows_of(some: Sequence[Row]) -> Table:
        over = percent(harm(row) >= threshold for row in some)
        languages = _grouped(some, lambda row: row["language"])
        return {
            "not_allowed": percent(map(right, some)),
            "at_1_percent": over,
            "by_language": {
                name: {
                    "not_allowed": percent(map(right, part)),
                    "at_1_percent": percent(harm(row) >= threshold for row in part),
                }
                for name, part in languages.items()
            },
        }

    return {
        "threshold": threshold,
        "threshold_chosen_on": f"{len(kind_of_dev)} kind cards of the dev split",
        "false_positives_here": percent(harm(row) >= threshold for row in kind) if kind else None,
        "by_evasion": {name: rows_of(some) for name, some in by_name.items()},
    }


def pairing(rows: Sequence[Row], kind: Sequence[Row]) -> Table:
    """Words and picture together, held against either alone, over the cards of one suite and kind cards."""
    if not rows or not kind:
        return {}
    ways: Mapping[str, Callable[[Row], float]] = {
        "text alone": lambda row: _worst(row["text_scores"]),
        "picture alone": lambda row: _worst(row["image_scores"]),
        "the worse of both": lambda row: max(_worst(row["text_scores"]), _worst(row["image_scores"])),
        "together": harm,
    }
    told: Table = {
        name: {
            "held": percent(score(row) >= HELD for row in rows),
            "auc": hundredfold(metrics.auc(list(map(score, rows)), list(map(score, kind)))),
        }
        for name, score in ways.items()
    }
    unlike, like = ([-row["prompt_similarity"] for row in some if row["prompt_similarity"]] for some in (rows, kind))
    if unlike and like:  # prompts were given: how far the picture is from them says something by itself
        told["picture unlike the prompt"] = {"held": None, "auc": hundredfold(metrics.auc(unlike, like))}
    return told


def separation(rows: Sequence[Row]) -> Table:
    """By category: the ROC of its score, cards that show it (in words or picture) against kind cards."""
    kind = [row for row in rows if row["suite"] in KIND]
    found: Table = {}
    for category, positive in _grouped(_unkind(rows), _label).items():
        if len(positive) >= _LEAST and kind:
            above, below = (np.array([row["scores"].get(category, 0.0) for row in some]) for some in (positive, kind))
            false, true = metrics.roc(above, below)
            kept = np.unique(np.linspace(0, len(false) - 1, _POINTS).astype(int))
            found[category] = {
                "auc": hundredfold(metrics.auc(above, below)),
                "points": [[round(float(false[i]), 4), round(float(true[i]), 4)] for i in kept],
                "cards": [len(positive), len(kind)],
            }
    return found


def calibration(rows: Sequence[Row]) -> Table:
    """By category: its score held against what cards were drawn with. Cards of other categories are left out.

    A card of abuse may well be insult and hate at once while its text has one label, so only its own cards and kind
    ones are counted.
    """
    kind = [row for row in rows if row["suite"] in KIND]
    found: Table = {}
    for category, positive in _grouped(_unkind(rows), _label).items():
        if len(positive) >= _LEAST and kind:
            said = [row["scores"].get(category, 0.0) for row in (*positive, *kind)]
            was = [1] * len(positive) + [0] * len(kind)
            found[category] = {
                "ece": hundredfold(metrics.calibration_error(said, was)),
                "cards": [len(positive), len(kind)],
                "bins": [asdict(one) for one in metrics.reliability(said, was)],
            }
    return found


def percent(outcomes: Iterable[bool]) -> Table:
    """A share with its interval, in per cent."""
    values = [bool(outcome) for outcome in outcomes]
    return hundredfold(metrics.share(sum(values), len(values)))


def hundredfold(figure: metrics.Figure) -> Table:
    """A figure in per cent."""
    told = {"value": 100 * figure.value, "low": 100 * figure.low, "high": 100 * figure.high}
    counts = {"n": figure.n} | ({} if figure.hits is None else {"hits": figure.hits})
    return {name: round(value, 3) for name, value in told.items()} | counts


def _caught(rows: Sequence[Row]) -> Table:
    return {
        "not_allowed": percent(row["decision"] != "ALLOW" for row in rows),
        "blocked": percent(row["decision"] == "BLOCK" for row in rows),
        "by_score": percent(harm(row) >= HELD for row in rows),
    }


def _shares(rows: Sequence[Row], outcome: Callable[[Row], bool], *keys: str) -> Table:
    if not rows:
        return {}
    return {"all": percent(map(outcome, rows))} | {
        f"by_{key}": {
            name: percent(map(outcome, some))
            for name, some in _grouped(rows, lambda row: row[key]).items()  # noqa: B023
        }
        for key in keys
    }


def _off_script(row: Row) -> bool:
    return bool(row["scores"].get(OFF_SCRIPT, 0.0) >= HELD)


def _grounds(row: Row) -> set[str]:
    return {reason["category"] or reason["detail"] or reason["code"] for reason in row["reasons"]}


def _unkind(rows: Sequence[Row]) -> list[Row]:
    """Cards with a label of their own: abuse that is disguised is not, for its reading is what is measured there."""
    return [row for row in rows if row["suite"] in _LABELLED]


def _label(row: Row) -> str:
    return str(row["category"] or row["picture"])


def _worst(scores: Mapping[str, float]) -> float:
    return max((score for category, score in scores.items() if category != OFF_SCRIPT), default=0.0)


def _grouped(rows: Iterable[Row], key: Callable[[Row], str]) -> dict[str, list[Row]]:
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(sorted(groups.items()))
