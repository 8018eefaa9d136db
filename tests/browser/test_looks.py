"""Language, dark and small screens, and what keeps people from using a page."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from gatepost_server.domain.review import ActKind
from tests.browser import cards
from tests.browser.conftest import PATIENCE_MS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

expect.set_options(timeout=PATIENCE_MS)

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
COLOURS = ("color-contrast",)  # what alone is another in the dark
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "device_scale_factor": 2}
INSIGHTS = ("/insights", "/insights/agreement", "/insights/scores", "/insights/lexicon", "/insights/people")
PAGES = ("/queue", "/you", "/you/pace", "/insights/policy", *INSIGHTS)


@pytest.fixture(scope="module")
def item(house):
    """One that was appealed against, so that there is much to see."""
    made = house.card(cards.CURSED)
    house.act(made, ActKind.APPEAL, text="这是我奶奶的名字")
    return made


def broken_rules(page, rules=RULES) -> list[str]:
    options = {"runOnly": list(rules), "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{each['id']}: {node['html'][:120]}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize(("scheme", "rules"), [("light", RULES), ("dark", COLOURS)])
def test_nothing_keeps_people_from_using_a_page(open_as, house, item, scheme, rules):
    page = open_as("lead", color_scheme=scheme)
    broken = {}
    for path in (*PAGES, "/nothing", f"/items/{item}"):
        page.goto(path)
        for summary in page.locator("details > summary").all():
            summary.click()
        broken[path] = broken_rules(page, rules)
    stranger = open_as("", color_scheme=scheme)
    stranger.goto("/sign-in")
    broken["/sign-in"] = broken_rules(stranger, rules)
    assert {path: rules for path, rules in broken.items() if rules} == {}


def test_a_result_of_a_trial_can_be_used_by_everybody(open_as, house):
    page = open_as("lead")
    page.goto("/insights/policy")
    page.get_by_label("Weapons, Review").fill("0.9")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("region", name="What it would do")).to_contain_text("Weapons")
    assert broken_rules(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_every_page_without_scrolling_sideways(open_as, house, item, picture, scheme):
    page = open_as("lead", color_scheme=scheme, locale="zh-CN", **PHONE)
    wide = {}
    for path in (*PAGES, f"/items/{item}"):
        page.goto(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 390:
            wide[path] = width
        name = "item" if path.startswith("/items") else path.strip("/").replace("/", "-")
        picture(page, f"phone-{scheme}-{name}")
    assert wide == {}


def test_language_and_colours_are_chosen_and_kept(open_as, house, picture):
    page = open_as("wei")
    page.goto("/you")
    page.get_by_label("Language").select_option("zh")
    page.get_by_label("Dark", exact=True).check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    expect(page.locator("html")).to_have_css("color-scheme", "dark")
    page.goto("/queue")
    expect(page.get_by_role("heading", level=1)).to_have_text("队列")
    picture(page, "queue-zh-dark")
    page.goto("/insights")
    expect(page.get_by_role("heading", level=1)).to_have_text("洞察")


def test_a_browser_is_answered_in_its_language(open_as, house):
    page = open_as("", locale="zh-CN")
    page.goto("/sign-in")
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
