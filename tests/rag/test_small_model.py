"""The whole pipeline with a real small chat model: whatever it writes, what is shown holds."""

import json
import re
import urllib.request
from typing import Any

import pytest
from langchain.chat_models import init_chat_model

from rag.answer.frame import UNVERIFIED, notice
from rag.answer.generate import ABSTENTION, speaks
from rag.chat import open_chats
from rag.config import Settings
from rag.errors import FallbackReason
from rag.pipeline import Pipeline
from rag.types import Answer, Language
from tests.small_model import MARKED, NAME

EIGHT_TOKENS = {"max_tokens": 8, "ignore_eos": True}
# Why quotes take the place of what a model wrote that answered in time and without an error.
WRITES_BADLY: tuple[FallbackReason, ...] = ("empty", "abstained", "unverified", "language")


def written_by(pipeline: Pipeline, url: str, **arguments: Any) -> Pipeline:
    """The pipeline with the model; `arguments` go with each call to it. Its limits are wide: a busy machine is no failure."""
    settings = Settings(chat_base_url=url, chat_model=f"openai:{NAME}", chat_tokens=500, chat_silence=300, chat_seconds=600)
    model = init_chat_model(f"openai:{NAME}", base_url=url, api_key="none", max_retries=0, **arguments)
    return Pipeline(pipeline.index, pipeline.embedder, chats=open_chats(settings, model))


def assert_holds(pipeline: Pipeline, answer: Answer, language: Language) -> None:
    """Quotes are spans, markers have citations, and nothing that a model wrote stands there unchecked: whatever it wrote.

    Its words differ with the processor that it runs on, so none of them is expected, and none is looked for among quotes.
    """
    assert answer.language == language and answer.citations
    for number, citation in enumerate(answer.citations, start=1):
        assert citation.marker == number and f"[{number}]" in answer.text
        assert pipeline.index.documents[citation.document_id].text[citation.start : citation.end] == citation.quote
    kept = [failed.claim for failed in answer.unsupported if failed.kept]
    dropped = [failed.claim for failed in answer.unsupported if not failed.kept]
    if answer.mode == "extractive":
        honest = pipeline.invoke({"question": answer.question})
        assert (answer.text, answer.citations) == (honest.text, honest.citations), "what it wrote has left a trace"
        assert answer.notice in {notice(reason, NAME, language) for reason in WRITES_BADLY}
        return
    assert answer.model == NAME and answer.notice in ("", notice("cut", NAME, language))
    *shown, rest = re.split(rf"(?:\s*\[\d+\])+(?:\s+|$)| {re.escape(UNVERIFIED[language])}(?:\s+|$)", answer.text)
    assert rest == "", "the last sentence has neither marker nor label"
    assert all(f"{claim} {UNVERIFIED[language]}" in answer.text for claim in kept)
    assert not {*dropped, ABSTENTION[language]} & set(shown)
    assert speaks(" ".join([answer.text, *dropped]), language)


def test_it_is_a_server_that_streams(small_model_url: str) -> None:
    with urllib.request.urlopen(f"{small_model_url}/models", timeout=60) as reply:
        assert json.load(reply)["data"][0]["id"] == NAME
    said = [{"role": "user", "content": "Count from 1 to 5."}]
    body = json.dumps({"model": NAME, "stream": True, "messages": said, **EIGHT_TOKENS}).encode()
    request = urllib.request.Request(f"{small_model_url}/chat/completions", body)
    with urllib.request.urlopen(request, timeout=300) as reply:
        assert reply.headers["Content-Type"].startswith("text/event-stream")
        events = [line.decode().removeprefix("data: ").strip() for line in reply if line.startswith(b"data: ")]
    assert events[-1] == "[DONE]" and len(events) >= 5


def test_langchain_streams_from_it_and_it_says_the_same_twice(small_model_url: str) -> None:
    model = init_chat_model(f"openai:{NAME}", base_url=small_model_url, api_key="none", extra_body=EIGHT_TOKENS)
    first, second = ([chunk.text for chunk in model.stream("What is a law?")] for _ in range(2))
    assert sum(map(bool, first)) > 3 and first == second


@pytest.mark.parametrize(
    ("question", "language", "arguments"),
    [
        ("Who controls OpenAI?", "en", {}),
        ("AI 기본법을 어기면 과태료는 얼마인가?", "ko", {}),
        ("Who controls OpenAI?", "en", {"extra_body": {"grammar": MARKED}}),
        ("How large is the fine under Korea's AI Basic Act?", "en", {"extra_body": {"grammar": MARKED}}),
    ],
)
def test_whatever_it_writes_what_is_shown_holds(
    pipeline: Pipeline, small_model_url: str, question: str, language: Language, arguments: dict[str, Any]
) -> None:
    answer = written_by(pipeline, small_model_url, **arguments).invoke({"question": question})
    assert_holds(pipeline, answer, language)


def test_where_the_corpus_has_no_answer_it_is_not_asked(pipeline: Pipeline) -> None:
    nowhere = written_by(pipeline, "http://127.0.0.1:9/v1")  # nothing listens there
    answer = nowhere.invoke({"question": "How do I bake sourdough bread?"})
    assert answer.refused and answer.notice == ""
