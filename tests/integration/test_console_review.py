"""People decide in the console, over a real record."""

from __future__ import annotations

import asyncio
import re

import jwt
import pytest

from gatepost_server.domain.answer import Ground
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.domain.review import ActKind, QueueKind
from gatepost_server.records.sql_bank import SqlBank
from tests.console_site import DIGEST, csrf, site_in

EVIL = '<script>alert(1)</script>"onload=alert(2) {{7*7}}'
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"


@pytest.fixture
def site(tmp_path):
    with site_in(tmp_path) as site:
        yield site


def rows(page: str) -> list[str]:
    return re.findall(r'data-open href="/items/([0-9a-f-]{36})"', page)


def test_what_is_due_first_stands_first_unless_the_gravest_is_asked_for(site):
    late = site.keep(due_s=30.0, age_s=90.0, score=0.6)
    soon = site.keep(due_s=600.0, score=0.9)
    site.keep(Decision.BLOCK)
    browser = site.browser("vic", **{"accept-language": "en"})
    page = browser.get("/queue").text
    assert rows(page) == [late, soon]
    assert "1 min late" in page or "s late" in page
    assert "min left" in page
    assert rows(browser.get("/queue?order=severity").text) == [soon, late]


def test_whoever_blocks_says_whose_doing_it_was_if_they_like(site):
    item = site.keep()
    browser = site.browser("rui", **{"accept-language": "en"})
    assert "our mistake" in browser.get(f"/items/{item}").text
    assert site.post(browser, f"/items/{item}/act", kind="BLOCK", ground="nonsense").status_code == 400
    site.post(browser, f"/items/{item}/act", kind="BLOCK", ground="REQUEST")
    assert site.acts(item)[-1].ground is Ground.REQUEST


def test_the_queue_is_narrowed_by_tenant_category_and_kind(site):
    one = site.keep(tenant="cards")
    other = site.keep(tenant="stickers", category=Category.WEAPONS)
    appealed = site.keep(Decision.BLOCK, tenant="posters")
    site.appeal(appealed, "please look again")
    browser = site.browser("vic")
    assert rows(browser.get("/queue?tenant=cards").text) == [one]
    assert rows(browser.get("/queue?category=weapons").text) == [other]
    assert rows(browser.get("/queue?kind=APPEAL").text) == [appealed]
    assert len(rows(browser.get("/queue?category=nonsense&kind=nonsense&order=nonsense").text)) == 3


def test_a_long_queue_comes_in_pages(site):
    items = [site.keep(due_s=3_600.0 + number, picture=False) for number in range(45)]
    browser = site.browser("vic")
    first = browser.get("/queue").text
    onward = re.search(r'href="(/queue\?after=[^"]+)"', first)
    assert onward is not None
    second = browser.get(onward[1].replace("&amp;", "&")).text
    assert rows(first) + rows(second) == items
    assert browser.get("/queue?after=nonsense").headers["location"] == "/queue"


def test_htmx_gets_the_rows_and_not_the_page(site):
    site.keep()
    rows_alone = site.browser("vic").get("/queue", headers={"hx-request": "true"}).text
    assert rows_alone.lstrip().startswith('<div id="rows"')


def test_two_people_never_get_the_same_next_one(site):
    items = {site.keep(), site.keep()}
    taken = [site.post(site.browser(name), "/queue/next").headers["location"] for name in ("rui", "sam", "ana")]
    assert {place.removeprefix("/items/") for place in taken[:2]} == items
    assert taken[2] == "/queue?none=1"
    page = site.browser("ana", **{"accept-language": "en"}).get(taken[2]).text
    assert "in other hands" in page


def test_what_somebody_is_at_is_theirs_until_they_give_it_back(site):
    item = site.keep()
    rui, sam = site.browser("rui"), site.browser("sam", **{"accept-language": "en"})
    assert site.post(rui, f"/items/{item}/claim").status_code == 303
    assert "rui is at it" in sam.get(f"/items/{item}").text
    assert site.post(sam, f"/items/{item}/claim").status_code == 409
    refused = site.post(sam, f"/items/{item}/act", kind="ALLOW")
    assert refused.status_code == 409
    assert "Somebody else is at this one." in refused.text
    assert site.standing(item).decision is None
    site.post(rui, f"/items/{item}/release")
    assert site.post(sam, f"/items/{item}/act", kind="ALLOW").status_code == 303
    assert site.standing(item).decision is Decision.ALLOW


def test_what_was_done_is_written_down_with_who_did_it(site):
    item = site.keep()
    browser = site.browser("rui", **{"accept-language": "en"})
    site.post(browser, f"/items/{item}/act", kind="NOTE", text="asked the team")
    site.post(browser, f"/items/{item}/act", kind="RECATEGORISE", category="hate")
    site.post(browser, f"/items/{item}/act", kind="BLOCK", text="an insult\r\nall the same")
    acts = site.acts(item)
    assert [(act.kind, act.actor) for act in acts] == [
        (kind, "console:rui") for kind in (ActKind.NOTE, ActKind.RECATEGORISE, ActKind.BLOCK)
    ]
    assert acts[2].text == "an insult\nall the same"
    assert site.standing(item).category is Category.HATE
    page = browser.get(f"/items/{item}").text
    for told in ("asked the team", "Category: Hate", "Blocked", "an insult"):
        assert told in page


def test_an_act_is_undone_by_whoever_did_it_or_an_admin(site):
    item = site.keep()
    rui, sam, ana = (site.browser(name) for name in ("rui", "sam", "ana"))
    site.post(rui, f"/items/{item}/act", kind="ALLOW")
    done = str(site.acts(item)[0].id)
    assert site.post(sam, f"/items/{item}/act", kind="UNDO", undoes=done).status_code == 409
    assert site.post(rui, f"/items/{item}/act", kind="UNDO", undoes=done).status_code == 303
    assert site.standing(item).decision is None
    site.post(rui, f"/items/{item}/act", kind="BLOCK")
    assert site.post(ana, f"/items/{item}/act", kind="UNDO", undoes=str(site.acts(item)[2].id)).status_code == 303
    assert site.standing(item).waits is QueueKind.REVIEW


def test_what_was_escalated_takes_an_admin(site):
    item = site.keep()
    rui, ana = site.browser("rui", **{"accept-language": "en"}), site.browser("ana")
    site.post(rui, f"/items/{item}/act", kind="ESCALATE", text="not sure")
    refused = site.post(rui, f"/items/{item}/act", kind="ALLOW")
    assert refused.status_code == 403
    assert "an admin decides it" in refused.text
    assert re.search(r'value="ALLOW"[^>]* disabled', rui.get(f"/items/{item}").text)
    assert site.post(ana, f"/items/{item}/act", kind="ALLOW").status_code == 303
    assert site.standing(item).decision is Decision.ALLOW


def test_a_second_opinion_is_waited_for_where_the_policy_names_it(site):
    item = site.keep(opinions=2)
    rui, sam = site.browser("rui", **{"accept-language": "en"}), site.browser("sam")
    site.post(rui, f"/items/{item}/act", kind="ALLOW")
    assert site.standing(item).decision is None
    assert "1 of 2 people" in rui.get(f"/items/{item}").text
    site.post(sam, f"/items/{item}/act", kind="ALLOW")
    assert site.standing(item).decision is Decision.ALLOW


def test_what_people_allow_can_be_shown_with_a_ticket(site):
    item = site.keep()
    site.post(site.browser("rui"), f"/items/{item}/act", kind="ALLOW")
    kept = asyncio.run(site.parts.record.find(f"verdicts/{item}"))
    claims = jwt.decode(site.parts.review.after(kept).ticket, options={"verify_signature": False})
    assert claims["sub"] == f"verdicts/{item}"
    assert claims["image"]["sha256"] == DIGEST


def test_a_picture_joins_the_bank_with_who_added_it(site):
    item = site.keep()
    browser = site.browser("rui")
    site.post(browser, f"/items/{item}/act", kind="BLOCK")
    said = {"category": "hate", "days": "7", "text": "seen often"}
    assert site.post(browser, f"/items/{item}/bank", known_by="file", **said).status_code == 303
    _, entries = asyncio.run(SqlBank.at(site.parts.settings.bank.get_secret_value()).entries())
    assert [(entry.category, entry.added_by, entry.note) for entry in entries] == [
        (Category.HATE, "console:rui", "seen often")
    ]
    assert (entries[0].sha256, entries[0].pdq, entries[0].text) == (DIGEST, "", "")
    assert entries[0].expires is not None
    assert any(entries[0].id in act.text for act in site.acts(item))
    good = {"category": "hate", "known_by": "file"}
    for wrong in ({"category": "nonsense"}, {"category": "off_script"}, {"days": "soon"}, {"days": "-1"}):
        assert site.post(browser, f"/items/{item}/bank", **(good | wrong)).status_code == 400
    for known_by in ("", "nonsense", "text", "text:", "text:7", "text:-1", "file:1"):
        assert site.post(browser, f"/items/{item}/bank", **(good | {"known_by": known_by})).status_code == 400


def test_an_insult_joins_the_bank_as_a_text_unless_somebody_says_otherwise(site):
    item = site.keep(text="you utter fool")
    browser = site.browser("rui", **{"accept-language": "en"})
    assert '<option value="text:0" selected>the text of line 1: you utter fool' in browser.get(f"/items/{item}").text
    for known_by in ("text:0", "picture"):
        site.post(browser, f"/items/{item}/bank", category="insult", known_by=known_by)
    _, entries = asyncio.run(SqlBank.at(site.parts.settings.bank.get_secret_value()).entries())
    assert {(entry.text, entry.sha256[:2], entry.pdq[:2]) for entry in entries} == {
        ("you utter fool", "", ""),
        ("", DIGEST[:2], "cd"),
    }


def test_an_appeal_stands_in_the_queue_with_its_clock_and_the_users_words(site):
    item = site.keep(Decision.BLOCK)
    site.appeal(item, f"it was for my grandmother {EVIL}")
    browser = site.browser("rui", **{"accept-language": "en"})
    assert "Appeal" in browser.get("/queue?kind=APPEAL").text
    page = browser.get(f"/items/{item}").text
    assert "it was for my grandmother" in page
    assert re.search(r'class="clock[^"]*"', page)
    site.post(browser, f"/items/{item}/act", kind="ALLOW", text="our mistake")
    assert site.standing(item).decision is Decision.ALLOW


def test_what_users_wrote_or_drew_is_text_and_nothing_else(site):
    item = site.keep(Decision.BLOCK, text=EVIL, prompt=EVIL, tenant="cards")
    site.appeal(item, EVIL)
    browser = site.browser("ana")
    site.post(browser, f"/items/{item}/act", kind="NOTE", text=EVIL)
    for path in (f"/items/{item}", "/queue", f"/queue?tenant={EVIL}&after={EVIL}", f"/queue?tenant={EVIL}"):
        page = browser.get(path, follow_redirects=True).text
        assert "<script>alert" not in page
        assert '"onload' not in page
    page = browser.get(f"/items/{item}").text
    assert page.count(ESCAPED) >= 4
    assert "{{7*7}}" in page


def test_after_an_act_htmx_gets_what_changed_and_a_refusal_goes_where_people_see_it(site):
    item = site.keep()
    browser = site.browser("rui", **{"accept-language": "en"})
    token = csrf(browser.get(f"/items/{item}").text)
    partial = {"hx-request": "true"}
    done = browser.post(f"/items/{item}/act", data={"csrf": token, "kind": "BLOCK"}, headers=partial)
    assert done.status_code == 200
    assert '<div id="work"' in done.text
    assert 'id="timeline"' in done.text
    assert "<html" not in done.text
    again = browser.post(f"/items/{item}/act", data={"csrf": token, "kind": "BLOCK"}, headers=partial)
    assert again.status_code == 409
    assert again.headers["hx-retarget"] == "#notices"
    assert "nothing left to decide" in again.text


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"kind": "DELETE"},
        {"kind": "UNDO"},
        {"kind": "UNDO", "undoes": "-1"},
        {"kind": "NOTE"},
        {"kind": "RECATEGORISE", "category": "x"},
    ],
)
def test_what_is_no_act_is_refused(site, fields):
    item = site.keep()
    assert site.post(site.browser("ana"), f"/items/{item}/act", **fields).status_code == 400
    assert site.acts(item) == ()


def test_a_viewer_sees_no_forms_but_sees_everything_else(site):
    item = site.keep()
    page = site.browser("vic").get(f"/items/{item}").text
    assert "/act" not in page
    assert "/bank" not in page
    assert f"/items/{item}/picture" in page


def test_an_item_tells_what_each_reason_rests_on_and_where_the_text_is(site):
    item = site.keep(text="you fool", score=0.7)
    page = site.browser("vic", **{"accept-language": "en"}).get(f"/items/{item}").text
    assert 'points="10,10 200,10 200,40 10,40"' in page
    assert "1 · 0.70" in page
    assert "0.70 reached 0.50" in page
    assert "line 1" in page
    assert re.search(r"good luck</td>\s*<td><span class=\"soft\">not there", page)
    assert "score 0.70, review from 0.50, block from 0.80" in page


def test_past_decisions_on_pictures_that_are_alike_are_shown_with_what_people_made_of_them(site):
    past = site.keep(Decision.REVIEW)
    site.post(site.browser("rui"), f"/items/{past}/act", kind="ALLOW")
    page = site.browser("vic", **{"accept-language": "en"}).get(f"/items/{site.keep()}").text
    assert f"/items/{past}" in page
    assert "people: allow" in page


def test_the_same_in_chinese(site):
    item = site.keep()
    page = site.browser("rui", **{"accept-language": "zh-HK,zh;q=0.9,en;q=0.5"}).get(f"/items/{item}").text
    assert '<html lang="zh"' in page
    for word in ("放行", "拦截", "上报", "侮辱", "时间线"):
        assert word in page


def test_what_is_not_there_is_said_so(site):
    browser = site.browser("vic")
    assert browser.get("/items/00000000-0000-4000-8000-000000000000").status_code == 404
    assert browser.get("/items/nonsense").status_code == 404
    assert browser.get("/static/../app.py").status_code == 404
