"""Judging an answer in a real browser: pressed, changed, taken back, and what the server's file then holds."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from rag.ui.judging import JUDGING_STRINGS, JudgingStrings
from tests.browser import ENGLISH, KOREAN, REFUSED, SECONDS, ask, served
from tests.test_accessibility import findings
from tests.test_controls import LOCALES, visit


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "folder" / "feedback.jsonl"


@pytest.fixture(scope="module")
def judging(index_dir: Path, kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("server") / "log", index=str(index_dir), feedback=str(kept)) as url:
        yield url


@pytest.fixture(params=["ko", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def strings(language: str) -> JudgingStrings:
    return JUDGING_STRINGS["ko" if language == "ko" else "en"]


@pytest.fixture(params=[(1360, 860), (360, 740)], ids=["desktop", "phone"])
def page(browser: Browser, judging: str, kept: Path, language: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    kept.unlink(missing_ok=True)
    yield from visit(browser, judging, language, request.param)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def expect_kept(page: Page, path: Path, *verdicts: tuple[str, int | None]) -> None:
    for _ in range(100):
        if [(line["verdict"], line["marker"]) for line in lines(path)] == list(verdicts):
            return
        page.wait_for_timeout(50)
    assert [(line["verdict"], line["marker"]) for line in lines(path)] == list(verdicts)


def button(answer: Locator, verdict: str) -> Locator:
    return answer.locator(f".judge button.{verdict}")


def pressed(answer: Locator) -> list[str | None]:
    return [found.get_attribute("class") for found in answer.locator('.judge button[aria-pressed="true"]').all()]


def test_judged_changed_and_taken_back_by_keyboard(page: Page, kept: Path, language: str, strings: JudgingStrings) -> None:
    question = KOREAN if language == "ko" else ENGLISH
    answer = ask(page, question)
    group = answer.get_by_role("group", name=strings.group)
    for label in strings.verdicts.values():
        expect(group.get_by_role("button", name=label, exact=True, pressed=False)).to_be_visible()
    expect(group).to_contain_text(strings.note)
    assert lines(kept) == []

    button(answer, "helpful").focus()
    page.keyboard.press("Enter")
    expect(button(answer, "helpful")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#said")).to_have_text(strings.thanks)
    expect(button(answer, "helpful")).to_be_focused()
    expect_kept(page, kept, ("helpful", None))

    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(button(answer, "not-helpful")).to_have_attribute("aria-pressed", "true")
    expect_kept(page, kept, ("not-helpful", None))
    assert pressed(answer) == ["not-helpful"]

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name=strings.title)
    expect(dialog).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page must not scroll sideways"
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button(answer, "wrong-citation")).to_be_focused()
    expect_kept(page, kept, ("not-helpful", None))
    page.keyboard.press("Enter")
    numbers = answer.locator("blockquote a.cite").all_text_contents()
    expect(dialog.locator("option")).to_have_text(numbers)
    dialog.get_by_label(strings.which).select_option(str(len(numbers)))
    dialog.locator("textarea").fill("\x07<b>not what it says</b>\nat all")
    assert dialog.locator("textarea").get_attribute("maxlength") == "500"
    dialog.get_by_role("button", name=strings.send).press("Enter")
    expect(dialog).to_be_hidden()
    expect(button(answer, "wrong-citation")).to_have_attribute("aria-pressed", "true")
    expect_kept(page, kept, ("wrong-citation", len(numbers)))
    [line] = lines(kept)
    assert (line["question"], line["comment"]) == (question, "<b>not what it says</b>\nat all")
    assert [citation["marker"] for citation in line["citations"]] == list(range(1, len(numbers) + 1))

    second = ask(page, REFUSED)  # draws the conversation anew: what is pressed stays
    assert pressed(answer) == ["wrong-citation"]
    expect(second.locator(".judge button")).to_have_count(2)
    button(second, "helpful").click()
    expect_kept(page, kept, ("wrong-citation", len(numbers)), ("helpful", None))
    assert lines(kept)[1]["history"] == [question] and lines(kept)[1]["refused"]

    button(answer, "wrong-citation").click()
    expect(answer.locator(".judge .said")).to_have_text(strings.taken_back)
    expect_kept(page, kept, ("helpful", None))
    assert pressed(answer) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("page", [(1360, 860)], indirect=True)
@pytest.mark.parametrize("language", ["ko"], indirect=True)
def test_another_answer_to_the_same_question_is_not_judged_yet(page: Page, kept: Path) -> None:
    answer = ask(page, KOREAN)
    button(answer, "helpful").click()
    expect_kept(page, kept, ("helpful", None))
    page.locator('[data-act="again"]').click()
    expect(button(answer, "helpful")).to_have_attribute("aria-pressed", "false", timeout=30 * SECONDS)
    button(answer, "helpful").click()
    expect_kept(page, kept, ("helpful", None), ("helpful", None))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_without_serious_findings(browser: Browser, judging: str, language: str, scheme: Any, strings: JudgingStrings) -> None:
    page = browser.new_page(
        locale=LOCALES[language], viewport={"width": 360, "height": 740}, color_scheme=scheme, reduced_motion="reduce"
    )
    page.goto(judging)
    expect(page.locator(".welcome .chip")).to_have_count(6, timeout=30 * SECONDS)
    answer = ask(page, KOREAN if language == "ko" else ENGLISH)
    button(answer, "helpful").click()
    expect(answer.locator(".judge .said")).to_have_text(strings.thanks)
    found = findings(page, "judged")
    button(answer, "wrong-citation").click()
    expect(page.get_by_role("dialog", name=strings.title)).to_be_visible()
    found += findings(page, "dialog")
    page.close()
    assert found == []


def test_a_disk_that_cannot_be_written_and_no_buttons_without_a_file(browser: Browser, index_dir: Path, tmp_path: Path) -> None:
    """Chromium serves both, one after the other."""
    (tmp_path / "file").write_text("")
    with served(tmp_path / "log", index=str(index_dir), feedback=str(tmp_path / "file" / "feedback.jsonl")) as url:
        page = browser.new_page(locale="ko-KR")
        page.goto(url)
        answer = ask(page, KOREAN)
        strings = JUDGING_STRINGS["ko"]
        button(answer, "not-helpful").click()
        expect(answer.locator(".judge .said.failed")).to_have_text(strings.problems["unwritable"])
        expect(page.locator("#said")).to_have_text(strings.problems["unwritable"])
        assert pressed(answer) == []
        ask(page, REFUSED)
        page.close()
    with served(tmp_path / "log", index=str(index_dir), feedback="") as url:
        page = browser.new_page(locale="ko-KR")
        page.goto(url)
        expect(ask(page, KOREAN).locator(".judge")).to_be_hidden()
        page.close()
