"""Random evidence by seed, whole and broken, and results that hold it as a re-scan writes them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from gatepost_server.domain.decision import ModerationRequest, Turn, Verdict
from gatepost_server.domain.evidence import Evidence, Fused, Skipped
from gatepost_server.domain.labels import CATEGORIES, Category, StageName
from gatepost_server.policy.asked import with_quoted
from gatepost_server.policy.judge import judge
from gatepost_server.policy.load import Policy
from gatepost_server.rescan.inputs import Input
from gatepost_server.rescan.rows import Content, Row, row_of
from gatepost_server.rescan.schema import results_schema
from gatepost_server.text.lexicon import Lexicon
from tests.builders import evidence, line

SIGNS = "~ * ~"  # nothing that can be compared
TEXTS = (
    "新年快乐",
    "仕途顺遂",
    "今晚打老虎",
    "福",
    "2026年",
    "Happy Birthday",
    "to you, dear glass",
    "傻 逼",
    "草泥马",
    "you ass",
    "Made with CardMaker",
    "Счастливого пути",
    "万事如意",
    SIGNS,
)
PROMPTS = ("", "", "a card", "贺卡，写着“新年快乐”", 'a card that says "Happy Birthday"')
TURNS = (Turn("user", "make a card"), Turn("assistant", "here"), Turn("user", "this is wrong, again wrong!! useless"))
SIZE = 4  # of embeddings


def sample(seed: int) -> tuple[Evidence, ModerationRequest]:
    """One of them: most are whole, and some are broken in one or two ways."""
    rng = random.Random(seed)
    texts = rng.choices(TEXTS, k=rng.choice((0, 1, 1, 2, 2, 3, 4)))
    expected = tuple(rng.sample(TEXTS, rng.choice((0, 0, 1, 2))))
    lines = tuple(_line(rng, text, asked=bool(expected)) for text in texts)
    sources = ["image", "joined", "text+image", "none", *(f"line:{index}" for index in range(len(lines)))]
    scores = {category.value: _score(rng) for category in CATEGORIES if category is not Category.OFF_SCRIPT}
    if expected:
        scores["off_script"] = _score(rng)
    prompt = rng.choice(PROMPTS)
    seen = evidence(
        scores,
        sources={name: rng.choice(sources) for name in scores},
        lines=lines,
        image_scores={name: _score(rng) for name in rng.sample(sorted(scores), 3)},
        prompt_similarity=rng.uniform(-1, 1) if prompt else None,
        skipped={rng.choice(list(StageName)): [Skipped("line 1", "could not be read")]}
        if rng.random() < 0.06
        else None,
        without=[rng.choice(list(StageName))] if rng.random() < 0.03 else (),
    )
    seen = replace(
        seen,
        joined_scores={category: _score(rng) for category in CATEGORIES},
        image=replace(seen.image, width=rng.randint(16, 2_000), pdq_quality=rng.randint(0, 100)),
    )
    asked = ModerationRequest(
        "random",
        b"",
        prompt=prompt,
        expected_text=expected,
        locale=rng.choice(("en", "zh")),
        labels={"app": "cards"} if rng.random() < 0.3 else {},
        tenant=rng.choice(("default", "cards", "posters")),
        turns=TURNS if rng.random() < 0.05 else (),
        turn_count=rng.choice((3, 12)) if rng.random() < 0.05 else 0,
    )
    return (_broken(rng, seen) if rng.random() < 0.05 else seen), asked


def _line(rng: random.Random, text: str, *, asked: bool):
    scores = {category.value: _score(rng) for category in rng.sample(CATEGORIES, 3)}
    confidence = rng.choice((0.0, 0.3, 0.44, 0.45, 0.9, rng.random()))
    return line(text, expected=rng.random() if asked else None, confidence=confidence, **scores)


def _score(rng: random.Random) -> float:
    """Often next to nothing, and often just at a threshold."""
    return rng.choice((0.0, 0.0, rng.random() / 4, rng.random() / 4, 0.4, 0.45, 0.5, 0.8, rng.random()))


def _broken(rng: random.Random, seen: Evidence) -> Evidence:
    category = rng.choice(CATEGORIES)
    match rng.randrange(4):
        case 0:
            return replace(seen, fused={**seen.fused, category: Fused(float("nan"), "none")})
        case 1:
            return replace(seen, fused={key: each for key, each in seen.fused.items() if key is not category})
        case 2:
            return replace(seen, joined_scores={**seen.joined_scores, category: float("nan")})
    return replace(seen, reports=tuple(replace(each, models=()) for each in seen.reports))


def stored(
    number: int, seen: Evidence, asked: ModerationRequest, policy: Policy, lexicon: Lexicon | None = None
) -> Row:
    """The row that a re-scan under `policy` writes."""
    judged, judgement = judge(seen, with_quoted(asked, policy), policy, lexicon=lexicon)
    each = Input(
        number=number,
        id=f"card-{number}",
        uri=f"cards/{number}.png",
        file=f"cards/{number}.png",
        tenant=asked.tenant,
        prompt=asked.prompt,
        expected_text=asked.expected_text,
        locale=asked.locale,
        labels=asked.labels,
    )
    judged = replace(judged, embedding=(0.5,) * SIZE)
    verdict = Verdict("verdicts/1", "random", judgement, judged, created=1.7e9, timings_ms={})
    row = row_of(each, Content(judged.image.sha256, 3, str(number)), verdict)
    turns = [{"role": turn.role, "text": turn.text} for turn in asked.turns]
    return row | {"turns": turns, "turn_count": asked.turn_count}


def table_of(rows: Sequence[Row]) -> pa.Table:
    """Rows as results, with the conversation that a record would hold beside them."""
    turns = pa.list_(pa.struct([("role", pa.string()), ("text", pa.string())]))
    schema = results_schema(SIZE).append(pa.field("turns", turns)).append(pa.field("turn_count", pa.int32()))
    return pa.Table.from_pylist(list(rows), schema=schema)
