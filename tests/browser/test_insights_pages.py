"""Insights, and a policy tried from a form, in a real browser."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from gatepost_server.domain.review import ActKind
from tests.browser import cards
from tests.browser.conftest import PATIENCE_MS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

expect.set_options(timeout=PATIENCE_MS)


def test_decisions_are_drawn_and_told_in_numbers(open_as, house, picture):
    page = open_as("lead")
    page.goto("/insights")
    plot = page.get_by_role("img", name=re.compile("Bars over time"))
    expect(plot).to_be_visible()
    assert plot.locator("path.fill-block").count() > 5
    picture(page, "insights")
    page.locator("summary", has_text="As a table").click()
    assert page.locator("details tbody tr").count() > 25
    page.get_by_label("Period").select_option("7")
    page.wait_for_url("**days=7**")
    page.get_by_label("Tenant").select_option("posters")
    page.wait_for_url("**tenant=posters**")
    page.get_by_role("link", name="Precision").click()
    page.wait_for_url("**/insights/agreement?days=7&tenant=posters")


@pytest.mark.parametrize(
    ("tab", "told"),
    [
        ("agreement", "Of what a threshold holds back"),
        ("scores", "Insult"),
        ("lexicon", "idiot"),
        ("people", "Krippendorff's alpha"),
    ],
)
def test_every_page_of_insights_tells_of_the_record(open_as, house, picture, tab, told):
    page = open_as("lead")
    page.goto(f"/insights/{tab}")
    expect(page.locator("main")).to_contain_text(told)
    picture(page, f"insights-{tab}")


def test_plots_are_in_the_pages_colours(open_as, house):
    light, dark = open_as("lead"), open_as("lead", color_scheme="dark")
    seen = []
    for page in (light, dark):
        page.goto("/insights")
        seen.append(page.locator(".plot text").first.evaluate("node => getComputedStyle(node).fill"))
    assert seen == ["rgb(98, 95, 88)", "rgb(165, 162, 154)"]


def test_others_figures_are_for_those_with_more_say(open_as, house):
    page = open_as("ana")
    page.goto("/insights/people")
    expect(page.locator("tbody th")).to_have_text(["ana"])
    page = open_as("lead")
    page.goto("/insights/people")
    expect(page.locator("tbody th")).to_have_text(["ana", "bo", "lead"])


def test_other_thresholds_are_tried_on_the_record(open_as, house, picture):
    page = open_as("ana")
    page.goto("/insights/policy")
    page.get_by_label("Weapons, Review").fill("0.9")
    page.get_by_role("button", name="Try it").click()
    found = page.get_by_role("region", name="What it would do")
    expect(found).to_contain_text("Weapons")
    expect(found.get_by_role("link").first).to_be_visible()
    expect(page.get_by_label("Weapons, Review")).to_have_value("0.9")
    picture(page, "policy-tried")
    found.get_by_role("link").first.click()
    page.wait_for_url("**/items/**")


def test_the_same_policy_flips_nothing(open_as, house):
    page = open_as("ana")
    page.goto("/insights/policy")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("region", name="What it would do")).to_contain_text("0.00 %")
    expect(page.get_by_text("Examples")).to_have_count(0)


def test_a_whole_policy_is_tried_and_a_broken_one_is_told(open_as, house):
    page = open_as("ana")
    page.goto("/insights/policy")
    page.locator("summary", has_text="The whole policy").click()
    text = page.get_by_label("As its file says (YAML)")
    good = text.input_value()
    text.fill(good.replace("thresholds:", "treshholds:"))
    page.get_by_role("button", name="Try this text").click()
    expect(page.get_by_role("alert")).to_contain_text("treshholds")
    page.get_by_label("As its file says (YAML)").fill(
        good + "\nblock_list:\n- {id: shop, text: call 555 0100 now, decision: BLOCK}\n"
        if "block_list" not in good
        else good.replace("block_list: []", "block_list: [{id: shop, text: call 555 0100 now, decision: BLOCK}]")
    )
    page.get_by_role("button", name="Try this text").click()
    expect(page.get_by_role("region", name="What it would do")).to_contain_text("block_list")


def test_a_threshold_that_is_no_number_is_told(open_as, house):
    page = open_as("ana")
    page.goto("/insights/policy")
    page.get_by_label("Insult, Block").fill("a lot")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("alert")).to_contain_text("thresholds.insult.block")


def test_whoever_is_at_it_for_long_is_reminded_of_a_break(open_as, house, picture):
    page = open_as("bo")
    page.goto("/queue")
    begun = time.time()
    for minute in range(70, 0, -7):
        item = house.card(cards.KNIFE)
        house.act(item, ActKind.BLOCK, "bo", at=begun - 60.0 * minute)
    page.goto("/queue")
    expect(page.get_by_role("status").get_by_text("time for a break")).to_be_visible()
    picture(page, "break-due", whole=False)
    page.get_by_role("link", name=re.compile("time for a break")).click()
    expect(page.locator("main")).to_contain_text("A few minutes away from the screen help.")
    page.get_by_role("link", name=re.compile("when you are reminded")).click()
    page.get_by_label(re.compile("Remind me of a break")).fill("0")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name=re.compile(r"\d+ done"))).to_be_visible()
    expect(page.get_by_text("time for a break")).to_have_count(0)
