"""What every Accounts keeps. Inherit, and give it an `accounts` fixture with a `clock` that stands still at 1,000."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost_server.records.accounts import Account, AccountRole, Preferences, Theme

ANA = Account("ana", AccountRole.ADMIN, "$hash", preferences=Preferences(language="zh", theme=Theme.DARK, blur=False))
RUI = Account("rui", AccountRole.REVIEWER)


class AccountsContract:
    """As records.accounts.Accounts says."""

    async def test_an_account_comes_back_as_it_was_made(self, accounts):
        assert await accounts.add(ANA)
        assert await accounts.find("ana") == replace(ANA, created=1_000.0)
        assert await accounts.find("rui") is None

    async def test_a_name_is_somebodys_once(self, accounts):
        await accounts.add(ANA)
        assert not await accounts.add(replace(RUI, name="ana"))
        assert (await accounts.find("ana")).role is AccountRole.ADMIN

    async def test_everybody_comes_by_name(self, accounts):
        await accounts.add(RUI)
        await accounts.add(ANA)
        assert [account.name for account in await accounts.everybody()] == ["ana", "rui"]

    async def test_who_signed_in_is_known_by_their_session_until_they_sign_out(self, accounts):
        await accounts.add(RUI)
        await accounts.begin("rui", "a" * 64, until=2_000.0)
        assert (await accounts.whose("a" * 64, idle_s=100.0)).name == "rui"
        assert await accounts.whose("b" * 64, idle_s=100.0) is None
        await accounts.end("a" * 64)
        assert await accounts.whose("a" * 64, idle_s=100.0) is None

    async def test_a_session_ends_by_itself_and_sooner_where_nobody_does_anything(self, accounts, clock):
        await accounts.add(RUI)
        await accounts.begin("rui", "a" * 64, until=2_000.0)
        for clock.now in (1_090.0, 1_180.0):  # each step counts from the one before
            assert await accounts.whose("a" * 64, idle_s=100.0) is not None
        clock.now = 1_281.0
        assert await accounts.whose("a" * 64, idle_s=100.0) is None
        assert await accounts.whose("a" * 64, idle_s=10_000.0) is not None
        clock.now = 2_000.0
        assert await accounts.whose("a" * 64, idle_s=10_000.0) is None

    async def test_what_a_page_asks_for_by_itself_keeps_nobody_signed_in(self, accounts, clock):
        await accounts.add(RUI)
        await accounts.begin("rui", "a" * 64, until=2_000.0)
        clock.now = 1_090.0
        assert await accounts.whose("a" * 64, idle_s=100.0, step=False) is not None
        clock.now = 1_120.0
        assert await accounts.whose("a" * 64, idle_s=100.0, step=False) is None

    @pytest.mark.parametrize("changed", [{"password": "$other"}, {"role": AccountRole.VIEWER}, {"disabled": True}])
    async def test_sessions_do_not_outlive_what_they_were_begun_with(self, accounts, changed):
        for account in (ANA, RUI):
            await accounts.add(account)
            await accounts.begin(account.name, account.name[0] * 64, until=2_000.0)
        await accounts.change(replace(await accounts.find("ana"), **changed))
        assert await accounts.whose("a" * 64, idle_s=100.0) is None
        assert await accounts.whose("r" * 64, idle_s=100.0) is not None
        found = await accounts.find("ana")
        assert {name: getattr(found, name) for name in changed} == changed
        await accounts.change(ANA)  # as it was: what ended has ended
        assert await accounts.whose("a" * 64, idle_s=100.0) is None

    async def test_preferences_change_and_nobody_is_signed_out(self, accounts):
        await accounts.add(RUI)
        await accounts.begin("rui", "r" * 64, until=2_000.0)
        await accounts.change(replace(await accounts.find("rui"), preferences=Preferences(greyscale=False)))
        assert (await accounts.whose("r" * 64, idle_s=100.0)).preferences == Preferences(greyscale=False)
