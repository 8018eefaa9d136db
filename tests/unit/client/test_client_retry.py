"""When to try again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost_client import GatepostError, Overloaded, Unavailable
from gatepost_client._retry import RetryPolicy
from gatepost_client.errors import ERROR_FOR_STATUS

FOREVER = 1e9


def test_the_wait_doubles_and_is_capped() -> None:
    policy = RetryPolicy(retries=9, base=0.2, cap=1.0)
    waits = [policy.delay(Unavailable(""), attempts=attempts, left=FOREVER, dice=1.0) for attempts in range(1, 6)]
    assert waits == pytest.approx([0.2, 0.4, 0.8, 1.0, 1.0])


@given(attempts=st.integers(1, 2), dice=st.floats(0, 1), asked=st.floats(0, 60), left=st.floats(0, 60))
def test_a_wait_is_never_shorter_than_asked_for_nor_longer_than_what_is_left(
    attempts: int, dice: float, asked: float, left: float
) -> None:
    error = Overloaded("", retry_after=asked)
    wait = RetryPolicy().delay(error, attempts=attempts, left=left, dice=dice)
    if wait is not None:
        assert asked < wait < left
    else:
        assert left <= asked + 0.4


@pytest.mark.parametrize("kind", sorted(set(ERROR_FOR_STATUS.values()), key=str))
def test_only_overload_and_absence_are_worth_another_try(kind: type[GatepostError]) -> None:
    wait = RetryPolicy().delay(kind("", retry_after=0.1), attempts=1, left=FOREVER, dice=0.5)
    assert (wait is not None) == (kind in (Overloaded, Unavailable))


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_it_gives_up_after_the_last_retry(retries: int) -> None:
    policy = RetryPolicy(retries=retries)
    waits = [policy.delay(Unavailable(""), attempts=attempts, left=FOREVER, dice=0) for attempts in (1, 2, 3)]
    assert [wait is not None for wait in waits] == [attempts <= retries for attempts in (1, 2, 3)]
