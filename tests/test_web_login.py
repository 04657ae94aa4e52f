"""Signing in to the page, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browsing import headline, needs_browser, send
from stand_in.engine import KOELN, picture
from web_server import SMALL, Running, running

from geoagent.interfaces.web.access import Access, Token

pytestmark = needs_browser
SECRET = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def access() -> Access:
    return Access(Token(SECRET), page=True)


@pytest.fixture(scope="module")
def server(access: Access) -> Iterator[Running]:
    with running(SMALL, access=access) as here:
        yield here


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context()
    page = context.new_page()
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    yield page
    assert [said for said in page.said if "status of 4" not in said] == []  # no breach of the page's policy
    context.close()


def located(page: Any) -> str:
    send(page, picture(KOELN))
    page.wait_for_selector("#found:not([hidden]) #summary h1", timeout=60_000)
    return headline(page)


def test_a_person_signs_in_once_works_and_signs_out(page: Any, server: Running) -> None:
    page.goto(server.url)
    assert page.url == f"{server.url}login"
    page.fill("#token", "not the token of this server")
    page.click("text=Sign in >> nth=-1")
    page.wait_for_selector("[role=alert]")
    assert page.locator("[role=alert]").inner_text() == "That is not the token."
    page.fill("#token", SECRET)
    page.keyboard.press("Enter")
    page.wait_for_selector("#examples li")
    assert page.url == server.url
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert SECRET not in cookie["value"]
    assert page.evaluate("document.cookie") == ""
    assert located(page) == "Köln, North Rhine-Westphalia, Germany"
    page.reload()
    page.wait_for_selector("#examples li")
    page.goto(f"{server.url}login")
    page.click("text=Sign out")
    page.wait_for_selector("#token")
    page.goto(server.url)
    assert page.url == f"{server.url}login"


def test_a_link_signs_in_and_leaves_no_trace_in_the_address(page: Any, server: Running, access: Access) -> None:
    page.goto(access.link(server.url))
    page.wait_for_selector("#examples li")
    assert page.url == server.url
    assert "token" not in page.evaluate("performance.getEntriesByType('navigation')[0].name")
    assert page.evaluate("document.referrer") == ""


def test_a_session_that_has_ended_leads_to_the_form(page: Any, server: Running, access: Access) -> None:
    page.goto(access.link(server.url))
    page.wait_for_selector("#examples li")
    access._sessions._kept.clear()
    send(page, picture(KOELN))
    page.wait_for_selector("#token")
    assert page.url == f"{server.url}login"
