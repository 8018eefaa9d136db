"""Trust comes from right answers alone, and goes with the first wrong one."""

from __future__ import annotations

import asyncio

import pytest

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.labels import Decision
from gatepost_server.moderate.canary import Canaries, Canary, CanaryLimits, Outcome

GOOD, BAD = Canary("good-en", b"kind", clean=True), Canary("bad-en", b"abuse", clean=False)
LOAD = GatepostError(ErrorCode.RESOURCE_EXHAUSTED, ErrorReason.OVERLOADED, "busy")
AWAY = GatepostError(ErrorCode.UNAVAILABLE, ErrorReason.MODEL_SERVER_UNAVAILABLE, "away")
BROKEN = GatepostError(ErrorCode.INTERNAL, ErrorReason.MODEL_OUTPUT_INVALID, "NaN")


class Models:
    """Answers as told: a decision, or an exception, by kind of card."""

    def __init__(self) -> None:
        self.say = {"good-en": Decision.ALLOW, "bad-en": Decision.BLOCK}
        self.asked = 0
        self.looked_whether_ready = 0
        self.up = True

    async def ask(self, card: Canary) -> Decision:
        self.asked += 1
        answer = self.say[card.kind]
        if isinstance(answer, BaseException):
            raise answer
        if answer is None:
            await asyncio.Event().wait()  # never
        return answer

    async def ready(self) -> bool:
        self.looked_whether_ready += 1
        return self.up


@pytest.fixture
def models():
    return Models()


@pytest.fixture
def answers():
    return []


@pytest.fixture
def canaries(models, answers):
    async def cards():
        return [GOOD, BAD]

    limits = CanaryLimits(interval_s=600.0, answer_s=0.05, missed_s=0.02, untrusted_s=0.01)
    return Canaries(cards, models.ask, limits, told=answers.append)


async def test_nothing_is_trusted_before_the_first_round(canaries):
    assert not canaries.trusted
    await canaries.round()
    assert canaries.trusted


@pytest.mark.parametrize("kept", [Decision.BLOCK, Decision.REVIEW, Decision.HOLD])
async def test_a_bad_card_must_only_not_be_allowed(canaries, models, kept):
    models.say["bad-en"] = kept
    await canaries.round()
    assert canaries.trusted


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("bad-en", Decision.ALLOW),
        ("good-en", Decision.REVIEW),
        ("good-en", Decision.BLOCK),
        ("good-en", Decision.HOLD),
        ("good-en", BROKEN),
        ("bad-en", BROKEN),
        ("bad-en", ZeroDivisionError()),
    ],
)
async def test_one_wrong_answer_ends_the_trust_and_a_right_round_restores_it(canaries, models, answers, kind, wrong):
    await canaries.round()
    right, models.say[kind] = models.say[kind], wrong
    await canaries.round()
    assert not canaries.trusted
    assert (answers[-1].kind, answers[-1].outcome) == (kind, Outcome.WRONG)
    models.say[kind] = right
    await canaries.round()
    assert canaries.trusted


@pytest.mark.parametrize("miss", [LOAD, AWAY, None])
async def test_what_is_refused_or_out_of_time_is_forgiven_twice_and_not_three_times(canaries, models, answers, miss):
    await canaries.round()
    models.say["good-en"] = miss
    for _ in range(2):
        await canaries.round()
        assert canaries.trusted
    await canaries.round()
    assert not canaries.trusted
    assert {answer.outcome for answer in answers if answer.kind == "good-en"} == {Outcome.RIGHT, Outcome.MISSED}


async def test_misses_that_are_not_in_a_row_are_forgiven(canaries, models):
    for _ in range(4):
        models.say["good-en"] = Decision.ALLOW
        await canaries.round()
        models.say["good-en"] = LOAD
        await canaries.round()
        await canaries.round()
        assert canaries.trusted


async def test_a_missed_card_does_not_excuse_a_wrong_one(canaries, models):
    await canaries.round()
    models.say = {"good-en": LOAD, "bad-en": Decision.ALLOW}
    await canaries.round()
    assert not canaries.trusted


async def test_a_missed_round_is_no_first_right_one(canaries, models):
    models.say["good-en"] = LOAD
    await canaries.round()
    assert not canaries.trusted


async def test_rounds_without_cards_are_missed_rounds(models):
    drawn = [[GOOD, BAD]]

    async def cards():
        return drawn.pop()

    canaries = Canaries(cards, models.ask, CanaryLimits(misses=2))
    await canaries.round()
    await canaries.round()
    assert canaries.trusted
    await canaries.round()
    assert not canaries.trusted


async def eventually(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


async def test_rounds_go_on_by_themselves_and_nothing_is_sent_to_models_that_are_not_ready(canaries, models):
    models.up = False
    running = asyncio.create_task(canaries.run(models.ready))
    await eventually(lambda: models.looked_whether_ready >= 3)
    assert models.asked == 0
    models.up = True
    await eventually(lambda: canaries.trusted)
    models.say["bad-en"] = Decision.ALLOW
    canaries.soon()  # the interval is ten minutes
    await eventually(lambda: not canaries.trusted)
    models.say["bad-en"] = Decision.BLOCK
    await eventually(lambda: canaries.trusted)
    running.cancel()


async def test_trust_ends_with_whoever_sends_the_canaries(canaries, models):
    await canaries.round()

    async def broken() -> bool:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await canaries.run(broken)
    assert not canaries.trusted


async def test_who_asks_to_hear_of_it_hears_each_time_that_trust_is_lost():
    decisions = iter([Decision.ALLOW, Decision.BLOCK, Decision.ALLOW, Decision.BLOCK])
    lost: list[bool] = []

    async def cards():
        return [Canary("good", b"card", clean=True)]

    async def ask(_: Canary) -> Decision:
        return next(decisions)

    canaries = Canaries(cards, ask, CanaryLimits(), lost=lambda: lost.append(canaries.trusted))
    for heard in (0, 1, 1, 2):
        await canaries.round()
        assert len(lost) == heard
    assert lost == [False, False]
