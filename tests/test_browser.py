"""The page in a real browser, served by a real process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from rag.pipeline import Pipeline
from rag.types import Answer
from tests.browser import ENGLISH, KOREAN, REFUSED, SECONDS, ask, expect_marked, served


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Page]:
    yield from _visit(browser, address, "ko-KR", 1360, 860)


@pytest.fixture
def visit_in_english(browser: Browser, address: str) -> Iterator[Page]:
    yield from _visit(browser, address, "en-GB", 1360, 860)


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Page]:
    yield from _visit(browser, address, "ko-KR", 390, 844)


def _visit(browser: Browser, address: str, locale: str, width: int, height: int) -> Iterator[Page]:
    page = browser.new_page(locale=locale, viewport={"width": width, "height": height}, reduced_motion="reduce")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    expect(page.locator(".welcome .chip")).to_have_count(6, timeout=30 * SECONDS)
    yield page
    page.close()
    assert errors == []


@pytest.mark.parametrize(("fixture", "question"), [("visit", KOREAN), ("visit_in_english", ENGLISH)])
def test_every_marker_opens_its_quote(fixture: str, question: str, pipeline: Pipeline, request: pytest.FixtureRequest) -> None:
    page: Page = request.getfixturevalue(fixture)
    expect(page.locator("#question textarea")).to_be_focused()
    expected: Answer = pipeline.invoke({"question": question})
    answer = ask(page, question)
    markers = answer.locator("blockquote a.cite")
    expect(markers).to_have_count(len(expected.citations))
    expect_marked(page, expected.citations[0].quote)  # open without a click
    for number, citation in reversed(list(enumerate(expected.citations))):
        markers.nth(number).focus()
        page.keyboard.press("Enter")
        expect_marked(page, citation.quote)
        expect(page.locator("#evidence header h2")).to_have_text(citation.title)
        expect(page.locator("#evidence .text").first).to_have_attribute("lang", citation.language)
        expect(page.locator("#evidence mark.quote.current").first).to_be_in_viewport()
        expect(answer.locator("blockquote").nth(number)).to_have_attribute("lang", citation.language)
    page.locator("#evidence [role=tab]").nth(1).click()
    expect(page.locator("#evidence .outline")).to_be_visible()
    expect_marked(page, expected.citations[0].quote)
    expect(page.locator("#evidence mark.quote.current").first).to_be_in_viewport()
    if len(expected.citations) > 1:
        page.locator("#evidence .steps button").last.click()
        expect_marked(page, expected.citations[1].quote)


def test_the_counterpart_section_is_shown(visit: Page) -> None:
    ask(visit, KOREAN)
    expect(visit.locator("#evidence .counterpart .text")).to_have_attribute("lang", "en")
    expect(visit.locator("#evidence .counterpart h4")).to_be_visible()


def test_a_refusal_is_a_card(visit: Page) -> None:
    answer = ask(visit, REFUSED)
    expect(answer.locator(".refusal .nearest a")).to_have_count(3)
    expect(answer.locator("blockquote")).to_have_count(0)
    answer.locator(".refusal .nearest a").nth(1).click()
    expect(visit.locator('#evidence [data-target="p2"], #evidence [data-target="p3"]')).to_be_visible()
    expect(visit.locator("#evidence .text mark.near").first).to_be_visible()
    chips = answer.locator(".chip")
    expect(chips).to_have_count(2)
    chips.first.click()
    expect(visit.locator("#chat .asked").nth(1)).to_have_text(chips.first.text_content() or "")
    expect(visit.locator("#chat .answer")).to_have_count(2, timeout=30 * SECONDS)


def test_a_long_passage_beside_a_refusal_leaves_the_word_that_it_does_not_answer(visit: Page) -> None:
    visit.set_viewport_size({"width": 1280, "height": 600})
    ask(visit, "What does Article 150 of the EU AI Act say?")
    passage = visit.locator("#evidence .text mark.current")
    expect(passage.first).to_be_in_viewport()
    assert passage.last.evaluate("mark => mark.getBoundingClientRect().bottom / innerHeight") > 0.9, "a long one"
    expect(visit.locator("#evidence .tools .hint")).to_be_in_viewport()


def test_an_example_is_asked_with_a_click_and_the_page_changes_language(visit: Page) -> None:
    visit.locator(".switch").click()
    expect(visit.locator("html")).to_have_attribute("lang", "en")
    expect(visit.locator("#question textarea")).to_have_attribute("placeholder", "Ask about AI governance")
    visit.locator(".welcome .chip").first.click()
    expect(visit.locator("#chat .footer")).to_be_visible(timeout=30 * SECONDS)
    expect(visit.locator(".welcome")).to_be_hidden()
    expect(visit.locator("#evidence .steps")).to_contain_text("Quote 1 of")


def test_on_a_phone_the_evidence_is_a_sheet(phone: Page) -> None:
    answer = ask(phone, KOREAN)
    sheet = phone.locator("#pane")
    expect(sheet).to_be_hidden()
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page must not scroll sideways"
    marker = answer.locator("a.cite").first
    marker.click()
    expect(sheet).to_be_visible()
    expect(phone.locator("#evidence mark.quote.current").first).to_be_in_viewport()
    expect(phone.locator("#chat .asked")).to_be_in_viewport()
    top = sheet.bounding_box()
    asked = phone.locator("#chat .asked").bounding_box()
    assert top and asked and asked["y"] + asked["height"] <= top["y"], "the question stays visible above the sheet"
    phone.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(marker).to_be_focused()
    marker.click()
    phone.locator("#evidence .close").click()
    expect(sheet).to_be_hidden()


def test_enter_that_ends_a_syllable_does_not_send(visit: Page) -> None:
    box = visit.locator("#question textarea")
    box.fill("머스크 소")
    press = """(box, options) => {
        for (const type of ["keydown", "keypress"])
            box.dispatchEvent(new KeyboardEvent(type, {key: "Enter", code: "Enter", bubbles: true, cancelable: true, ...options}))
    }"""
    box.dispatch_event("compositionstart")
    box.evaluate(press, {"isComposing": True})
    box.dispatch_event("compositionend")
    box.evaluate(press, {"keyCode": 229})  # as Safari reports it
    visit.wait_for_timeout(700)
    assert visit.locator("#chat .user-row").count() == 0
    expect(box).to_have_value("머스크 소")
    box.evaluate(press, {})  # the same keys without a composition do send: the test can fail
    expect(visit.locator("#chat .user-row")).to_have_count(1)


def test_html_in_a_question_is_text(visit: Page) -> None:
    hostile = '<img src=x onerror="window.harm=1"> **왜** <b>머스크</b>는 소송을 냈나?'
    ask(visit, hostile)
    expect(visit.locator("#chat .asked")).to_have_text(hostile)
    assert visit.evaluate("window.harm") is None
    assert visit.locator("#chat .asked *").count() == 0


def test_an_empty_question_and_one_too_long_are_told(visit: Page) -> None:
    visit.locator("#question textarea").fill("   ")
    visit.keyboard.press("Enter")
    visit.wait_for_timeout(1500)  # the page takes no second question while the first is on its way
    visit.locator("#question textarea").fill("가" * 5000)
    visit.locator("#question textarea").press("Enter")
    expect(visit.locator("#chat .problem")).to_contain_text("4,000", timeout=30 * SECONDS)
    assert visit.locator("#chat .user-row").count() == 1


def test_a_question_asked_during_the_first_build_waits_and_is_answered(browser: Browser, tmp_path: Path) -> None:
    """With files of one's own, one of them hostile: its HTML is shown as text, in the answer and in the document."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    sentence = "The harbour was closed because <img src=x onerror='window.harm=1'> the **ice** [9] was [thick](javascript:alert)."
    (corpus / "harbour.md").write_text(f"# The harbour\n\n{sentence}\n\n<script>window.harm=1</script>\n", encoding="utf-8")
    (corpus / "bread.md").write_text("# Bread\n\nBread is baked from flour.\n\nThe oven is hot.\n", encoding="utf-8")
    with served(tmp_path / "log", index=str(tmp_path / "index"), corpus=str(corpus)) as url:
        page = browser.new_page(locale="en-GB")
        page.goto(url)
        page.locator("#question textarea").fill("Why was the harbour closed?")
        page.keyboard.press("Enter")
        expect(page.locator("#chat .waiting")).to_contain_text("preparing", timeout=20 * SECONDS)
        expect(page.locator("#chat .footer")).to_be_visible(timeout=90 * SECONDS)
        assert sentence in page.locator("#chat blockquote").first.inner_text()
        page.locator("#evidence [role=tab]").nth(1).click()
        expect(page.locator("#evidence .text")).to_contain_text("<script>window.harm=1</script>")
        assert page.locator("#evidence .text :is(img, script, a), #chat blockquote :is(img, a:not(.cite))").count() == 0
        assert page.evaluate("window.harm") is None
        page.close()
