"""Stored cards, asked of a real gatepost whose model server is killed meanwhile: every card has its verdict."""

from __future__ import annotations

import asyncio

import psutil

from benchmarks.stack import Stack
from gatepost_server.domain.decision import Verdict
from gatepost_server.domain.labels import Decision
from gatepost_server.rescan.gateways import Gateways, Way
from gatepost_server.rescan.inputs import Input
from gatepost_server.rescan.rows import question_of, row_of

CARDS = ("new_year", "new_year_replaced", "curved_insult", "grandma", "couplets_cursed")


def tritonserver(stack: Stack) -> psutil.Process:
    (found,) = [each for each in stack.process.children(recursive=True) if each.name() == "tritonserver"]
    return found


async def test_every_card_has_its_verdict_though_triton_is_killed(stack: Stack, card: dict[str, bytes]) -> None:
    gateways = Gateways(Way([stack.address], in_flight=3, answer_s=90.0, patience_s=240.0))
    inputs = [Input(number, name, f"{name}.jpg", f"{name}.jpg") for number, name in enumerate(CARDS)]
    asked = [question_of(each, card[each.id], request_id=f"rescan/kill/{each.number}", policy="") for each in inputs]

    async def kill_triton_once_it_works() -> None:
        first = await gateways.judge(asked[0])
        assert isinstance(first, Verdict)
        tritonserver(stack).kill()

    try:
        _, *answers = await asyncio.gather(kill_triton_once_it_works(), *map(gateways.judge, asked[1:]))
        again = await gateways.judge(asked[0])
    finally:
        await gateways.close()
    rows = [row_of(each, None, answer) for each, answer in zip(inputs, [again, *answers], strict=True)]
    decisions = {row["id"]: row.get("decision") for row in rows}
    assert None not in decisions.values(), [row.get("error") for row in rows]
    assert decisions["new_year_replaced"] in (Decision.BLOCK, Decision.REVIEW)
    assert all(row["evidence"] and row["embedding"] for row in rows)
