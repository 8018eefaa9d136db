"""gatepostd console as a process, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from gatepost_server.console.passwords import hashed
from gatepost_server.records.accounts import Account, AccountRole
from gatepost_server.records.sql_accounts import SqlAccounts
from tests.console_site import PASSWORD, csrf

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@contextlib.contextmanager
def console(folder: Path, listen: str = "127.0.0.1:0") -> Iterator[tuple[subprocess.Popen, Path]]:
    """The process and its ready file."""
    ready = folder / "ready.json"
    config = folder / "gatepost.toml"
    config.write_text(f'[console]\nlisten = "{listen}"\n[gateway]\ndefault_policy = "strict"\n')
    command = [sys.executable, "-m", "gatepost_server.cli", "console"]
    options = ["--state", str(folder / "state"), "--config", str(config), "--ready-file", str(ready)]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process, ready
    finally:
        process.kill()
        process.communicate(timeout=60)


def address(process: subprocess.Popen, ready: Path) -> str:
    deadline = time.monotonic() + 150
    while not ready.exists():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return json.loads(ready.read_text())["console"]


async def add(folder: Path, account: Account) -> None:
    accounts = SqlAccounts.at(str(folder / "state" / "record.db"))
    try:
        await accounts.add(account)
    finally:
        await accounts.close()


def test_it_tells_how_to_make_the_first_account_lets_it_in_and_ends_when_told(tmp_path):
    with console(tmp_path) as (process, ready):
        base = address(process, ready)
        with httpx2.Client(base_url=base, timeout=60, headers={"accept-language": "en"}) as browser:
            assert "gatepostd console user add" in browser.get("/sign-in").text
            asyncio.run(add(tmp_path, Account("ana", AccountRole.ADMIN, hashed(PASSWORD))))
            page = browser.get("/sign-in").text
            assert "gatepostd console user add" not in page
            signed_in = browser.post("/sign-in", data={"csrf": csrf(page), "name": "ana", "password": PASSWORD})
            assert signed_in.status_code == 303
            assert "Nothing waits" in browser.get("/queue").text
            assert browser.get("/static/htmx.min.js").headers["cache-control"] == "no-cache"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_an_address_in_use_is_said_in_a_line(tmp_path):
    (tmp_path / "other").mkdir()
    with console(tmp_path) as (first, ready):
        taken = address(first, ready).removeprefix("http://")
        with console(tmp_path / "other", taken) as (second, _):
            said, _ = second.communicate(timeout=150)
    assert second.returncode == 1
    assert f"the console cannot listen on {taken}" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("wrong", ["0.0.0.0:0", "nonsense"])
def test_settings_that_make_no_sense_are_said_in_a_line(tmp_path, wrong):
    with console(tmp_path, wrong) as (process, _):
        said, _ = process.communicate(timeout=150)
    assert process.returncode == 1
    assert "public_url" in said
    assert "Traceback" not in said
