"""Suite (a): the shipped text classifier alone, on labelled sets that nothing was trained on.

The data are not in the repository (training/text/README.md says where they are from): `make evaluate DATA=folder`.
"""

from __future__ import annotations

import csv
import random
import time
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from tqdm import tqdm

from benchmarks.evaluate import metrics
from benchmarks.evaluate.case import HELD
from benchmarks.evaluate.figures import hundredfold, percent
from gatepost_server.domain.errors import GatepostError
from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.stages.base import text_array
from gatepost_server.stages.text_toxicity import TextToxicity

MODEL = Path(__file__).parents[2] / "model_repository" / "text_toxicity" / "1"
ABUSE = (Category.INSULT, Category.HATE)
HATE = (Category.HATE,)  # insults at nobody in particular are not hateful in these sets
# What the columns of the sets with many labels are called here.
OPENAI = {
    "S": (Category.SEXUAL,),
    "H": (Category.HATE,),
    "V": (Category.VIOLENCE, Category.THREAT),
    "HR": (Category.INSULT, Category.THREAT),
    "SH": (Category.SELF_HARM,),
}
I2P = {
    "hate": (Category.HATE,),
    "harassment": (Category.INSULT, Category.THREAT),
    "violence": (Category.VIOLENCE, Category.THREAT, Category.WEAPONS),
    "self-harm": (Category.SELF_HARM,),
    "sexual": (Category.SEXUAL,),
    "illegal activity": (Category.DRUGS, Category.WEAPONS),
}
TRAINED_ON = (
    "COLD train",
    "SWSR",
    "Davidson",
    "EDOS train",
    "HatemojiBuild train",
    "Surge toxicity",
    "SMS spam",
    "zh SMS",
)
_I2P_LINES = 1_500
Scores = NDArray[np.float32]
Labels = Mapping[str, bool]  # what a line was judged for


class Scorer(Protocol):
    """Whatever gives lines probabilities (n, C)."""

    def scores(self, texts: Sequence[str], name: str = "") -> Scores: ...


class Lines:
    """Scores lines as Triton would, each alone."""

    def __init__(self, directory: Path = MODEL) -> None:
        self._stage = TextToxicity({"directory": str(directory)})

    def scores(self, texts: Sequence[str], name: str = "") -> Scores:
        """Probabilities (n, C)."""
        return np.stack([self.score(text) for text in tqdm(texts, desc=name, unit="line", disable=None)])

    def score(self, text: str) -> Scores:
        """Probabilities (C,) of one line; raises GatepostError as the stage gives it."""
        corners = np.array([[0.1, 0.1], [0.9, 0.1], [0.9, 0.2], [0.1, 0.2]], np.float32)
        (result,) = self._stage.run(
            [
                {
                    "TEXTS": text_array([text]),
                    "TEXT_CONFIDENCES": np.array([1.0], np.float32),
                    "POLYGON_POINTS": corners,
                    "POLYGON_SIZES": np.array([4], np.int32),
                    "LINE_VIEWS": np.zeros(1, np.int32),
                    "EXPECTED": text_array([]),
                }
            ]
        )
        if isinstance(result, GatepostError):
            raise result
        scores: Scores = result.arrays["LINE_SCORES"][0]
        return scores


def measure(folder: Path, lines: Scorer) -> dict[str, Any]:
    """Every set of `folder`; FileNotFoundError names the first that is not there."""
    found: dict[str, Any] = {
        "COLD dev": _cold(folder, lines),
        "EDOS dev": _binary(folder / "edos/dev.csv", lines, HATE),
        "HatemojiBuild validation": _binary(folder / "hatemoji/validation.csv", lines, HATE),
        "HateCheck": _binary(folder / "hatecheck_en/all.csv", lines, HATE),
        "OpenAI moderation (half)": _many(_openai(folder), OPENAI, lines, "OpenAI moderation"),
        "I2P prompts": _many(_i2p(folder), I2P, lines, "I2P"),
    }
    for name in ("benign_zh", "benign_en"):
        texts = [line for line in (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines() if line.strip()]
        found[name] = {"lines": len(texts), "flagged": percent(lines.scores(texts, name).max(axis=1) >= HELD)}
    return {"sets": found, "only_trained_on": list(TRAINED_ON)}


def speed(lines: Lines, texts: Sequence[str]) -> dict[str, float]:
    """CPU milliseconds a line at batch 1, normaliser and lexicons included, over a process that does nothing else."""
    for text in texts[:20]:
        lines.score(text)
    spent = []
    for text in texts:
        started = time.process_time()
        lines.score(text)
        spent.append(1_000 * (time.process_time() - started))
    return {"lines": len(spent), "mean_ms": float(np.mean(spent)), "p99_ms": float(np.percentile(spent, 99))}


def _cold(folder: Path, lines: Scorer) -> dict[str, Any]:
    """Beside a plain TF-IDF (character 1-3 grams, logistic regression) on the same lines.

    COLD's dev split is easier than its test split, so the figures say little beside published ones; the plain model
    does. Dev lines that also stand in the train split are left out: they would be remembered, not judged.
    """
    train = list(_rows(folder / "cold/train.csv"))
    known = {_plain(row["text"]) for row in train}
    path = folder / "cold/dev.csv"
    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True)
    plain = LogisticRegression(C=4, solver="liblinear").fit(
        vectors.fit_transform([row["text"] for row in train]), [int(row["label"]) for row in train]
    )
    rows = [(row["text"], int(row["label"])) for row in _rows(path) if _plain(row["text"]) not in known]
    texts, labels = [text for text, _ in rows], np.array([label for _, label in rows])
    beside = _judged(labels, plain.predict_proba(vectors.transform(texts))[:, 1])
    return {**_scored(rows, lines, ABUSE, "COLD dev"), "plain_tfidf": beside}


def _binary(path: Path, lines: Scorer, categories: Sequence[Category]) -> dict[str, Any]:
    rows = [(row["text"], int(float(row["label"]))) for row in _rows(path)]
    return _scored(rows, lines, categories, path.parent.name)


def _scored(
    rows: Sequence[tuple[str, int]], lines: Scorer, categories: Sequence[Category], name: str
) -> dict[str, Any]:
    scores = _worst(lines.scores([text for text, _ in rows], name), categories)
    scored_by = "the worse of " + " and ".join(categories) if len(categories) > 1 else str(categories[0])
    return {"lines": len(rows), "scored_by": scored_by, **_judged(np.array([label for _, label in rows]), scores)}


def _judged(labels: NDArray[np.int64], scores: NDArray[np.floating[Any]]) -> dict[str, Any]:
    said = scores >= HELD
    return {
        "accuracy": percent(said == labels),
        "macro_f1": round(100 * float(f1_score(labels, said, average="macro")), 2),
        "auc": hundredfold(metrics.auc(scores[labels == 1], scores[labels == 0])),
    }


def _many(
    rows: Sequence[tuple[str, Labels]], columns: Mapping[str, tuple[Category, ...]], lines: Scorer, name: str
) -> dict[str, Any]:
    """AUC of each label, over the lines that were judged for it."""
    scores = lines.scores([text for text, _ in rows], name)
    found: dict[str, Any] = {"lines": len(rows), "auc_by_label": {}}
    for label, categories in columns.items():
        worst = _worst(scores, categories)
        has, lacks = (np.array([labels.get(label) is value for _, labels in rows]) for value in (True, False))
        area = hundredfold(metrics.auc(worst[has], worst[lacks]))
        found["auc_by_label"][label] = {**area, "positive": int(has.sum())}
    return found


def _openai(folder: Path) -> list[tuple[str, Labels]]:
    rows = _rows(folder / "openai_moderation/half.csv")
    return [(row["text"], {name: float(row[name]) > 0 for name in OPENAI if row[name]}) for row in rows]


def _i2p(folder: Path) -> list[tuple[str, Labels]]:
    rows = list(_rows(folder / "i2p/all.csv"))
    some = random.Random(0).sample(rows, min(_I2P_LINES, len(rows)))
    named = [(row["prompt"], {name.strip() for name in row["categories"].split(",")}) for row in some]
    return [(text, {name: name in names for name in I2P}) for text, names in named]


def _worst(scores: Scores, categories: Sequence[Category]) -> Scores:
    worst: Scores = scores[:, [CATEGORIES.index(category) for category in categories]].max(axis=1)
    return worst


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).lower().split())
