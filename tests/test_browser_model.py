"""The page with chat models, in a real browser: who wrote, what was not verified, what failed, the choice."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from rag.pipeline import Pipeline
from rag.ui.strings import ENGLISH, KOREAN
from tests.browser import SECONDS, ask, expect_marked, served
from tests.scripted_model import Reply, Request, Scripted, passage_with, prompt, scripted

QUESTION = "How large is the fine under Korea's AI Basic Act?"
TRUE = "KRW 30 million"


@pytest.fixture(scope="module")
def model(pipeline: Pipeline) -> Iterator[Scripted]:
    """It answers the question with a true sentence, one with an invented number and one of its own; it fails at any other."""
    quote = next(c.quote for c in pipeline.invoke({"question": QUESTION}).citations if TRUE in c.quote)

    def script(request: Request) -> Reply:
        if QUESTION not in prompt(request):
            return Reply(status=500)
        marker = f"[{passage_with(request, quote)}]"
        text = f"{quote} {marker} {quote.replace(TRUE, 'KRW 95 million')} {marker} I like it."
        return Reply(text=text, pause=0.05)

    with scripted(script) as server:
        yield server


@pytest.fixture(scope="module")
def page(browser: Browser, model: Scripted, index_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    names = "openai:scripted,openai:other"
    log = tmp_path_factory.mktemp("server") / "log"
    with served(log, index=str(index_dir), chat_model=names, chat_base_url=model.url) as url:
        page = browser.new_page(locale="en-GB", viewport={"width": 1360, "height": 860}, reduced_motion="reduce")
        page.goto(url)
        expect(page.locator(".welcome .chip")).to_have_count(6, timeout=60 * SECONDS)
        yield page
        page.close()


def test_what_is_written_is_told_from_what_is_quoted(page: Page, model: Scripted, pipeline: Pipeline) -> None:
    page.locator("#question textarea").fill(QUESTION)
    page.keyboard.press("Enter")
    answer = page.locator("#chat .bot-row").last
    expect(answer.locator(".writing")).to_contain_text("openai:scripted is writing", timeout=60 * SECONDS)
    expect(answer.locator("a.cite")).to_have_text("[1]", timeout=30 * SECONDS)  # checked before the rest is written
    expect(answer.locator(".footer")).to_contain_text("written by openai:scripted", timeout=30 * SECONDS)
    expect(answer.locator(".footer")).to_contain_text(ENGLISH.failed.format(count=2))
    expect(answer.locator(".unverified")).to_contain_text("KRW 95 million")
    expect(answer.locator(".unverified small")).to_contain_text("not verified")
    expect(answer.locator(".writing, blockquote")).to_have_count(0)
    expect(answer).not_to_contain_text("I like it")
    expect_marked(page, next(c.quote for c in pipeline.invoke({"question": QUESTION}).citations if TRUE in c.quote))


def test_a_failure_is_told_and_quotes_are_given(page: Page) -> None:
    answer = ask(page, "Who controls OpenAI?")
    expect(answer.locator(".notice")).to_contain_text("openai:scripted failed while answering")
    expect(answer.locator(".footer")).to_contain_text("quoted, not generated")
    assert answer.locator("blockquote a.cite").count() >= 1


def test_another_model_or_none_can_be_chosen(page: Page, model: Scripted) -> None:
    calls = len(model.requests)
    page.locator("#model input").click()
    page.get_by_role("option", name="openai:other").click()
    expect(ask(page, QUESTION).locator(".footer")).to_contain_text("written by openai:other")
    assert {request["model"] for request in model.requests[calls:]} == {"other"}
    page.locator(".switch").click()
    page.locator("#model input").click()
    page.get_by_role("option", name=KOREAN.quotes_only).click()
    calls = len(model.requests)
    answer = ask(page, QUESTION)
    expect(answer.locator("blockquote").first).to_be_visible()
    expect(answer.locator(".notice")).to_have_count(0)
    assert len(model.requests) == calls
