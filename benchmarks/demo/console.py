"""`make console-demo`: the review console with the sample cards in its queue, until Ctrl-C.

Under a policy that leaves to people what the shipped one blocks by a score alone; cards that are blocked all the same
are appealed for. Everything is in out/console-demo, and made anew each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import signal
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import yaml
from rich.console import Console

from benchmarks import stack
from benchmarks.demo.card import Card, read_manifest
from benchmarks.targets import OUT
from gatepost_client import Client, Decision
from gatepost_server.console.passwords import hashed
from gatepost_server.records.accounts import Account, AccountRole
from gatepost_server.records.sql_accounts import SqlAccounts

FOLDER = OUT / "console-demo"
_APPEAL = {
    "en": "This was for my grandmother's birthday. Please look again.",
    "zh": "这是给奶奶的生日贺卡，请再看一看。",
}


def main() -> int:
    """Fill a console and serve it; the exit status."""
    console = Console()
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "policies").mkdir(parents=True)
    (FOLDER / "policies" / "greeting-card.yaml").write_text(left_to_people())
    password = secrets.token_urlsafe(12)
    asyncio.run(make_accounts(FOLDER / "record.db", password))
    try:
        with stack.running(environment=environment()) as gatepost:
            with Client(gatepost.address, timeout=60.0) as client:
                for card in read_manifest():
                    fill(client, card)
                    console.print(f"judged {card.file}")
            console.print(f"\nThe review console: [bold]{gatepost.console}[/]")
            console.print(
                f"Sign in as [bold]ana[/] (admin), [bold]rui[/] (reviewer) or [bold]vic[/] (viewer): {password}"
            )
            console.print("Ctrl-C ends it")
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()
    except stack.StackFailedError as error:
        console.print(str(error), style="red", markup=False)
        return 2
    return 0


def left_to_people() -> str:
    """The shipped policy for cards, in which no score blocks by itself."""
    policy = yaml.safe_load((files("gatepost_server.policy") / "policies" / "greeting-card.yaml").read_text("utf-8"))
    policy["thresholds"] = {category: {**each, "block": None} for category, each in policy["thresholds"].items()}
    return yaml.safe_dump(policy, allow_unicode=True)


async def make_accounts(record: Path, password: str) -> None:
    """One of each role, all with that password."""
    accounts = SqlAccounts.at(str(record))
    await accounts.open()
    try:
        kept = hashed(password)
        for name, role in zip(("vic", "rui", "ana"), AccountRole, strict=True):
            await accounts.add(Account(name, role, kept))
    finally:
        await accounts.close()


def environment() -> Mapping[str, str]:
    """Settings of the gateway, which the console shares."""
    return {
        "GATEPOST_GATEWAY_RECORD": str(FOLDER / "record.db"),
        "GATEPOST_GATEWAY_RECORD_IMAGES": str(FOLDER / "images"),
        "GATEPOST_GATEWAY_RECORD_KEEP_IMAGES": "all",
        "GATEPOST_GATEWAY_POLICIES": str(FOLDER / "policies"),
    }


def fill(client: Client, card: Card) -> None:
    """Ask for a card; where it is blocked, appeal."""
    verdict = client.gate(card.path, prompt=card.prompt, expected_text=card.expected_text, locale=card.locale)
    if verdict.decision is Decision.BLOCK:
        client.appeal(verdict.name, _APPEAL["zh" if card.locale.startswith("zh") else "en"])


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
