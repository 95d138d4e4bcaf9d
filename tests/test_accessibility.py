"""axe on every state of the page: no finding that is serious or critical."""

from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser import ENGLISH, KOREAN, REFUSED, SECONDS, ask

Scheme = Literal["light", "dark"]


@pytest.fixture(params=["ko-KR", "en-GB"])
def locale(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> Scheme:
    return "dark" if request.param == "dark" else "light"


@pytest.fixture
def desktop(browser: Browser, address: str, locale: str, scheme: Scheme) -> Iterator[Page]:
    yield from _visit(browser, address, locale, scheme, 1280, 800)


@pytest.fixture
def phone(browser: Browser, address: str, locale: str, scheme: Scheme) -> Iterator[Page]:
    yield from _visit(browser, address, locale, scheme, 360, 740)


def _visit(browser: Browser, address: str, locale: str, scheme: Scheme, width: int, height: int) -> Iterator[Page]:
    viewport = {"width": width, "height": height}
    page = browser.new_page(locale=locale, viewport=viewport, color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page.goto(address)
    expect(page.locator(".welcome .chip")).to_have_count(6, timeout=30 * SECONDS)
    yield page
    page.close()


def findings(page: Page, state: str) -> list[str]:
    """What axe finds serious or critical, each with its place."""
    page.wait_for_timeout(300)  # colours in transition are not the colours one reads
    found = Axe().run(page).response["violations"]
    return [
        f"{state}: {violation['impact']} {violation['id']}: {node['html'][:160]} {node['any'][:1] and node['any'][0]['message']}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def test_on_a_desktop(desktop: Page, locale: str) -> None:
    found = findings(desktop, "welcome")
    answer = ask(desktop, KOREAN if locale == "ko-KR" else ENGLISH)
    found += findings(desktop, "answer with evidence")
    answer.locator("a.cite").first.hover()
    expect(desktop.get_by_role("tooltip")).to_be_visible()
    found += findings(desktop, "card")
    desktop.locator("#evidence .citing summary").click()
    desktop.locator("#evidence header summary").click()
    desktop.locator("#evidence .bar .wide").click()
    found += findings(desktop, "side by side")
    desktop.locator("#evidence [role=tab]").nth(1).click()
    desktop.locator("#evidence .outline summary").click()
    found += findings(desktop, "document")
    ask(desktop, REFUSED)
    found += findings(desktop, "refusal")
    assert found == []


def test_the_views_of_the_corpus(desktop: Page, locale: str) -> None:
    ask(desktop, KOREAN if locale == "ko-KR" else ENGLISH)  # its passages are ringed on the map, and listed below
    found = []
    for view, drawn in {"list": ".topics", "timeline": ".timeline", "map": ".map circle.found", "compare": ".comparison"}.items():
        desktop.locator(".browse" if view == "list" else f"#evidence .views [data-explore*={view}]").click()
        expect(desktop.locator(f"#evidence {drawn}").first).to_be_visible(timeout=60 * SECONDS)
        if view == "list":
            desktop.locator("#evidence .filters summary").click()
            desktop.locator("#evidence .find input").fill("AI")
            desktop.keyboard.press("Enter")
            expect(desktop.locator("#evidence .found li").first).to_be_visible()
        found += findings(desktop, view)
    assert found == []


def test_on_a_phone(phone: Page, locale: str) -> None:
    found = findings(phone, "welcome")
    answer = ask(phone, KOREAN if locale == "ko-KR" else ENGLISH)
    found += findings(phone, "answer")
    answer.locator("a.cite").first.click()
    expect(phone.locator("#pane")).to_be_visible()
    found += findings(phone, "sheet")
    assert found == []


def test_what_is_wrong_is_found(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(
        '<html lang="en"><title>x</title><main><p style="color:#aaa;background:#fff">faint</p><button></button></main>'
    )
    assert {finding.split(": ")[1] for finding in findings(page, "bad")} == {"serious color-contrast", "critical button-name"}
    page.close()
