"""What one person cannot do to another's work, or after they were shown out, over a real record."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from gatepost_server.domain.labels import Category, Decision
from gatepost_server.records.accounts import AccountRole
from gatepost_server.records.images import ImageStore
from tests.console_site import ROLES, csrf, site_in


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with site_in(tmp_path_factory.mktemp("console")) as site:
        yield site


async def changed(site, name, **facts):
    account = await site.parts.accounts.find(name)
    await site.parts.accounts.change(replace(account, **facts))


def account_after_a_slow_form(site, name, path, fields, **facts):
    """The account after a form of theirs, the second half of which came when an admin had changed it; its old self is
    put back.
    """
    browser = site.browser(name)
    body = urlencode({"csrf": csrf(browser.get("/you").text), **fields}).encode()
    headers = {
        "host": "127.0.0.1",
        "cookie": "; ".join(f"{key}={value}" for key, value in browser.cookies.items()),
        "content-type": "application/x-www-form-urlencoded",
        "content-length": str(len(body)),
    }
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "query_string": b"",
        "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    pieces, answers = [body[:10], body[10:]], []

    async def receive():
        piece = pieces.pop(0)
        if not pieces:
            await changed(site, name, **facts)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message):
        answers.append(message)

    asyncio.run(site.app(scope, receive, send))
    account = asyncio.run(site.parts.accounts.find(name))
    asyncio.run(changed(site, name, role=ROLES[name], disabled=False))
    return account, answers[0]["status"]


def test_nobody_takes_back_by_a_slow_form_that_they_were_disabled(site):
    account, status = account_after_a_slow_form(site, "ana", "/you", {"blur": "on"}, disabled=True)
    assert account.disabled
    assert status == 401


def test_nobody_takes_back_by_a_slow_form_that_their_role_was_taken(site):
    account, _ = account_after_a_slow_form(site, "ana", "/you", {"blur": "on"}, role=AccountRole.VIEWER)
    assert account.role is AccountRole.VIEWER


def test_nobody_decides_by_a_slow_form_who_was_disabled_meanwhile(site):
    item = site.keep()
    account_after_a_slow_form(site, "sam", f"/items/{item}/act", {"kind": "ALLOW"}, disabled=True)
    assert site.acts(item) == ()


def test_choosing_colours_changes_nothing_else_of_an_account(site):
    before = asyncio.run(site.parts.accounts.find("vic"))
    asyncio.run(changed(site, "vic", disabled=True))
    asyncio.run(site.parts.accounts.prefer("vic", replace(before.preferences, blur=False)))
    after = asyncio.run(site.parts.accounts.find("vic"))
    asyncio.run(changed(site, "vic", disabled=False))
    assert (after.disabled, after.preferences.blur) == (True, False)


def test_an_admins_block_stands_whatever_those_before_take_back(site):
    item = site.keep(opinions=2)
    rui, sam, ana = map(site.browser, ("rui", "sam", "ana"))
    site.post(rui, f"/items/{item}/act", kind="ALLOW")
    site.post(rui, f"/items/{item}/act", kind="BLOCK")
    second = site.acts(item)[-1].id
    site.post(sam, f"/items/{item}/act", kind="ALLOW")
    site.post(ana, f"/items/{item}/act", kind="BLOCK")
    assert site.post(rui, f"/items/{item}/act", kind="UNDO", undoes=str(second)).status_code == 409
    assert site.standing(item).decision is Decision.BLOCK
    told = site.parts.review.after(asyncio.run(site.parts.review.find(f"verdicts/{item}")))
    assert told.ticket == ""


def test_a_note_is_taken_back_after_an_admin_decided_too(site):
    item, rui = site.keep(), site.browser("rui")
    site.post(rui, f"/items/{item}/act", kind="NOTE", text="a slip")
    note = site.acts(item)[-1].id
    site.post(rui, f"/items/{item}/act", kind="ESCALATE")
    site.post(site.browser("ana"), f"/items/{item}/act", kind="BLOCK")
    assert site.post(rui, f"/items/{item}/act", kind="UNDO", undoes=str(note)).status_code == 303


def test_taking_back_a_note_takes_nobodys_claim(site):
    item, rui = site.keep(), site.browser("rui")
    site.post(site.browser("sam"), f"/items/{item}/claim")
    site.post(rui, f"/items/{item}/act", kind="NOTE", text="x")
    site.post(rui, f"/items/{item}/act", kind="UNDO", undoes=str(site.acts(item)[-1].id))
    assert site.post(rui, f"/items/{item}/act", kind="ALLOW").status_code == 409


def test_an_escalation_is_claimed_by_those_alone_who_may_decide_it(site):
    item, other = site.keep(tenant="escalated", due_s=1.0), site.keep(tenant="escalated")
    rui = site.browser("rui")
    site.post(site.browser("sam"), f"/items/{item}/act", kind="ESCALATE")
    assert site.post(rui, f"/items/{item}/claim").status_code == 403
    assert site.post(rui, "/queue/next", tenant="escalated").headers["location"] == f"/items/{other}"
    assert site.post(site.browser("ana"), f"/items/{item}/claim").status_code == 303


def test_a_category_that_was_taken_back_is_taken_back_in_the_queue(site):
    item, rui = site.keep(), site.browser("rui")
    site.post(rui, f"/items/{item}/act", kind="RECATEGORISE", category="hate")
    site.post(rui, f"/items/{item}/act", kind="UNDO", undoes=str(site.acts(item)[-1].id))
    assert asyncio.run(site.parts.record.waiting(f"verdicts/{item}")).category is Category.INSULT


def test_a_picture_that_lies_unsealed_in_the_place_of_another_is_not_shown(site):
    item = site.keep()
    asyncio.run(ImageStore(site.parts.settings.record_images).put(f"verdicts/{item}", b"\x89PNG a kitten"))
    assert site.browser("rui").get(f"/items/{item}/picture").status_code == 404


def test_a_page_that_breaks_is_kept_by_no_browser_either(site, monkeypatch):
    async def broken(*_, **__):
        raise RuntimeError

    browser = site.browser("rui")
    monkeypatch.setattr(type(site.parts.review), "queue", broken)
    calm = TestClient(site.app, "http://127.0.0.1", raise_server_exceptions=False, cookies=dict(browser.cookies))
    answer = calm.get("/queue")
    assert answer.status_code == 500
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_nul_is_refused_wherever_it_is_said(site):
    browser = site.browser("vic")
    assert browser.get("/queue?tenant=a%00b").status_code == 400
    said = {"csrf": csrf(browser.get("/you").text), "language": "en\x00"}
    assert browser.post("/you", data=said).status_code == 400
