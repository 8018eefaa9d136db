"""Who gets into the console, over a real record."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.routing import Mount

from gatepost_server.console.app import PAGES
from gatepost_server.console.guard import Page
from gatepost_server.records.accounts import AccountRole
from tests.console_site import PASSWORD, PICTURE, csrf, site_in

NOBODYS = "00000000-0000-4000-8000-000000000000"
GUARDED = [(page, method) for page in PAGES if page.role is not None for method in sorted(page.methods - {"HEAD"})]
WRITING = [page for page in PAGES if "POST" in page.methods]


def names(value):
    return f"{value.path}" if isinstance(value, Page) else None


def address(page: Page) -> str:
    return re.sub(r"\{[^}]*\}", NOBODYS, page.path)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with site_in(tmp_path_factory.mktemp("console")) as site:
        yield site


def test_every_route_says_whom_it_is_for(site):
    for route in site.app.routes:
        assert isinstance(route, Page) or (isinstance(route, Mount) and route.path == "/static"), route.path
    assert {page.path for page in PAGES if page.role is None} == {"/sign-in", "/oidc/start", "/oidc/back"}
    assert all(
        page.role is not None and page.role.covers(AccountRole.REVIEWER)
        for page in PAGES
        if "/items/" in page.path and "POST" in page.methods
    )


@pytest.mark.parametrize(("page", "method"), GUARDED, ids=names)
def test_nobody_gets_anywhere_without_signing_in(site, page, method):
    answer = site.visitor().request(method, address(page))
    if method == "GET":
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=")
    else:
        assert answer.status_code == 401


@pytest.mark.parametrize("page", [page for page in PAGES if page.role not in (None, AccountRole.VIEWER)], ids=names)
def test_a_role_that_is_not_enough_is_refused(site, page):
    lesser = {"vic": AccountRole.VIEWER, "rui": AccountRole.REVIEWER}
    for name, role in lesser.items():
        if not role.covers(page.role):
            for method in page.methods - {"HEAD"}:
                browser = site.browser(name)
                token = csrf(browser.get("/you").text)
                answer = browser.request(method, address(page), data={"csrf": token} if method == "POST" else None)
                assert answer.status_code == 403


@pytest.mark.parametrize("page", WRITING, ids=names)
def test_a_form_that_no_page_of_the_console_sent_is_refused(site, page):
    browser, other = site.browser("ana"), site.browser("rui")
    own = csrf(browser.get("/you").text)
    for fields, headers in (
        ({}, {}),
        ({"csrf": ""}, {}),
        ({"csrf": csrf(other.get("/you").text)}, {}),
        ({"csrf": own}, {"sec-fetch-site": "cross-site"}),
        ({"csrf": own}, {"sec-fetch-site": "same-site"}),
    ):
        assert browser.post(address(page), data=fields, headers=headers).status_code == 403


def test_signing_in_gives_another_cookie_than_was_there_before(site):
    browser = site.visitor()
    before = browser.get("/sign-in").cookies["gatepost"]
    answer = site.sign_in(browser, "ana")
    cookie = answer.headers["set-cookie"]
    assert answer.headers["location"] == "/"
    assert before not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert browser.get("/queue").status_code == 200


@pytest.mark.parametrize(("name", "password"), [("ana", "wrong"), ("nobody", PASSWORD), ("ana", ""), ("", PASSWORD)])
def test_who_may_not_sign_in_hears_the_same_whatever_is_wrong(site, name, password):
    browser = site.visitor()
    answer = site.sign_in(browser, name, password)
    assert answer.status_code == 403
    assert "Name or password is wrong." in answer.text
    assert browser.get("/queue").status_code == 303


@pytest.mark.parametrize(
    "onward", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_signing_in_leads_nowhere_else(site, onward):
    assert site.sign_in(site.visitor(), "ana", next=onward).headers["location"] == "/"


def test_signing_in_leads_back_to_where_somebody_wanted_to_go(site):
    assert site.sign_in(site.visitor(), "ana", next="/queue?kind=APPEAL").headers["location"] == "/queue?kind=APPEAL"


def test_a_copied_cookie_is_worth_nothing_after_signing_out(site):
    browser, copy = site.browser("ana"), site.visitor()
    copy.cookies.set("gatepost", browser.cookies["gatepost"])
    assert copy.get("/queue").status_code == 200
    assert site.post(browser, "/sign-out").headers["location"] == "/sign-in"
    assert copy.get("/queue").status_code == 303


def test_the_database_holds_no_cookie_that_works(site):
    browser = site.browser("ana")
    record = Path(site.parts.settings.record.get_secret_value())
    kept = b"".join(file.read_bytes() for file in record.parent.glob("record.db*"))
    assert b"sessions" in kept
    assert browser.cookies["gatepost"].encode() not in kept


def test_pages_show_no_picture_to_those_who_are_not_signed_in_and_browsers_keep_none(site):
    item = site.keep()
    path = f"/items/{item}/picture"
    assert site.visitor().get(path).status_code == 303
    assert site.visitor(**{"sec-fetch-dest": "image"}).get(path).status_code == 401
    shown = site.browser("vic").get(path)
    assert shown.content == PICTURE
    assert shown.headers["content-type"] == "image/png"
    assert shown.headers["cache-control"] == "no-store"
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert shown.headers["x-content-type-options"] == "nosniff"


def test_a_picture_that_was_not_kept_is_not_there(site):
    item = site.keep(picture=False)
    browser = site.browser("vic")
    assert browser.get(f"/items/{item}/picture").status_code == 404
    assert "was not kept" in browser.get(f"/items/{item}").text


def test_a_name_that_somebody_points_at_this_machine_is_refused(site):
    assert site.visitor().get("/sign-in", headers={"host": "rebound.example"}).status_code == 400


def test_every_answer_forbids_scripts_and_styles_that_are_not_the_consoles_own_files(site):
    item = site.keep()
    browser = site.browser("ana")
    for path in ("/queue", f"/items/{item}", "/you", "/sign-in?next=/you", "/nowhere", "/static/console.css"):
        answer = browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        if "html" in answer.headers.get("content-type", ""):
            assert answer.headers["cache-control"] == "no-store"
            assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]* src=)", answer.text)


def test_too_many_tries_are_not_looked_at_any_more(tmp_path):
    with site_in(tmp_path) as site:
        for _ in range(5):
            assert site.sign_in(site.visitor(), "ana", "wrong").status_code == 403
        assert site.sign_in(site.visitor(), "ana").status_code == 429
        assert site.sign_in(site.visitor(), "rui").status_code == 303


def test_another_password_ends_the_sessions_elsewhere(tmp_path):
    with site_in(tmp_path) as site:
        here, elsewhere = site.browser("ana"), site.browser("ana")
        assert site.post(here, "/you/password", old="wrong", new="another good one").status_code == 403
        assert site.post(here, "/you/password", old=PASSWORD, new="short").status_code == 400
        assert site.post(here, "/you/password", old=PASSWORD, new="another good one").status_code == 303
        assert here.get("/queue").status_code == 200
        assert elsewhere.get("/queue").status_code == 303
        assert site.sign_in(site.visitor(), "ana", "another good one").status_code == 303


def test_what_somebody_chose_holds(tmp_path):
    with site_in(tmp_path) as site:
        browser = site.browser("vic", **{"accept-language": "en"})
        assert "blur" in browser.get("/you").text
        site.post(browser, "/you", language="zh", theme="dark", blur="on")
        page = browser.get("/you").text
        assert '<html lang="zh" data-theme="dark">' in page
        assert 'name="blur" checked' in page
        assert 'name="shortcuts" checked' not in page


def test_behind_a_proxy_cookies_are_for_tls_alone(tmp_path):
    with site_in(tmp_path, public_url="https://review.example") as site:
        answer = site.visitor().get("/sign-in", headers={"host": "review.example"})
        assert answer.headers["set-cookie"].startswith("__Host-gatepost=")
        assert "Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"]
