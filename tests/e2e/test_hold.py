"""A deadline that the real models cannot meet: HOLD in time, and the real verdict later, under the same name."""

from __future__ import annotations

import time

import pytest

from gatepost_client import Client, Decision


@pytest.mark.parametrize(("name", "decision"), [("new_year", Decision.ALLOW), ("couplets_cursed", Decision.BLOCK)])
def test_a_card_that_cannot_be_judged_in_time_is_held_and_then_judged(
    client: Client, card: dict[str, bytes], name: str, decision: Decision
) -> None:
    started = time.monotonic()
    held = client.gate(card[name], timeout=0.2)
    assert time.monotonic() - started < 1.0
    assert (held.decision, held.pending, held.error) == (Decision.HOLD, True, None)
    *_, final = client.watch_verdict(held.name, timeout=60)
    assert (final.name, final.decision, final.pending) == (held.name, decision, False)
    assert final.coverage.complete
    assert client.get_verdict(held.name) == final


def test_the_same_card_under_the_same_id_is_judged_once(client: Client, card: dict[str, bytes]) -> None:
    first, second = (client.moderate(card["fish"], request_id="fish-1", timeout=60) for _ in range(2))
    assert first == second
