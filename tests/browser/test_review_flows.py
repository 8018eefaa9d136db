"""What people do with the queue and its items, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from gatepost_server.domain.labels import Category, Decision
from gatepost_server.domain.review import ActKind
from tests.browser import cards
from tests.browser.conftest import PATIENCE_MS, sign_in

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

expect.set_options(timeout=PATIENCE_MS)


def open_item(page, item: str) -> None:
    page.goto(f"/items/{item}")


def work(page):
    return page.locator("#work")


def status(page):
    return page.get_by_role("region", name="What stands")


def timeline(page):
    return page.locator("#timeline")


def kept(house, item: str):
    return house.do(house.record.find(f"verdicts/{item}"))


def test_somebody_signs_in_and_out_and_a_wrong_password_is_refused(open_as, house, picture):
    page = open_as("")
    page.goto("/queue")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    picture(page, "sign-in")
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password").fill("a wrong password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    sign_in(page, "ana")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/queue")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_queue_is_filtered_and_leads_to_an_item(open_as, house, picture):
    item = house.card(cards.ADVERT, tenant="posters")
    house.card(cards.OMEN)
    page = open_as("ana")
    page.goto("/queue")
    expect(page.locator(f"#row-{item}")).to_be_visible()
    picture(page, "queue")
    page.get_by_role("search").get_by_label("Tenant").fill("posters")
    page.keyboard.press("Enter")
    page.wait_for_url("**tenant=posters**")
    expect(page.locator("tbody .tenant").first).to_have_text("posters")
    expect(page.get_by_role("cell", name="cards", exact=True)).to_have_count(0)
    page.locator(f"#row-{item} a").click()
    expect(page.get_by_role("region", name="Text that was read")).to_contain_text("call 555 0100 now")


def test_the_keyboard_alone_is_enough(open_as, house):
    item = house.card(cards.KNIFE, tenant="keyboard")
    page = open_as("ana")
    page.goto("/queue?tenant=keyboard")
    page.keyboard.press("j")
    expect(page.locator(f"#row-{item} a")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/items/{item}")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    expect(status(page)).to_contain_text("Yours for")
    page.keyboard.press("m")
    page.keyboard.type("a toy knife")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    # The first press may ask for a second look at the button; Enter is the same key for everybody.
    page.keyboard.press("Enter")
    expect(timeline(page)).to_contain_text("Allowed")
    expect(timeline(page)).to_contain_text("a toy knife")
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_url("**/queue")


def test_tab_reaches_the_content_first(open_as, house):
    page = open_as("ana")
    page.goto("/queue")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="To the content")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_of_two_people_one_is_at_it_and_the_other_is_told(open_as, house, picture):
    item = house.card(cards.OMEN)
    ana, bo = open_as("ana"), open_as("bo")
    open_item(bo, item)  # while it is nobody's
    open_item(ana, item)
    work(ana).get_by_role("button", name="Take it").click()
    expect(status(ana)).to_contain_text("Yours for")
    work(bo).get_by_role("button", name="Take it").click()
    expect(bo.get_by_text("Somebody else is at this one.")).to_be_visible()
    open_item(bo, item)
    expect(status(bo)).to_contain_text("ana is at it")
    expect(work(bo).get_by_role("button", name="Allow", exact=True)).to_be_disabled()
    picture(bo, "claimed-by-another")
    work(ana).get_by_role("button", name="Give it back").click()
    expect(work(ana).get_by_role("button", name="Take it")).to_be_visible()
    open_item(bo, item)
    work(bo).get_by_role("button", name="Block", exact=True).click()
    expect(timeline(bo)).to_contain_text("Blocked")


def test_a_picture_is_blurred_and_grey_until_asked_for_and_kept_nowhere(open_as, house, picture):
    item = house.card(cards.OMEN)
    page = open_as("ana")
    answers = []
    page.on("response", lambda answer: answers.append(answer) if answer.url.endswith("/picture") else None)
    open_item(page, item)
    image = page.locator("figure img")
    expect(image).to_have_css("filter", re.compile(r"blur\(.*grayscale|grayscale.*blur\("))
    picture(page, "item-blurred")
    page.keyboard.press("i")
    expect(image).not_to_have_css("filter", re.compile("blur"))
    page.keyboard.press("c")
    expect(image).to_have_css("filter", "none")
    picture(page, "item")
    assert answers[0].headers["cache-control"] == "no-store"
    stranger = open_as("")
    assert stranger.request.get(f"/items/{item}/picture", max_redirects=0).status in (303, 401)


def test_what_is_allowed_has_a_ticket_from_then_on(open_as, house):
    item = house.card(cards.KNIFE)
    page = open_as("ana")
    open_item(page, item)
    work(page).get_by_label("Note", exact=True).fill("it is a cake knife")
    work(page).get_by_role("button", name="Allow", exact=True).click()
    expect(timeline(page)).to_contain_text("Allowed")
    expect(timeline(page)).to_contain_text("it is a cake knife")
    told = house.after(item)
    assert told.judgement.decision is Decision.ALLOW
    assert told.ticket.count(".") == 2  # a JWS


def test_what_is_blocked_leaves_the_queue_and_comes_back_when_undone(open_as, house):
    item = house.card(cards.LEET, tenant="undoing")
    page = open_as("ana")
    open_item(page, item)
    work(page).get_by_role("button", name="Block", exact=True).click()
    expect(timeline(page)).to_contain_text("Blocked")
    assert kept(house, item).standing.decision is Decision.BLOCK
    timeline(page).get_by_role("button", name=re.compile("Undo")).click()
    expect(timeline(page)).to_contain_text("undone")
    page.goto("/queue?tenant=undoing")
    expect(page.locator(f"#row-{item}")).to_be_visible()


def test_what_is_escalated_waits_for_somebody_with_more_say(open_as, house):
    item = house.card(cards.OMEN)
    ana, lead = open_as("ana"), open_as("lead")
    open_item(ana, item)
    work(ana).get_by_role("button", name="Escalate").click()
    expect(timeline(ana)).to_contain_text("Escalated")
    open_item(ana, item)
    expect(work(ana).get_by_role("button", name="Allow", exact=True)).to_be_disabled()
    lead.goto("/queue?kind=ESCALATION")
    lead.locator(f"#row-{item} a").click()
    work(lead).get_by_role("button", name="Block", exact=True).click()
    expect(timeline(lead)).to_contain_text("Blocked")


def test_another_category_and_a_note_stay_with_the_item(open_as, house):
    item = house.card(cards.OMEN)
    page = open_as("ana")
    open_item(page, item)
    work(page).locator("summary", has_text="Wrong category").click()
    work(page).get_by_label("The right one").select_option("threat")
    work(page).get_by_role("button", name="Correct").click()
    expect(status(page)).to_contain_text("People say: Threat")
    work(page).get_by_label("Note", exact=True).fill("says it is her last birthday")
    work(page).get_by_role("button", name="Only note").click()
    expect(timeline(page)).to_contain_text("says it is her last birthday")
    assert kept(house, item).standing.category is Category.THREAT


def test_an_example_joins_the_known_bad_bank(open_as, house):
    item = house.card(cards.CURSED)
    page = open_as("ana")
    open_item(page, item)
    work(page).locator("summary", has_text="known-bad bank").click()
    form = work(page).locator("form[action$='/bank']")
    form.get_by_label("Category").select_option("insult")
    form.get_by_label("Why").fill("the New Year incident")
    form.get_by_role("button", name="Add to the known-bad bank").click()
    expect(timeline(page)).to_contain_text("the New Year incident")
    assert [each.note for each in house.examples()] == ["the New Year incident"]


def test_where_two_must_agree_the_first_opinion_is_not_enough(open_as, house):
    item = house.card(cards.OMEN, opinions=2)
    ana, bo = open_as("ana"), open_as("bo")
    open_item(ana, item)
    work(ana).get_by_role("button", name="Block", exact=True).click()
    expect(status(ana)).to_contain_text("1 of 2")
    open_item(bo, item)
    work(bo).get_by_role("button", name="Block", exact=True).click()
    expect(timeline(bo).locator("li", has_text="Blocked")).to_have_count(2)
    assert kept(house, item).standing.decision is Decision.BLOCK


def test_an_appeal_joins_the_queue_and_is_answered(open_as, house, picture):
    item = house.card(cards.CURSED, tenant="appealing")
    house.act(item, ActKind.APPEAL, text="this is my grandmother's name")
    page = open_as("ana")
    page.goto("/queue?kind=APPEAL&tenant=appealing")
    page.locator(f"#row-{item} a").click()
    expect(status(page)).to_contain_text("this is my grandmother's name")
    picture(page, "appeal")
    work(page).get_by_role("button", name="Allow", exact=True).click()
    expect(timeline(page)).to_contain_text("Allowed")
    assert house.after(item).judgement.decision is Decision.ALLOW


def test_the_next_one_is_taken_from_the_queue(open_as, house):
    item = house.card(cards.KNIFE, tenant="next")
    page = open_as("bo")
    page.goto("/queue?tenant=next")
    page.get_by_role("button", name="Take the next one").click()
    page.wait_for_url(f"**/items/{item}")
    expect(status(page)).to_contain_text("Yours for")


def test_a_viewer_looks_and_does_nothing(open_as, house):
    item = house.card(cards.OMEN)
    page = open_as("eve")
    open_item(page, item)
    expect(page.get_by_role("region", name="Text that was read")).to_be_visible()
    expect(page.get_by_role("button", name="Allow", exact=True)).to_have_count(0)
    page.goto("/insights")
    expect(page.get_by_role("link", name="Try a policy")).to_have_count(0)
    assert page.goto("/insights/policy").status == 403


@pytest.mark.parametrize("path", ["/items/00000000-0000-4000-8000-000000000000", "/nothing"])
def test_what_is_not_there_is_told_in_words(open_as, house, path):
    page = open_as("ana")
    assert page.goto(path).status == 404
    expect(page.get_by_role("heading", level=1)).to_be_visible()
