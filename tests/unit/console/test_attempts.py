"""How often somebody may try to sign in."""

from __future__ import annotations

import asyncio

import pytest

from gatepost_server.console.attempts import Attempts
from gatepost_server.console.passwords import PasswordError, Passwords, hashed


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def fail(attempts: Attempts, name: str, address: str, times: int = 1) -> None:
    for _ in range(times):
        attempts.begun(name, address)


def test_five_failures_of_a_name_from_an_address_are_enough_for_a_quarter_of_an_hour():
    clock = Clock()
    attempts = Attempts(clock=clock)
    fail(attempts, "ana", "one", 4)
    assert attempts.may_try("ana", "one")
    fail(attempts, "ana", "one")
    assert not attempts.may_try("ana", "one")
    assert attempts.may_try("ana", "two")
    assert attempts.may_try("rui", "one")
    clock.now = 901.0
    assert attempts.may_try("ana", "one")


def test_an_address_that_tries_many_names_is_stopped_and_so_is_a_name_that_many_addresses_try():
    attempts = Attempts(clock=Clock())
    for number in range(30):
        fail(attempts, f"name-{number}", "one")
    assert not attempts.may_try("another", "one")
    for number in range(60):
        fail(attempts, "ana", f"address-{number}")
    assert not attempts.may_try("ana", "new")
    assert attempts.may_try("rui", "new")


def test_whoever_signs_in_begins_anew():
    attempts = Attempts(clock=Clock())
    fail(attempts, "ana", "one", 4)
    attempts.begun("ana", "one")
    attempts.succeeded("ana", "one")
    fail(attempts, "ana", "one", 4)
    assert attempts.may_try("ana", "one")


def test_passwords_are_checked_against_hashes_and_nobodys_matches_nothing():
    kept = hashed("correct horse battery")
    assert kept.startswith("$argon2id$")

    async def checked() -> list[bool]:
        passwords = Passwords()
        tries = (
            (kept, "correct horse battery"),
            (kept, "correct horse batterz"),
            ("", "correct horse battery"),
            ("x", ""),
        )
        return [await passwords.right(*each) for each in tries]

    assert asyncio.run(checked()) == [True, False, False, False]


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 1_025])
def test_a_password_is_neither_short_nor_endless(password):
    with pytest.raises(PasswordError):
        hashed(password)
