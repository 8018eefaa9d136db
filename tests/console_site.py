"""A review console over a real SQLite record, for tests."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from pydantic import SecretStr
from starlette.responses import Response
from starlette.testclient import TestClient

from gatepost_server.console.app import application
from gatepost_server.console.opening import opened
from gatepost_server.console.parts import Parts
from gatepost_server.console.passwords import hashed
from gatepost_server.console.settings import ConsoleSettings
from gatepost_server.domain.asked import AskedSpan, AskedText, SpanKind
from gatepost_server.domain.decision import Reason, ReasonCode, Turn, Verdict
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.records.accounts import Account, AccountRole
from gatepost_server.records.entry import entry_of
from gatepost_server.records.images import ImageStore
from gatepost_server.records.sealing import Sealer
from gatepost_server.tickets.folder import KeyFolder
from tests.builders import evidence, line, request
from tests.unit.records.backlog_contract import allowed

PASSWORD = "correct horse battery"
PICTURE = b"\x89PNG\r\n\x1a\nnot really a picture"
DIGEST = hashlib.sha256(PICTURE).hexdigest()
KEYS = f"k1:{base64.b64encode(bytes(32)).decode()}"
ROLES = {"vic": AccountRole.VIEWER, "rui": AccountRole.REVIEWER, "sam": AccountRole.REVIEWER, "ana": AccountRole.ADMIN}

_CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


@cache
def _password() -> str:
    return hashed(PASSWORD)


class Site:
    """The console, and the ways of tests into what lies behind it."""

    def __init__(self, parts: Parts, folder: Path) -> None:
        self.parts = parts
        self.app = application(parts)
        self._folder = folder

    def visitor(self, **headers: str) -> TestClient:
        """A browser that nobody is signed in with. Redirects are not followed."""
        return TestClient(self.app, base_url="http://127.0.0.1", follow_redirects=False, headers=headers)

    def browser(self, name: str, **headers: str) -> TestClient:
        """One that somebody of ROLES is signed in with, without the time that a password takes."""
        browser, answer = self.visitor(**headers), Response()
        account = asyncio.run(self.parts.accounts.find(name))
        asyncio.run(self.parts.sessions.sign_in(answer, account))
        name, _, token = answer.headers["set-cookie"].partition(";")[0].partition("=")
        browser.cookies.set(name, token)
        return browser

    def sign_in(self, browser: TestClient, name: str, password: str = PASSWORD, **more: str):
        """As the form does it."""
        fields = {"csrf": csrf(browser.get("/sign-in").text), "name": name, "password": password}
        return browser.post("/sign-in", data=fields | more)

    def post(self, browser: TestClient, path: str, **fields: str):
        """A form of one of the console's own pages."""
        return browser.post(path, data={"csrf": csrf(browser.get("/you").text), **fields})

    def keep(self, decision: Decision = Decision.REVIEW, *, tenant: str = "cards", score: float = 0.7, **more) -> str:
        """A verdict of the record, with its picture; its id."""
        return asyncio.run(_kept(self, decision, tenant, score, **more))

    def acts(self, item: str):
        """What people did with a verdict."""
        return asyncio.run(self.parts.record.find(f"verdicts/{item}")).acts

    def standing(self, item: str):
        """What stands after that."""
        return asyncio.run(self.parts.record.find(f"verdicts/{item}")).standing

    def appeal(self, item: str, text: str) -> None:
        """Of the person who asked for the picture."""
        asyncio.run(self.parts.review.appeal(f"verdicts/{item}", text))


def csrf(page: str) -> str:
    """The token of the page's first form."""
    found = _CSRF.search(page)
    assert found is not None, page
    return found[1]


@contextlib.contextmanager
def site_in(folder: Path, **settings) -> Iterator[Site]:
    """A console whose record, images, bank and keys lie in `folder`, with the accounts of ROLES."""
    KeyFolder(folder / "keys").init()
    chosen = ConsoleSettings(
        record=SecretStr(str(folder / "record.db")),
        record_images=str(folder / "images"),
        image_keys=SecretStr(KEYS),
        bank=SecretStr(str(folder / "bank.db")),
        ticket_keys=folder / "keys",
        **settings,
    )
    loop = asyncio.new_event_loop()
    stack = contextlib.AsyncExitStack()
    try:
        parts = loop.run_until_complete(stack.enter_async_context(opened(chosen)))
        for name, role in ROLES.items():
            loop.run_until_complete(parts.accounts.add(Account(name, role, _password())))
        yield Site(parts, folder)
    finally:
        loop.run_until_complete(stack.aclose())
        loop.close()


async def _kept(
    site: Site,
    decision: Decision,
    tenant: str,
    score: float,
    *,
    category: Category = Category.INSULT,
    text: str = "you fool",
    prompt: str = "a card",
    due_s: float = 3_600.0,
    age_s: float = 60.0,
    opinions: int = 1,
    picture: bool = True,
) -> str:
    item = str(uuid.uuid4())
    seen = evidence({category.value: score}, sources={category.value: "line:0"}, lines=[line(text, insult=score)])
    seen = replace(seen, image=replace(seen.image, sha256=DIGEST))
    reasons = (Reason(ReasonCode.SCORE, decision, category, score, 0.5, "line:0"),)
    asked = AskedText(
        ("good luck",),
        (AskedSpan(SpanKind.MISSING, asked="good luck"), AskedSpan(SpanKind.UNEXPECTED, drawn=text, score=1.0)),
    )
    before: Verdict = allowed(f"verdicts/{item}")
    judgement = replace(
        before.judgement,
        decision=decision,
        reasons=() if decision is Decision.ALLOW else reasons,
        policy="greeting-card",
        asked_text=asked,
    )
    verdict = replace(before, judgement=judgement, evidence=seen, created=time.time() - age_s, tenant=tenant)
    sent = request(image=PICTURE, image_sha256=DIGEST, prompt=prompt, turns=(Turn("user", text),), labels={"app": text})
    if picture:
        sealed = Sealer.of(KEYS).seal(PICTURE, verdict.name)
        await ImageStore(str(site._folder / "images")).put(verdict.name, sealed)
    entry = entry_of(sent, verdict, keep_image=picture, opinions=opinions, due_s=due_s)
    await site.parts.record.add([entry])
    return item
