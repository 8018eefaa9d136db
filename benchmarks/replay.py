"""How many stored rows a second `gatepostd replay` judges: results on disk, read, judged and compared."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import yaml

from benchmarks.targets import OUT, Target, at_least, reported, show, write
from gatepost_server.domain.decision import ModerationRequest, Verdict
from gatepost_server.domain.evidence import (
    Evidence,
    Fused,
    ImageFacts,
    ImageFinding,
    ModelVersion,
    StageReport,
    TextLine,
    View,
)
from gatepost_server.domain.labels import CATEGORIES, Category, StageName
from gatepost_server.policy.book import open_book
from gatepost_server.policy.comparison import Comparison
from gatepost_server.policy.judge import judge
from gatepost_server.policy.load import Policy, parse_policy
from gatepost_server.rescan.inputs import Input
from gatepost_server.rescan.job import Asked, Destination, Job
from gatepost_server.rescan.replay.compare import compare
from gatepost_server.rescan.replay.exact import COLUMNS, judge_row
from gatepost_server.rescan.replay.many import Judge
from gatepost_server.rescan.replay.results import open_results
from gatepost_server.rescan.rows import Content, row_of
from gatepost_server.rescan.schema import results_schema
from gatepost_server.rescan.sink import write_shard
from gatepost_server.rescan.stores.base import address

COMMAND = "make bench-replay"
DISTINCT, SHARD, SHARDS = 4_096, 512, 400  # gatepostd's own size of a shard; cards repeat, their numbers do not
PROMPT = "一张贺卡，写着“新年快乐”"
WISHES = ("新年快乐", "仕途顺遂", "万事如意", "Happy Birthday", "with love from all of us", "恭喜发财", "阖家幸福")
OTHERS = ("今晚打老虎", "buy now 13800138000", "you fool", "祝你早日康复", "closing down sale")
EMBEDDING = 512
_ROUNDS = 3


def card(rng: random.Random) -> tuple[Evidence, ModerationRequest]:
    """A card as most are: two lines, low scores; one in ten with something to say against it."""
    texts = rng.sample(WISHES, 2) + ([rng.choice(OTHERS)] if rng.random() < 0.1 else [])
    scores = {category: rng.random() ** 4 / 2 for category in CATEGORIES if category is not Category.OFF_SCRIPT}
    if rng.random() < 0.1:
        scores[rng.choice(list(scores))] = rng.uniform(0.4, 1.0)
    scores[Category.OFF_SCRIPT] = 0.0
    lines = tuple(_line(rng, text, place, scores) for place, text in enumerate(texts))
    looked = {"frames": 1, "views": 1, "tiles": 14, "lines": len(lines)}
    evidence = Evidence(
        image=ImageFacts("ab" * 32, "cd" * 32, 90, 1_024, 1_024, "PNG", 1, (View(0),)),
        lines=lines,
        joined_text=" ".join(texts),
        joined_scores={category: score / 2 for category, score in scores.items()},
        image_findings={category: ImageFinding(score / 3, (0, 0, 1_024, 1_024)) for category, score in scores.items()},
        prompt_similarity=rng.uniform(0.1, 0.4),
        embedding=(EMBEDDING**-0.5,) * EMBEDDING,
        fused={category: Fused(score, "line:0") for category, score in scores.items()},
        reports=tuple(StageReport(stage, 1.0, 1.02, (ModelVersion(stage, "1"),), looked) for stage in StageName),
    )
    asked = tuple(texts[:2]) if rng.random() < 0.5 else ()
    return evidence, ModerationRequest("bench", b"", prompt=PROMPT, expected_text=asked, tenant=rng.choice("abc"))


def _line(rng: random.Random, text: str, place: int, scores: dict[Category, float]) -> TextLine:
    top, right = 40.0 + 120 * place, 60.0 + 40 * len(text)
    polygon = ((60.0, top), (right, top), (right, top + 60), (60.0, top + 60))
    return TextLine(polygon, 0, text, text.casefold(), "zh", rng.uniform(0.9, 1.0), scores, None)


def results(folder: Path, policy: Policy) -> None:
    """A DEST of DISTINCT cards over and over, judged under `policy`."""
    rng = random.Random(7)
    rows = []
    for number in range(DISTINCT):
        seen, asked = card(rng)
        judged, judgement = judge(seen, asked, policy)
        verdict = Verdict(f"verdicts/{number}", "bench", judgement, judged, 1.7e9, {"total": 100.0})
        name = f"cards/{number}.png"
        each = Input(number, name, name, name, tenant=asked.tenant, prompt=PROMPT, expected_text=asked.expected_text)
        rows.append(row_of(each, Content(judged.image.sha256, 200_000, f"{number}"), verdict))
    table = pa.Table.from_pylist(rows, results_schema(EMBEDDING))
    destination = Destination(address(str(folder)))
    for shard in range(SHARDS):
        part = table.slice(shard * SHARD % DISTINCT, SHARD)
        numbers = pa.array(range(shard * SHARD, (shard + 1) * SHARD), pa.int64())
        write_shard(destination, shard, part.set_column(0, part.schema.field(0), numbers))
    destination.begin(Job(Asked("bench"), SHARD * SHARDS, SHARD, EMBEDDING))


def changed(policy: Policy, **sections: object) -> Policy:
    """The policy with some sections of its document replaced."""
    content = policy.document.model_dump(mode="json") | sections
    return parse_policy(yaml.safe_dump(content, allow_unicode=True).encode(), source="bench.yaml")


def timed(run: Callable[[], Comparison]) -> tuple[float, float, Comparison]:
    """(rows a second, rows a second of processor, what was found) of the best of a few rounds."""
    best: tuple[float, float, Comparison] | None = None
    for _ in range(_ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        found = run()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        if best is None or found.rows / cpu > best[1]:
            best = (found.rows / wall, found.rows / cpu, found)
    assert best is not None
    return best


def main() -> None:
    """Write out/bench/replay.json."""
    card_policy = open_book().get("greeting-card")
    lower = {name: {"review": 0.4, "block": 0.7} for name in ("insult", "hate", "threat", "sexual", "violence")}
    thresholds = card_policy.document.model_dump(mode="json")["thresholds"] | lower
    listed = [{"id": f"entry-{place}", "text": text} for place, text in enumerate((*OTHERS, "草泥马"))]
    matches = {"name": "matches", "expression": "joined_text.matches('s[a4]le')", "decision": "REVIEW"}
    tried = {
        "thresholds": changed(card_policy, thresholds=thresholds),
        "a block list": changed(card_policy, block_list=listed),
        "decoration": changed(card_policy, asked_text={"decorative": {"dates": False}}),
        "a regular expression, one by one": changed(card_policy, rules=[matches]),
    }
    targets: list[Target] = []
    figures = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results(folder, card_policy)
        opened = open_results(address(name))
        for what, policy in tried.items():
            few = replace(opened, files=opened.files[:10]) if "one by one" in what else opened
            per_s, per_cpu_s, found = timed(lambda few=few, policy=policy: compare(few, Judge(policy)))
            make = reported if "one by one" in what else at_least
            more = () if "one by one" in what else (100_000,)
            targets.append(make(f"replay, {what}", per_s, *more, "rows/s", COMMAND))
            targets.append(reported(f"replay, {what}, a second of processor", per_cpu_s, "rows/s", COMMAND))
            figures[what] = {"rows": found.rows, "flips": found.flips.total(), "one_by_one": found.one_by_one}
        rows = [
            row for batch in replace(opened, files=opened.files[:2]).batches(COLUMNS) for row in batch.rows.to_pylist()
        ]
        begun = time.process_time()
        for row in rows:
            judge_row(row, card_policy)
        alone = len(rows) / (time.process_time() - begun)
        targets.append(reported("the exact function alone, a second of processor", alone, "rows/s", COMMAND))
    show(targets, "replay")
    write(OUT / "bench" / "replay.json", targets, shards=SHARDS, shard_rows=SHARD, replays=figures)


if __name__ == "__main__":
    main()
