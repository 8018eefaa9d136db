"""Measure the text model on COLD dev, English sets, kind greetings and evasions; writes out/evaluate/text.json.

    python -m benchmarks.evaluate_text --data DATA

DATA is the folder that training/text/README.md describes. Nothing here is trained on.
"""

from __future__ import annotations

import argparse
import csv
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from benchmarks.targets import Target, at_least, at_most, show, write
from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.stages.base import Arrays, StageResult, text_array
from gatepost_server.stages.text_toxicity import TextToxicity
from gatepost_server.stages.text_toxicity.encoder import Encoder
from gatepost_server.stages.text_toxicity.judge import Judge
from gatepost_server.text.classifier import read_model
from gatepost_server.text.combination import read_combination
from gatepost_server.text.lexicon import Strength, read_lexicon
from gatepost_server.text.normalize import normalize
from gatepost_server.text.scorer import TextScorer
from training.text import compose, data, perturb

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "model_repository/text_toxicity/1"
CORPORA = ROOT / "benchmarks/corpora/dev"
COMMAND = "python -m benchmarks.evaluate_text --data DATA"

INSULT, HATE = CATEGORIES.index(Category.INSULT), CATEGORIES.index(Category.HATE)


class Bench:
    """The shipped model and the ways in which it is asked."""

    def __init__(self, folder: Path, model: Path = MODEL) -> None:
        self.folder, self.directory = folder, model
        self.lexicon = read_lexicon(model / "lexicons")
        self.model = read_model(model / "weights.npz")
        self.encoder = Encoder(model)
        self.scorer = TextScorer(self.lexicon, self.model, read_combination(model / "combination.json"))
        self.judge = Judge(self.scorer, self.encoder)

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Probabilities (n, C) of raw lines, each alone."""
        return self.judge.lines(texts, [1.0] * len(texts)).scores

    def toxic(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The worse of insult and hate, (n,): what the comment sets call toxic."""
        return self.scores(texts)[:, [INSULT, HATE]].max(axis=1)

    def model_only(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As `toxic`, without the lexicon's floor, so that AUC is the models' own."""
        readings = [self.scorer.read(normalize(text)) for text in texts]
        logits = self.encoder([reading.text for reading in readings])
        rows = [
            self.scorer.combination.probabilities(reading.text, reading.matches, row, reading.margins)
            for reading, row in zip(readings, logits, strict=True)
        ]
        return np.stack(rows)[:, [INSULT, HATE]].max(axis=1)


def rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def labelled(path: Path) -> tuple[list[str], NDArray[np.int64]]:
    found = [(row["text"], int(float(row["label"]))) for row in rows(path)]
    return [text for text, _ in found], np.array([label for _, label in found])


def binary(labels: NDArray[np.int64], scores: NDArray[np.float32]) -> dict[str, float]:
    """Accuracy and macro-F1 at 0.5 and at the threshold that is best for this set, and AUC, in percent."""
    best = max(np.linspace(0.02, 0.98, 49), key=lambda t: f1_score(labels, scores >= t, average="macro"))
    return {
        "lines": len(labels),
        "accuracy": 100 * float(accuracy_score(labels, scores >= 0.5)),
        "macro_f1": 100 * float(f1_score(labels, scores >= 0.5, average="macro")),
        "auc": 100 * float(roc_auc_score(labels, scores)),
        "best_threshold": float(best),
        "best_accuracy": 100 * float(accuracy_score(labels, scores >= best)),
        "best_macro_f1": 100 * float(f1_score(labels, scores >= best, average="macro")),
    }


def comment_sets(bench: Bench) -> dict[str, Any]:
    """COLD dev is offensive or not (the worse of insult and hate); the other sets are hateful or not."""
    results = {"cold_dev": _cold(bench)}
    for name, path in {
        "edos_dev": "edos/dev.csv",
        "hatemoji_validation": "hatemoji/validation.csv",
        "hatecheck_en": "hatecheck_en/all.csv",
    }.items():
        texts, labels = labelled(bench.folder / path)
        results[name] = binary(labels, bench.scores(texts)[:, HATE])
    return results


def _cold(bench: Bench) -> dict[str, Any]:
    """Beside a plain TF-IDF (character 1-3 grams, logistic regression) on the same split.

    COLD's dev split is much easier than its test split, so these figures say nothing beside published ones;
    the baseline does. Dev lines that also stand in the train split are left out.
    """
    train = data.read_cold(bench.folder)
    known = {normalize(text) for text, _ in train}
    texts, labels = labelled(bench.folder / "cold/dev.csv")
    new = [row for row, text in enumerate(texts) if normalize(text) not in known]
    texts, labels = [texts[row] for row in new], labels[new]
    tfidf = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True)
    plain = LogisticRegression(C=4, solver="liblinear").fit(
        tfidf.fit_transform([text for text, _ in train]), [label for _, label in train]
    )
    baseline = plain.predict_proba(tfidf.transform(texts))[:, 1]
    return binary(labels, bench.toxic(texts)) | {
        "model_auc": 100 * float(roc_auc_score(labels, bench.model_only(texts))),
        "plain_tfidf": binary(labels, baseline),
    }


def kind_lines(bench: Bench) -> dict[str, Any]:
    """Greetings flagged at 0.5 in any category, with the offenders: for finding faults, not for training."""
    results: dict[str, Any] = {}
    for name in ("benign_zh", "benign_en"):
        content = (bench.folder / f"{name}.txt").read_text(encoding="utf-8")
        texts = [line for line in content.splitlines() if line.strip()]
        worst = bench.scores(texts)
        flagged = [
            {"text": text, "category": CATEGORIES[int(row.argmax())], "score": round(float(row.max()), 2)}
            for text, row in zip(texts, worst, strict=True)
            if row.max() >= 0.5
        ]
        results[name] = {"lines": len(texts), "flagged_percent": 100 * len(flagged) / len(texts), "flagged": flagged}
    return results


def composed(bench: Bench) -> dict[str, Any]:
    """Held-out composed lines: false alarms on kind ones, recall by category at 0.5 and 0.8."""
    rng = random.Random(23)
    kind = bench.scores([example.text for example in compose.kind_examples(rng, 1_500, held=True)])
    results: dict[str, Any] = {
        "kind_flagged_percent": 100 * float((kind.max(axis=1) >= 0.5).mean()),
        "kind_flagged_percent_by_category": {
            str(category): round(100 * float((kind[:, CATEGORIES.index(category)] >= 0.5).mean()), 2)
            for category in data.LEARNED
        },
    }
    for category in data.LEARNED:
        texts = [e.text for e in compose.unkind_examples(rng, 300, held=True) if e.source == f"unkind_{category}"]
        scores = bench.scores(texts)
        own, any_category = scores[:, CATEGORIES.index(category)], scores.max(axis=1)
        results[str(category)] = {
            "recall": 100 * float((own >= 0.5).mean()),
            "recall_at_0.8": 100 * float((own >= 0.8).mean()),
            "recall_any_category": 100 * float((any_category >= 0.5).mean()),
        }
    return results


def cards(bench: Bench) -> dict[str, Any]:
    """Kind cards of three to eight lines through the whole stage: how often a line or the joined text is flagged."""
    stage = TextToxicity({"directory": str(bench.directory)})
    flagged_line = flagged_joined = count = 0
    spent: list[float] = []
    for texts in compose.cards(random.Random(5), 600, held=True):
        item = card(texts)
        started = time.process_time()
        [result] = stage.run([item])
        spent.append(time.process_time() - started)
        assert isinstance(result, StageResult)
        line = bool(result.arrays["LINE_SCORES"].max() >= 0.5)
        joined = bool(result.arrays["JOINED_SCORES"].max() >= 0.5)
        flagged_line, flagged_joined, count = flagged_line + line, flagged_joined + (joined and not line), count + 1
    return {
        "cards": count,
        "a_line_flagged_percent": 100 * flagged_line / count,
        "only_joined_flagged_percent": 100 * flagged_joined / count,
        "stage_ms_a_card": {"median": 1e3 * float(np.median(spent)), "p95": 1e3 * float(np.quantile(spent, 0.95))},
    }


def card(texts: Sequence[str]) -> Arrays:
    """The stage's tensors for lines that stand below one another."""
    corners = [[(0.1, y), (0.9, y), (0.9, y + 0.08), (0.1, y + 0.08)] for y in np.arange(len(texts)) / 10]
    return {
        "TEXTS": text_array(texts),
        "TEXT_CONFIDENCES": np.full(len(texts), 0.97, np.float32),
        "POLYGON_POINTS": np.array(corners, np.float32).reshape(-1, 2),
        "POLYGON_SIZES": np.full(len(texts), 4, np.int32),
        "LINE_VIEWS": np.zeros(len(texts), np.int32),
        "EXPECTED": text_array([]),
    }


def corpora(bench: Bench) -> dict[str, Any]:
    """Cards of benchmarks/corpora/dev as text alone, not drawn: held (0.5) and blocked (0.8) by language."""
    stage = TextToxicity({"directory": str(bench.directory)})
    results: dict[str, Any] = {}
    for path in sorted(CORPORA.glob("*.yaml")):
        worst: dict[str, list[float]] = {}
        for row in yaml.safe_load(path.read_text(encoding="utf-8")):
            [result] = stage.run([card(row["lines"])])
            assert isinstance(result, StageResult)
            scores = max(result.arrays["LINE_SCORES"].max(), result.arrays["JOINED_SCORES"].max())
            worst.setdefault(row["language"], []).append(float(scores))
        results[path.stem] = {
            language: {
                "cards": len(scores),
                "held_percent": round(100 * float(np.mean(np.array(scores) >= 0.5)), 1),
                "blocked_percent": round(100 * float(np.mean(np.array(scores) >= 0.8)), 1),
            }
            for language, scores in sorted(worst.items())
        }
    return results


def evasion(bench: Bench) -> dict[str, Any]:
    """Recall at 0.5 on toxic dev lines whose listed words are disguised, by attack."""
    rng = random.Random(0)
    table = perturb.homophones(text for text, _ in data.read_cold(bench.folder))
    results: dict[str, Any] = {}
    for language, path in (("zh", "cold/dev.csv"), ("en", "edos/dev.csv")):
        texts, labels = labelled(bench.folder / path)
        toxic = [text.lower() for text, label in zip(texts, labels, strict=True) if label]
        lines = [(text, spans) for text in toxic if (spans := _spans(bench, text, language))]
        attacks = perturb.chinese_attacks(table) if language == "zh" else perturb.english_attacks()
        recalls = {"none": _recall(bench, [text for text, _ in lines])}
        for name, attack in attacks.items():
            recalls[name] = _recall(bench, [perturb.apply(rng, text, spans, attack) for text, spans in lines])
        recalls["ocr_noise"] = _recall(bench, [perturb.misread(rng, text) for text, _ in lines])
        results[language] = {"lines": len(lines), **recalls}
    return results | {"strong_words": _disguised_words(bench, rng, table)}


def _spans(bench: Bench, text: str, language: str) -> list[tuple[int, int]]:
    """Places of listed words of the language, apart from one another."""
    spans: list[tuple[int, int]] = []
    for match in bench.lexicon.find(normalize(text)):
        term = match.entry.term
        start = text.find(term)
        if len(term) >= 2 and start >= 0 and term.isascii() == (language == "en"):
            span = (start, start + len(term))
            if all(span[1] <= a or b <= span[0] for a, b in spans):
                spans.append(span)
    return sorted(spans)


def _disguised_words(bench: Bench, rng: random.Random, table: perturb.Homophones) -> dict[str, float]:
    """Recall at 0.5 in any category on our own strong insults alone, disguised."""
    own = [
        entry.term
        for entry in bench.lexicon.entries
        if (entry.source, entry.strength, entry.category) == ("gatepost", Strength.STRONG, Category.INSULT)
    ]
    results = {}
    for language, attacks in (("zh", perturb.chinese_attacks(table)), ("en", perturb.english_attacks())):
        if language == "en":
            words = [word for word in own if word.isascii() and word.isalpha() and len(word) >= 4]
        else:
            words = [word for word in own if not any(character.isascii() for character in word)]
        for name, attack in attacks.items():
            results[f"{language}_{name}"] = _recall(bench, [attack(rng, word) for word in words], any_category=True)
    return results


def _recall(bench: Bench, texts: Sequence[str], *, any_category: bool = False) -> float:
    scores = bench.scores(texts).max(axis=1) if any_category else bench.toxic(texts)
    return round(100 * float((scores >= 0.5).mean()), 1)


def speed(bench: Bench) -> dict[str, float]:
    """Microseconds of CPU time a line that was not seen before, one at a time; ms a card of four lines."""
    rng = random.Random(3)
    lines = [example.text for example in compose.kind_examples(rng, 400, held=True)][:400]
    comments = labelled(bench.folder / "cold/dev.csv")[0][:400]
    results = {}
    judge = Judge(bench.scorer, Encoder(bench.directory))  # one that remembers no text
    for name, texts in (("card_line_us", lines), ("comment_us", comments)):
        fresh = list(dict.fromkeys(texts))
        judge.lines(fresh[:1], [1.0])
        started = time.process_time()
        for text in fresh:
            judge.lines([text], [1.0])
        results[name] = round((time.process_time() - started) / len(fresh) * 1e6, 1)
    stage = TextToxicity({"directory": str(bench.directory)})
    items = [card(rng.sample(lines, 4)) for _ in range(80)]
    stage.run(items[:20])
    started = time.process_time()
    stage.run(items[20:])
    results["card_of_four_lines_ms"] = round((time.process_time() - started) / 60 * 1e3, 2)
    return results


def held_against(results: dict[str, Any]) -> list[Target]:
    """The figures that have targets."""
    cold, kind, zh = results["comments"]["cold_dev"], results["kind"], results["evasion"]["zh"]
    size = sum(path.stat().st_size for path in MODEL.rglob("*") if path.is_file()) / 2**20
    joined = results["cards"]["only_joined_flagged_percent"]
    return [
        at_most("COLD dev AUC below a plain TF-IDF's", cold["plain_tfidf"]["auc"] - cold["model_auc"], 1, "%", COMMAND),
        at_most("kind Chinese greetings flagged", kind["benign_zh"]["flagged_percent"], 2, "%", COMMAND),
        at_most("kind English greetings flagged", kind["benign_en"]["flagged_percent"], 5, "%", COMMAND),
        at_most("held-out kind lines flagged", results["composed"]["kind_flagged_percent"], 2, "%", COMMAND),
        at_most("kind cards flagged only when read together", joined, 2, "%", COMMAND),
        at_least("recall under homophones", zh["homophone"], 70, "%", COMMAND),
        at_least("recall under pinyin", zh["pinyin"], 70, "%", COMMAND),
        at_most("recall lost to zero-width characters", zh["none"] - zh["zero_width"], 1, "%", COMMAND),
        at_least("COLD dev accuracy", cold["accuracy"], 82, "%", COMMAND),
        at_least("COLD dev macro-F1", cold["macro_f1"], 81.5, "%", COMMAND),
        at_most("time of a card line", results["speed"]["card_line_us"], 6_000, "us", COMMAND),
        at_most(
            "time of the stage for a card of four lines", results["speed"]["card_of_four_lines_ms"], 33, "ms", COMMAND
        ),
        at_most("size of the text model's files", size, 30, "MiB", COMMAND),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=ROOT / "out/evaluate/text.json")
    parser.add_argument("--model", type=Path, default=MODEL)
    options = parser.parse_args()
    bench = Bench(options.data, options.model)
    results: dict[str, Any] = {
        "model": bench.model.version,
        "lexicons": bench.lexicon.version,
        "comments": comment_sets(bench),
        "kind": kind_lines(bench),
        "composed": composed(bench),
        "cards": cards(bench),
        "corpora_dev": corpora(bench),
        "evasion": evasion(bench),
        "speed": speed(bench),
    }
    figures = held_against(results)
    write(options.out, figures, **results)
    show(figures, "text")


if __name__ == "__main__":
    main()
