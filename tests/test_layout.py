"""The page's main regions stand where they belong: their boxes against tests/layout.json, which fonts and texts do not move.

Boxes are shares of the viewport. What a text makes longer or higher is not held: of such a box only the rest is kept.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from rag.config import PROJECT
from tests.browser import ENGLISH, KOREAN, REFUSED, SECONDS, ask, launched

KEPT = PROJECT / "tests" / "layout.json"
TOLERANCE = 0.03  # of the viewport
# Of each region what is held: x, y, width, height. The rest follows its text. All must be seen, and uncovered.
REGIONS = {
    "welcome": {"#masthead": "xywh", ".welcome h1": "xw", ".welcome .chips": "xw", "#question": "xywh", "#pane": "xywh", ".corpus": "xyw"},
    "answer": {
        "#masthead": "xywh", "#conversation": "xywh", "#chat": "xyw", ".asked": "xyw", "#chat blockquote": "xw", "#question": "xyw",
        ".submit-button": "xy", "#pane": "xywh", "#evidence .bar": "xyw", "#evidence .steps": "xy", "#evidence .citing": "y",
        "#evidence header": "xw", "#evidence mark.current": "",
    },
    "document": {"#evidence .bar": "xyw", "#evidence .text": "xw", "#evidence mark.current": "", "#question": "xyw"},
    "refusal": {".asked": "x", ".refusal": "xw", ".refusal .nearest": "xw", ".refusal .chips": "xw", "#question": "xyw", "#pane": "xywh"},
    "phone answer": {"#masthead": "xywh", ".asked": "xyw", "#chat blockquote": "xw", "#question": "xyw", ".submit-button": "xy"},
    "phone sheet": {"#pane": "xywh", "#evidence .bar": "xyw", "#evidence .close": "xy", "#evidence mark.current": "", ".asked": "xyw"},
}  # fmt: skip

MEASURE = """(selectors) => {
    const boxes = {};
    for (const selector of selectors) {
        const all = [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility());
        const at = (element) => element.getBoundingClientRect();
        const inView = (box) => box.width > 0 && box.height > 0 && box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight;
        const element = all.find((element) => inView(at(element)));
        if (!element) { boxes[selector] = null; continue; }
        const box = at(element), line = element.getClientRects()[0];
        // Is the region what one meets at a point of it, or does another cover it?
        const x = Math.min(Math.max((line.left + line.right) / 2, 0), innerWidth - 1);
        const points = [0.25, 0.5, 0.75].map((share) => Math.min(Math.max(line.top + line.height * share, 0), innerHeight - 1));
        const met = points.some((y) => { const hit = document.elementFromPoint(x, y); return hit && (element.contains(hit) || hit.contains(element)); });
        boxes[selector] = { x: box.left / innerWidth, y: box.top / innerHeight, w: box.width / innerWidth, h: box.height / innerHeight, met };
    }
    return boxes;
}"""
# What must never be, wherever a text ends: a page that scrolls sideways, controls that cannot be hit, words cut off or out of sight.
SOUND = """() => {
    const wrong = [];
    if (document.documentElement.scrollWidth > innerWidth) wrong.push("the page scrolls sideways");
    for (const element of document.querySelectorAll("button, summary, textarea, a, h1, h2, h4, p, li, blockquote")) {
        if (!element.checkVisibility({ visibilityProperty: true }) || element.closest("#said")) continue;
        const box = element.getBoundingClientRect(), name = element.tagName + "." + element.className + " " + element.textContent.slice(0, 30);
        const words = element.textContent.trim() || element.ariaLabel || element.tagName === "TEXTAREA";
        if (words && (box.width < 4 || box.height < 4)) wrong.push("no size: " + name);
        if (words && (box.left < -1 || box.right > innerWidth + 1)) wrong.push("out of the page: " + name);
        if (element.tagName !== "TEXTAREA" && element.scrollWidth > element.clientWidth + 2 && element.clientWidth) wrong.push("cut off: " + name);
        if (element.tagName === "BUTTON" && element.scrollHeight > element.clientHeight + 2) wrong.push("cut off below: " + name);
    }
    return wrong;
}"""
# The controls of a part of the page that a pointer could not hit, even after scrolling to them.
OUT_OF_REACH = """(part) => [...document.querySelectorAll(`${part} :is(button, summary, textarea, select, input, a)`)].filter((control) => {
    if (!control.checkVisibility({ visibilityProperty: true }) || !control.getBoundingClientRect().width) return false;
    control.scrollIntoView({ block: "center" });
    const line = control.getClientRects()[0];
    const hit = document.elementFromPoint((line.left + line.right) / 2, (line.top + line.bottom) / 2);
    return !hit || !(control.contains(hit) || hit.contains(control) || control.labels?.[0]?.contains(hit));
}).map((control) => control.outerHTML.slice(0, 120))"""


def state(page: Page, name: str) -> dict[str, Any]:
    """The boxes of the state's regions; fails if the page is not sound in it."""
    page.wait_for_timeout(400)
    assert page.evaluate(SOUND) == [], name
    boxes: dict[str, Any] = page.evaluate(MEASURE, list(REGIONS[name]))
    return boxes


def sound(page: Page, part: str) -> None:
    """Nothing of the page is wrong, and every control of a part of it can be hit."""
    page.wait_for_timeout(300)
    assert page.evaluate(SOUND) == []
    assert page.evaluate(OUT_OF_REACH, part) == []


def differences(boxes: dict[str, Any], kept: dict[str, dict[str, float]], name: str) -> list[str]:
    """Where the boxes are not those kept."""
    found = []
    for selector, held in REGIONS[name].items():
        box = boxes[selector]
        if box is None:
            found.append(f"{name}: {selector} is not to be seen")
            continue
        if not box["met"]:
            found.append(f"{name}: {selector} is covered")
        for side in held:
            if abs(box[side] - kept[selector][side]) > TOLERANCE:
                found.append(f"{name}: {selector} {side} is {box[side]:.3f}, not {kept[selector][side]:.3f}")
    return found


@pytest.fixture(params=["ko-KR", "en-GB"])
def locale(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def desktop(browser: Browser, address: str, locale: str) -> Iterator[Page]:
    yield from _visit(browser, address, locale, 1280, 800)


@pytest.fixture
def phone(browser: Browser, address: str, locale: str) -> Iterator[Page]:
    yield from _visit(browser, address, locale, 360, 740)


def _visit(browser: Browser, address: str, locale: str, width: int, height: int) -> Iterator[Page]:
    page = browser.new_page(locale=locale, viewport={"width": width, "height": height}, reduced_motion="reduce")
    page.goto(address)
    expect(page.locator(".welcome .chip")).to_have_count(6, timeout=30 * SECONDS)
    expect(page.locator("#evidence .corpus")).to_be_attached(timeout=60 * SECONDS)
    yield page
    page.close()


def test_the_main_states_stand_as_kept(desktop: Page, locale: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    question = KOREAN if locale == "ko-KR" else ENGLISH
    measured = {"welcome": state(desktop, "welcome")}
    ask(desktop, question)
    measured["answer"] = state(desktop, "answer")
    desktop.locator("#evidence [role=tab]").nth(1).click()
    expect(desktop.locator("#evidence .outline")).to_be_visible()
    measured["document"] = state(desktop, "document")
    ask(desktop, REFUSED)
    measured["refusal"] = state(desktop, "refusal")
    phone: Page = request.getfixturevalue("phone")
    answer = ask(phone, question)
    measured["phone answer"] = state(phone, "phone answer")
    answer.locator("a.cite").first.click()
    expect(phone.locator("#pane")).to_be_visible()
    measured["phone sheet"] = state(phone, "phone sheet")

    now = {
        name: {
            selector: box and {side: round(box[side], 3) for side in REGIONS[name][selector]} for selector, box in boxes.items()
        }
        for name, boxes in measured.items()
    }
    written = tmp_path / "layout.json"
    written.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    found = [wrong for name, boxes in measured.items() for wrong in differences(boxes, kept[name], name)]
    assert found == [], f"If the page is meant to be so: cp {written} {KEPT}"


@pytest.mark.parametrize(("width", "height"), [(320, 640), (640, 400), (761, 700), (1920, 1080)])
def test_no_width_breaks_the_page(width: int, height: int, browser: Browser, address: str) -> None:
    """640 by 400 is a desktop at 200 %."""
    for page in _visit(browser, address, "ko-KR", width, height):
        assert page.evaluate(SOUND) == []
        answer = ask(page, KOREAN)
        assert page.evaluate(SOUND) == []
        answer.locator("a.cite").first.click()
        expect(page.locator("#evidence mark.current").first).to_be_in_viewport()
        page.locator("#evidence .citing summary").click()
        assert page.evaluate(SOUND) == []


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
def test_text_twice_as_large(width: int, height: int, locale: str, browser: Browser, address: str) -> None:
    """A browser whose own text size is twice the usual: all of it grows, nothing is cut, every control can be hit."""
    large = launched(browser.browser_type, "--blink-settings=defaultFontSize=32")
    for page in _visit(large, address, locale, width, height):
        sound(page, "body")
        answer = ask(page, KOREAN if locale == "ko-KR" else ENGLISH)
        sound(page, "body")
        for selector, size in {"blockquote": 34, ".footer span": 28, ".meta": 28}.items():
            expect(answer.locator(selector).first).to_have_css("font-size", f"{size}px")
        answer.locator("a.cite").first.click()
        expect(page.locator("#evidence mark.current").first).to_be_in_viewport()
        page.locator("#evidence .citing summary").click()
        page.locator("#evidence header summary").click()
        sound(page, "#pane")
        page.locator("#evidence [role=tab]").nth(1).click()
        expect(page.locator("#evidence .outline")).to_be_visible()
        sound(page, "#pane")
        for view in ("list", "timeline", "map", "compare"):
            page.locator(".browse" if view == "list" else f"#evidence .views [data-explore*={view}]").click()
            drawn = page.locator(f"#evidence .explore[data-view={view}]")
            expect(drawn.locator(".filters, .timeline, .map, .comparison").first).to_be_visible(timeout=60 * SECONDS)
            sound(page, "#pane .bar, #pane .views, #pane form")
            tops = page.evaluate("[masthead, pane].map((part) => part.getBoundingClientRect())")
            assert tops[1]["top"] >= tops[0]["bottom"] - 1, "the corpus must not cover the masthead"
        page.locator("#evidence .close").click()
        ask(page, REFUSED)
        sound(page, "#conversation")
    large.close()


@pytest.mark.parametrize(
    "harm",
    [
        "#panes { display: block !important }",
        "#question { margin-bottom: 300px }",
        "#pane { width: 1400px !important }",
        "#evidence .bar { display: none }",
        "#evidence mark.current { font-size: 0 }",
        "#masthead { position: fixed !important; height: 100%; width: 100%; z-index: 99; background: red }",
        "#chat blockquote { margin-left: 200px !important }",
        "#evidence header h2 { white-space: nowrap; word-break: normal; width: 40px }",
    ],
)
def test_a_broken_layout_is_found(harm: str, browser: Browser, address: str) -> None:
    kept = json.loads(KEPT.read_text(encoding="utf-8"))["answer"]
    for page in _visit(browser, address, "ko-KR", 1280, 800):
        ask(page, KOREAN)
        page.wait_for_timeout(400)
        assert differences(page.evaluate(MEASURE, list(REGIONS["answer"])), kept, "answer") + page.evaluate(SOUND) == []
        page.add_style_tag(content=harm)
        page.wait_for_timeout(200)
        assert differences(page.evaluate(MEASURE, list(REGIONS["answer"])), kept, "answer") + page.evaluate(SOUND) != []
