"""The conversation's controls in a real browser: regenerate, edit, stop, begin anew, save."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from rag import export
from rag.pipeline import Pipeline
from rag.ui import render
from rag.ui.strings import STRINGS
from tests.browser import SECONDS, ask, expect_marked, served

KOREAN, ENGLISH = "왜 머스크는 소송을 냈나?", "Who controls OpenAI?"
LOCALES = {"ko": "ko-KR", "en": "en-GB"}


@pytest.fixture(params=["ko", "en"])
def language(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=[(1360, 860), (360, 740)], ids=["desktop", "phone"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    found: tuple[int, int] = request.param
    return found


@pytest.fixture
def page(browser: Browser, address: str, language: str, size: tuple[int, int]) -> Iterator[Page]:
    yield from visit(browser, address, language, size)


@pytest.fixture
def desktop(browser: Browser, address: str) -> Iterator[Page]:
    yield from visit(browser, address, "ko", (1360, 860))


def visit(browser: Browser, address: str, language: str, size: tuple[int, int]) -> Iterator[Page]:
    viewport = {"width": size[0], "height": size[1]}
    page = browser.new_page(locale=LOCALES[language], viewport=viewport, reduced_motion="reduce")  # type: ignore[arg-type]
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    expect(page.locator(".welcome .chip")).to_have_count(6, timeout=30 * SECONDS)
    yield page
    page.close()
    assert errors == []


def test_a_stopped_answer_keeps_what_was_said(pipeline: Pipeline) -> None:
    growing, *_, whole = (
        render.answer(answer, pipeline.index.documents, 0, "") for answer in pipeline.stream({"question": KOREAN})
    )
    for strings in STRINGS.values():
        stopped = render.stopped(growing, strings)
        said = growing.removeprefix('<div class="answer growing"').removesuffix("</div>")
        assert said in stopped and strings.stopped in stopped and "growing" not in stopped
        assert render.is_answer(growing) and render.is_answer(stopped) and not render.is_answer(render.waiting(""))
        assert render.stopped(whole, strings) == whole and "growing" not in whole
        assert render.stopped(stopped, strings) == stopped


@pytest.mark.parametrize("question", [KOREAN, "a\n<b> & \"c\" 'd' &amp; <br>"])
def test_the_question_comes_back_as_it_was_asked(question: str) -> None:
    assert render.asked_text(render.asked(question, "en")) == question


def button(page: Page, act: str) -> Locator:
    return page.locator(f'[data-act="{act}"]')


def box(page: Page) -> Locator:
    return page.locator("#question textarea")


def test_the_controls_come_with_the_first_answer_and_have_names(page: Page, language: str) -> None:
    expect(page.locator("#controls")).to_be_hidden()
    ask(page, KOREAN)
    strings = STRINGS["ko" if language == "ko" else "en"]
    group = page.get_by_role("group", name=strings.controls)
    named = [strings.again, strings.edit, strings.save.format(kind=".md"), strings.save.format(kind=".json"), strings.new]
    for name in named:
        expect(group.get_by_role("button", name=name, exact=True)).to_be_visible()
    expect(group.get_by_role("button")).to_have_count(len(named))  # no Stop where nothing runs
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page must not scroll sideways"
    tops = {round((found.bounding_box() or {"y": -1})["y"]) for found in group.get_by_role("button").all()}
    assert len(tops) == 1, "the controls stand in one row"


def test_an_edited_question_takes_the_place_of_the_last(page: Page) -> None:
    ask(page, KOREAN)
    ask(page, KOREAN)
    button(page, "edit").click()
    expect(page.locator("#editing [role=status]")).to_be_visible()
    expect(page.locator("#controls")).to_be_hidden()
    expect(box(page)).to_have_value(KOREAN)
    expect(box(page)).to_be_focused()
    assert box(page).evaluate("box => box.selectionStart") == len(KOREAN), "the cursor stands at the end"
    box(page).fill(ENGLISH)
    page.keyboard.press("Enter")
    expect(page.locator("#chat .asked")).to_have_text([KOREAN, ENGLISH])
    expect(page.locator("#chat .bot-row").nth(1)).to_contain_text("OpenAI Foundation", timeout=30 * SECONDS)
    expect(page.locator("#editing .editing")).to_have_count(0)
    expect(button(page, "edit")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_editing_is_left_without_a_trace(desktop: Page) -> None:
    answer = ask(desktop, KOREAN).inner_text()
    for by_key in (True, False):
        button(desktop, "edit").click()
        expect(box(desktop)).to_have_value(KOREAN)
        if by_key:
            desktop.keyboard.press("Escape")
        else:
            button(desktop, "keep").click()
        expect(box(desktop)).to_have_value("")
        expect(desktop.locator("#editing .editing")).to_have_count(0)
    expect(box(desktop)).to_be_focused()
    assert desktop.locator("#chat .bot-row").inner_text() == answer
    ask(desktop, ENGLISH)
    expect(desktop.locator("#chat .asked")).to_have_text([KOREAN, ENGLISH])


def test_a_question_that_failed_is_edited_and_its_evidence_opens(desktop: Page, pipeline: Pipeline) -> None:
    """The answers before it stay: a failed question has none that could go."""
    ask(desktop, KOREAN)
    box(desktop).fill("가" * 5000)
    desktop.keyboard.press("Enter")
    expect(desktop.locator("#chat .problem")).to_be_visible(timeout=30 * SECONDS)
    button(desktop, "edit").click()
    expect(box(desktop)).to_have_value("가" * 5000)
    box(desktop).fill(ENGLISH)
    desktop.keyboard.press("Enter")
    expect(desktop.locator("#chat .problem")).to_have_count(0, timeout=30 * SECONDS)
    answers = desktop.locator("#chat .bot-row")
    expect(answers.nth(1).locator(".footer")).to_be_visible(timeout=30 * SECONDS)
    for row, question, history in ((1, ENGLISH, [KOREAN]), (0, KOREAN, [])):
        past = [{"role": "user", "content": asked} for asked in history]
        expected = pipeline.invoke({"question": question, "history": past}).citations[0]  # type: ignore[typeddict-item]
        answers.nth(row).locator("blockquote a.cite").first.click()
        expect_marked(desktop, expected.quote)


def test_regenerate_by_keyboard(desktop: Page) -> None:
    hostile = '두 줄로\n<b>왜</b> 머스크는  소송을 "냈나" & 언제?'
    box(desktop).fill(hostile)
    desktop.keyboard.press("Enter")
    expect(desktop.locator("#chat .footer, #chat .refusal")).to_be_visible(timeout=30 * SECONDS)
    desktop.evaluate("document.querySelector('#chat .answer').classList.add('old')")
    button(desktop, "again").focus()
    desktop.keyboard.press("Enter")
    expect(desktop.locator("#chat .answer:not(.old) :is(.footer, .refusal, .answer > *)").first).to_be_visible(
        timeout=30 * SECONDS
    )
    expect(desktop.locator("#chat .asked")).to_have_count(1)
    assert desktop.locator("#chat .asked").evaluate("element => element.textContent") == hostile.replace("\n", "")
    assert desktop.evaluate("document.activeElement.matches('#chat .panel-wrap')"), "the focus stays in the conversation"


def test_a_new_conversation(page: Page) -> None:
    ask(page, KOREAN)
    button(page, "new").click()
    expect(page.locator(".welcome")).to_be_visible()
    expect(page.locator("#chat .message-row")).to_have_count(0)
    expect(page.locator("#controls")).to_be_hidden()
    expect(box(page)).to_be_focused()
    ask(page, "언제?")  # with the first question it would be understood as a follow-up, and answered
    expect(page.locator("#chat .asked")).to_have_count(1)
    expect(page.locator("#chat .refusal")).to_be_visible()


@pytest.mark.parametrize("size", [(1360, 860)], indirect=True)
def test_the_saved_conversation_is_verified(page: Page, language: str, pipeline: Pipeline, tmp_path: Path) -> None:
    ask(page, KOREAN)
    ask(page, ENGLISH)
    for act, ending in (("json", ".json"), ("markdown", ".md"), ("json", ".json")):  # the same one twice as well
        with page.expect_download() as saved:
            button(page, act).click()
        assert saved.value.suggested_filename.startswith("jiphyeon-20") and saved.value.suggested_filename.endswith(ending)
        saved.value.save_as(tmp_path / act)
    answers = export.read(tmp_path / "json")
    assert [answer.question for answer in answers] == [KOREAN, ENGLISH]
    found = list(export.verify(answers, pipeline.index.documents))
    assert {quote.answer for quote in found} == {"1", "2"} and {quote.outcome for quote in found} == {"stands"}
    written = (tmp_path / "markdown").read_text(encoding="utf-8")
    assert ("## 출처" if language == "ko" else "## Sources") in written
    assert all(" ".join(quote.quote.split()) in written for quote in found)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_stop(browser: Browser, tmp_path: Path, language: str) -> None:
    """While the first index is built a question waits: long enough to stop it for certain."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number in range(150):
        text = "\n\n".join(
            f"Rule {line} of harbour {number} says that ships of class {line} may pay {number}." for line in range(40)
        )
        (corpus / f"harbour-{number}.md").write_text(f"# Harbour {number}\n\n{text}\n", encoding="utf-8")
    with served(tmp_path / "log", index=str(tmp_path / "index"), corpus=str(corpus)) as url:
        page = browser.new_page(locale=LOCALES[language])
        page.goto(url)
        box(page).fill("What do ships pay in harbour 7?")
        page.keyboard.press("Enter")
        expect(page.locator("#chat .waiting")).to_be_visible(timeout=20 * SECONDS)
        expect(page.locator("#controls button:visible")).to_have_count(1)
        button(page, "stop").click()
        strings = STRINGS["ko" if language == "ko" else "en"]
        expect(page.locator("#chat .stopped")).to_have_text(strings.stopped)
        expect(page.locator("#chat .waiting")).to_have_count(0)
        expect(button(page, "stop")).to_be_hidden()
        page.wait_for_timeout(2500)  # a run that went on would write over it: it tells how far it is twice a second
        expect(page.locator("#chat .stopped")).to_be_visible()
        box(page).fill("What do ships of class 3 pay in harbour 9?")  # the page takes questions again
        page.keyboard.press("Enter")
        expect(page.locator("#chat .waiting")).to_be_visible(timeout=20 * SECONDS)
        expect(page.locator("#chat .user-row")).to_have_count(2)
        page.close()
