"""What every BankStore does. Inherit, and give it a `bank` fixture and one of the same database, `other`."""

from __future__ import annotations

import asyncio

import pytest

from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.domain.known_bad import KnownBad
from gatepost_server.domain.labels import Category


def example(name: str = "one", **changed) -> KnownBad:
    """An example with everything in it."""
    whole = {
        "expires": 2.0e9,
        "note": "a pun",
        "sha256": "ab" * 32,
        "pdq": "cd" * 32,
        "pdq_distance": 20,
        "embedding": (0.5, -0.5, 0.5, 0.5),
        "embedding_model": "clip 1",
        "cosine": 0.9,
        "text": "草泥马",
        "text_similarity": 0.8,
    }
    return KnownBad(name, Category.INSULT, 1.0e9, "wang", **(whole | changed))


class BankContract:
    """As records.bank.BankStore says."""

    async def test_what_was_added_is_there_for_every_gateway_as_it_was_added(self, bank, other):
        await bank.add(example())
        await bank.add(KnownBad("two", Category.HATE, 2.0e9, "li", text="bare"))
        _, entries = await other.entries()
        assert list(entries) == [example(), KnownBad("two", Category.HATE, 2.0e9, "li", text="bare")]

    async def test_every_change_is_another_version(self, bank, other):
        versions = [await other.version()]
        await bank.add(example())
        versions.append(await other.version())
        await bank.add(example("two"))
        versions.append(await other.version())
        assert await bank.remove("one", "li")
        versions.append(await other.version())
        assert len(set(versions)) == 4
        assert (await other.entries())[0] == versions[-1]

    async def test_what_was_removed_holds_no_more_and_who_did_what_stays(self, bank, other):
        await bank.add(example())
        assert await other.remove("one", "li")
        assert not await other.remove("one", "li")
        assert not await other.remove("never", "li")
        assert (await bank.entries())[1] == []
        assert [(change.actor, change.what, change.entry) for change in await bank.changes()] == [
            ("wang", "added", "one"),
            ("li", "removed", "one"),
        ]

    async def test_an_id_is_never_used_twice(self, bank):
        await bank.add(example())
        await bank.remove("one", "li")
        with pytest.raises(GatepostError) as caught:
            await bank.add(example(text="other"))
        assert caught.value.reason is ErrorReason.FIELD_INVALID
        assert (await bank.entries())[1] == []

    async def test_gateways_that_add_at_the_same_time_lose_nothing(self, bank, other):
        await bank.version()
        await other.version()
        async with asyncio.timeout(60.0):
            await asyncio.gather(*((bank, other)[place % 2].add(example(f"e{place}")) for place in range(20)))
        _, entries = await bank.entries()
        assert len(entries) == len(await other.changes()) == 20
