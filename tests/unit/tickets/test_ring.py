"""What each key of a ring is for, as time goes by."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost_server.domain.ticket import LONGEST_TICKET_S
from gatepost_server.tickets.ring import Key, Ring, State

FIRST = Key("1" * 16, "x1", created=0, signs_from=0)
SECOND = Key("2" * 16, "x2", created=1_000, signs_from=1_600)
RING = Ring((FIRST, SECOND))


def states(ring: Ring, now: float) -> list[State]:
    return [ring.state(key, now) for key in ring.keys]


def test_a_new_key_is_published_before_it_signs_and_the_old_one_after():
    assert states(RING, 1_000) == [State.ACTIVE, State.NEXT]
    assert states(RING, 1_599) == [State.ACTIVE, State.NEXT]
    assert states(RING, 1_600) == [State.RETIRED, State.ACTIVE]
    assert states(RING, 1_600 + LONGEST_TICKET_S - 1) == [State.RETIRED, State.ACTIVE]
    assert states(RING, 1_600 + LONGEST_TICKET_S) == [State.SPENT, State.ACTIVE]


def test_a_revoked_key_is_gone_from_the_published_ones_at_once():
    ring = RING.without(FIRST.kid, 1_700)
    assert states(ring, 1_700) == [State.REVOKED, State.ACTIVE]
    assert [key["kid"] for key in json.loads(ring.jwks(1_700))["keys"]] == [SECOND.kid]


def test_revoking_the_next_key_leaves_the_active_one():
    ring = RING.without(SECOND.kid, 1_100)
    assert states(ring, 10**9) == [State.ACTIVE, State.REVOKED]


def test_revoking_twice_keeps_the_first_time():
    assert RING.without(FIRST.kid, 5).without(FIRST.kid, 9).keys[0].revoked == 5


def test_an_unknown_key_cannot_be_revoked():
    with pytest.raises(KeyError):
        RING.without("none", 0)


def test_the_next_key_can_be_hurried():
    assert states(RING.hurried(1_100), 1_100) == [State.RETIRED, State.ACTIVE]
    assert Ring((FIRST,)).hurried(5) == Ring((FIRST,))


def test_spent_keys_are_forgotten_when_a_new_one_comes():
    now = 1_600 + LONGEST_TICKET_S
    third = Key("3" * 16, "x3", created=now, signs_from=now + 600)
    assert RING.with_key(third, now).keys == (SECOND, third)
    revoked = RING.without(FIRST.kid, 10)
    assert revoked.with_key(third, now).keys == (SECOND, third)
    assert revoked.with_key(third, 2_000).keys[0].revoked == 10


def test_by_a_clock_that_was_set_back_an_older_key_signs():
    assert RING.active(-5) == FIRST
    assert Ring((SECOND,)).active(0) == SECOND


def test_an_empty_ring_signs_and_publishes_nothing():
    assert Ring().active(0) is None
    assert json.loads(Ring().jwks(0)) == {"keys": []}


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 10), st.none() | st.integers(0, 60)), max_size=6),
    st.integers(0, 100),
)
def test_at_any_moment_one_key_signs_and_it_is_published_and_not_revoked(facts, now):
    keys = tuple(
        Key(f"{at:016x}", f"x{at}", created, created + lead, None if revoked is None else revoked)
        for at, (created, lead, revoked) in enumerate(facts)
    )
    ring = Ring(keys)
    active = [key for key in keys if ring.state(key, now) is State.ACTIVE]
    assert len(active) == (1 if any(key.revoked is None for key in keys) else 0)
    assert set(active) <= set(ring.published(now))
    assert not [key for key in ring.published(now) if key.revoked is not None]
    assert all(replace(key, revoked=None) == key for key in active)
