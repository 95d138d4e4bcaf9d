"""The corpus's views in a real browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from rag.explore import timeline
from rag.pipeline import Pipeline
from tests.browser import ENGLISH, SECONDS, ask

LONG = 120 * SECONDS  # the first map of an index


def visit(browser: Browser, address: str, locale: str, width: int, height: int) -> Iterator[Page]:
    page = browser.new_page(locale=locale, viewport={"width": width, "height": height}, reduced_motion="reduce")
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith((address, "data:", "blob:")) else wrong.append(request.url))
    page.goto(address)
    expect(page.locator(".covers")).to_contain_text("98", timeout=60 * SECONDS)
    yield page
    page.close()
    assert wrong == [], "an error of the script, or a request to another host"


@pytest.fixture
def korean(browser: Browser, address: str) -> Iterator[Page]:
    yield from visit(browser, address, "ko-KR", 1280, 860)


@pytest.fixture
def english(browser: Browser, address: str) -> Iterator[Page]:
    yield from visit(browser, address, "en-GB", 1280, 860)


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Page]:
    yield from visit(browser, address, "ko-KR", 360, 740)


def view(page: Page, number: int) -> Locator:
    """The pane with the list (0), timeline (1), map (2) or comparison (3)."""
    page.locator(".views button").nth(number).click()
    content = (".topics li", ".timeline .event", ".map use", ".comparison td")[number]
    expect(page.locator(f"#evidence {content}").first).to_be_visible(timeout=LONG)
    return page.locator("#evidence")


def test_the_list_is_filtered_without_the_server(english: Page) -> None:
    rows = english.locator("#evidence .topics > li:visible")
    expect(rows).to_have_count(49)
    english.locator("#evidence .filters summary").click()
    place = english.locator("#evidence select[name=place]")
    korea = place.locator("option[value=KR]").text_content() or ""
    place.select_option("KR")
    count = int(re.findall(r"\((\d+)\)", korea)[0])
    expect(rows).to_have_count(count)
    expect(english.locator("#evidence .shown")).to_have_text(f"{count} of 49 topics")
    english.locator("#evidence select[name=kind]").select_option("law")
    assert 0 < rows.count() < count
    assert set(
        english.eval_on_selector_all("#evidence .topics > li:not([hidden])", "rows => rows.map(row => row.dataset.kind)")
    ) == {"law"}
    english.locator("#evidence select[name=dated]").select_option("asof")
    english.locator("#evidence input[name=since]").fill("2099-01-01")
    expect(rows).to_have_count(0)
    expect(english.locator("#evidence p.none")).to_be_visible()
    english.locator("#evidence .clear").click()
    expect(rows).to_have_count(49)
    english.locator("#evidence .find input").press_sequentially("musk")
    expect(rows).to_have_count(1)


def test_a_document_opens_and_the_list_comes_back_as_it_was(korean: Page) -> None:
    korean.locator("#evidence .filters summary").click()
    korean.locator("#evidence select[name=place]").select_option("JP")
    row = korean.locator("#evidence .topics > li:visible")
    expect(row).to_have_count(1)
    row.locator(".other").click()  # the English counterpart
    expect(korean.locator("#evidence header h2")).to_have_attribute("lang", "en")
    korean.locator(".browse").click()
    expect(row).to_have_count(1)
    expect(korean.locator("#evidence select[name=place]")).to_have_value("JP")
    korean.locator(".switch").click()
    expect(korean.locator("#evidence .explore")).to_have_attribute("lang", "en")
    expect(row).to_have_count(1)


def test_texts_are_searched_by_the_server(korean: Page) -> None:
    korean.locator("#evidence .find input").fill("워터마크")
    korean.keyboard.press("Enter")
    found = korean.locator("#evidence .found li")
    expect(found).to_have_count(15, timeout=30 * SECONDS)
    expect(korean.locator("#evidence .find input")).to_be_focused()
    expect(korean.locator("#evidence .topics > li:visible")).to_have_count(49)
    found.first.locator("button").click()
    expect(korean.locator("#evidence mark.current").first).to_be_in_viewport()
    expect(korean.locator("#evidence .text").first).to_contain_text("워터마크")


def test_the_timeline_opens_its_sentences(korean: Page, pipeline: Pipeline) -> None:
    pane = view(korean, 1)
    events = timeline.timeline(pipeline.index, "ko")
    expect(pane.locator(".event")).to_have_count(len(events))
    times = korean.eval_on_selector_all("#evidence .event time", "times => times.map(time => time.dateTime)")
    assert times == [event.when for event in events] == sorted(times)
    expect(pane.locator(".ahead")).to_have_count(1)
    pane.locator("select[name=place]").select_option("JP")
    shown = pane.locator(".event:visible")
    japanese = [event for event in events if event.jurisdiction == "JP"]
    expect(shown).to_have_count(len(japanese))
    shown.first.locator("button").first.click()
    expect(korean.locator("#evidence mark.quote.current").first).to_be_in_viewport()
    assert "".join(korean.locator("#evidence .text").first.locator("mark.current").all_text_contents()) == japanese[0].quote


def test_what_was_opened_from_the_corpus_leads_back(phone: Page) -> None:
    phone.locator(".masthead .browse").click()
    view(phone, 1).locator(".event > button").nth(30).click()
    expect(phone.locator("#evidence mark.current").first).to_be_visible()
    phone.locator("#evidence .back").click()
    expect(phone.locator("#evidence .timeline .event").nth(30)).to_be_in_viewport()
    expect(phone.locator("#pane")).to_be_visible()
    phone.locator("#evidence .close").click()
    ask(phone, ENGLISH).locator("a.cite").first.click()
    expect(phone.locator("#evidence mark.current").first).to_be_visible()
    assert phone.locator("#evidence .back").count() == 0, "an answer's evidence leads back to the answer"


def test_the_map_by_key_and_by_pointer(english: Page, pipeline: Pipeline) -> None:
    ask(english, ENGLISH)
    english.locator(".browse").click()
    pane = view(english, 2)
    found = {passage.chunk.id for passage in pipeline.invoke({"question": ENGLISH}).passages}
    expect(pane.locator(".map circle.found")).to_have_count(len(found))
    expect(pane.locator("section.found li")).to_have_count(len(found))
    assert pane.locator(".map use").count() == len(pipeline.index.pools["en"].chunks)
    assert pane.locator('.map use[tabindex="0"]').count() == 1, "one stop for the Tab key"
    pane.locator('.map use[tabindex="0"]').focus()
    label = pane.locator(".map .named")
    first = label.text_content()
    for key in ("ArrowLeft", "ArrowUp"):
        english.keyboard.press(key)
    assert label.text_content() != first
    pane.locator(".switch button").last.click()
    legend = pane.locator(".legend:visible button")
    before = pane.locator(".map use.dim").count()
    legend.first.click()
    assert before == 0 < pane.locator(".map use.dim").count() < pane.locator(".map use").count()
    legend.first.click()
    point = pane.locator(".map use").nth(40)
    name = (point.get_attribute("aria-label") or "").split(" › ")[0]
    box = point.bounding_box()
    assert box
    english.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(english.locator("#evidence header h2")).to_have_text(name.removeprefix(f"{name[0]}. ") if name[1:3] == ". " else name)
    expect(english.locator("#evidence mark.current").first).to_be_in_viewport()


def test_a_comparison_quotes_or_says_that_it_cannot(english: Page) -> None:
    pane = view(english, 3)
    for place in ("US", "CN"):
        pane.locator(f'.compared [value="{place}"]').uncheck()
        expect(pane.locator(f'.comparison th:text-is("{ {"US": "United States", "CN": "China"}[place] }")')).to_have_count(0)
    pane.locator('.compared [value="IN"]').check()
    pane.locator(".compared select").select_option("fines")
    table = english.get_by_role("table")
    expect(table.locator("caption")).to_have_text("Fines: quotes by jurisdiction")
    rows = table.locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(english.get_by_role("rowheader")).to_have_text(["EU", "Korea", "India"])
    expect(rows.nth(2).locator("td")).to_have_text("No source")
    expect(rows.nth(0).locator("blockquote")).to_contain_text("EUR 35 million")
    rows.nth(1).locator("td button").click()
    expect(english.locator("#evidence mark.quote.current").first).to_be_in_viewport()
    english.locator(".browse").click()
    expect(english.get_by_role("table").locator("caption")).to_have_text("Fines: quotes by jurisdiction")


def test_on_a_phone_the_corpus_is_a_sheet(phone: Page) -> None:
    sheet = phone.locator("#pane")
    expect(sheet).to_be_hidden()
    phone.locator(".browse").click()
    expect(sheet).to_be_visible()
    for number in range(4):
        view(phone, number)
        assert phone.evaluate(
            "document.querySelector('#pane').scrollWidth <= innerWidth && document.documentElement.scrollWidth <= innerWidth"
        )
    phone.locator("#evidence .close").click()
    expect(sheet).to_be_hidden()
