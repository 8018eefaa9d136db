"""A Chromium (Debian's), a console with a record, and people who are signed in."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.house import PASSWORD, House

PICTURES = Path(__file__).parents[2] / "out" / "browser"
PATIENCE_MS = 60_000  # a loaded machine is no failure


@pytest.fixture(scope="module")  # while it runs no asyncio test can: both have a loop in this thread
def chromium() -> Iterator[Any]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("CHROMIUM IS NOT INSTALLED: nothing of the console was tried in a browser (Debian: chromium)")
    from playwright.sync_api import sync_playwright

    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        # As root there is no sandbox; pages are the tests' own.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def house(tmp_path_factory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house")) as made:
        yield made


@pytest.fixture(scope="module")
def signed_in(chromium, house) -> Callable[[str], Any]:
    """The cookies of somebody who went through the sign-in page once."""
    known: dict[str, Any] = {}

    def cookies(name: str) -> Any:
        if name not in known:
            context = chromium.new_context(base_url=house.address)
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            sign_in(page, name)
            known[name] = context.storage_state()
            context.close()
        return known[name]

    return cookies


@pytest.fixture
def open_as(chromium, house, signed_in) -> Iterator[Callable[..., Any]]:
    """`open_as("ana", **options of the context)`: a page of somebody who is signed in. What its console says fails."""
    contexts, said = [], []

    def opened(name: str, **options: Any) -> Any:
        options = {"viewport": {"width": 1280, "height": 860}, "locale": "en", "color_scheme": "light"} | options
        state = signed_in(name) if name else None
        context = chromium.new_context(base_url=house.address, storage_state=state, **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda message: said.append(message.text) if _is_complaint(message) else None)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture
def picture(request) -> Callable[..., None]:
    """`picture(page, "queue")` keeps a screenshot in out/browser."""

    def taken(page: Any, name: str, *, whole: bool = True) -> None:
        # Hiding the caret leaves style attributes behind, which the console's CSP complains of later.
        page.screenshot(path=PICTURES / f"{name}.png", full_page=whole, animations="disabled", caret="initial")

    return taken


def sign_in(page: Any, name: str, password: str = PASSWORD) -> None:
    """By the form, as people do."""
    page.goto("/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/queue")


def _is_complaint(message: Any) -> bool:
    """Errors: of scripts, and of the content security policy. A refusal (4xx) that a test asks for is none."""
    return message.type == "error" and "Failed to load resource" not in message.text
