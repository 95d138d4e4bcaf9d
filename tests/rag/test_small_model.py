"""The whole pipeline with a real small chat model: whatever it writes, what is shown holds."""

import json
import re
import urllib.request
from typing import Any

import pytest
from langchain.chat_models import init_chat_model

from rag.answer.frame import UNVERIFIED
from rag.answer.generate import ABSTENTION, speaks
from rag.chat import open_chats
from rag.config import Settings
from rag.pipeline import Pipeline
from rag.types import Answer, Language
from tests.small_model import NAME

# Sentences with a marker behind each, which so small a model does not keep to by itself.
MARKED = r"""root ::= sentence (" " sentence){0,2}
sentence ::= [A-Z] [^.!?\[\]\n]{20,160} ". [" [1-9] "]" """


def written_by(pipeline: Pipeline, url: str, **arguments: Any) -> Pipeline:
    """The pipeline with the model; `arguments` go with each call to it. Its limits are wide: a busy machine is no failure."""
    settings = Settings(chat_base_url=url, chat_model=f"openai:{NAME}", chat_tokens=500, chat_silence=300, chat_seconds=600)
    model = init_chat_model(f"openai:{NAME}", base_url=url, api_key="none", max_retries=0, **arguments)
    return Pipeline(pipeline.index, pipeline.embedder, chats=open_chats(settings, model))


def assert_holds(pipeline: Pipeline, answer: Answer, language: Language) -> None:
    """Quotes are spans, markers have citations, and nothing that a model wrote stands there unchecked."""
    for number, citation in enumerate(answer.citations, start=1):
        assert citation.marker == number and f"[{number}]" in answer.text
        assert pipeline.index.documents[citation.document_id].text[citation.start : citation.end] == citation.quote
    assert answer.language == language and answer.citations
    if answer.mode == "extractive":
        assert answer.notice and not any(failed.claim in answer.text for failed in answer.unsupported if not failed.kept)
        return
    assert speaks(answer.text, language) and ABSTENTION[language] not in answer.text
    for sentence in re.split(r"(?<=\])\s+", answer.text):
        assert re.search(r"(\[\d+\])+$", sentence) or sentence.endswith(UNVERIFIED[language]), sentence


def test_it_is_a_server_that_streams(small_model_url: str) -> None:
    with urllib.request.urlopen(f"{small_model_url}/models", timeout=60) as reply:
        assert json.load(reply)["data"][0]["id"] == NAME
    body = {"model": NAME, "stream": True, "max_tokens": 8, "messages": [{"role": "user", "content": "Count from 1 to 5."}]}
    request = urllib.request.Request(f"{small_model_url}/chat/completions", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=300) as reply:
        assert reply.headers["Content-Type"].startswith("text/event-stream")
        events = [line.decode().removeprefix("data: ").strip() for line in reply if line.startswith(b"data: ")]
    assert events[-1] == "[DONE]" and len(events) >= 5


def test_langchain_streams_from_it_and_it_says_the_same_twice(small_model_url: str) -> None:
    model = init_chat_model(f"openai:{NAME}", base_url=small_model_url, api_key="none", max_tokens=24)
    first, second = ([chunk.text for chunk in model.stream("What is a law?")] for _ in range(2))
    assert sum(map(bool, first)) > 3 and first == second


@pytest.mark.parametrize(
    ("question", "language"), [("Who controls OpenAI?", "en"), ("AI 기본법을 어기면 과태료는 얼마인가?", "ko")]
)
def test_what_it_writes_freely(pipeline: Pipeline, small_model_url: str, question: str, language: Language) -> None:
    answer = written_by(pipeline, small_model_url).invoke({"question": question})
    assert_holds(pipeline, answer, language)


@pytest.mark.parametrize("question", ["Who controls OpenAI?", "How large is the fine under Korea's AI Basic Act?"])
def test_what_it_writes_with_a_marker_behind_each_sentence(pipeline: Pipeline, small_model_url: str, question: str) -> None:
    marked = written_by(pipeline, small_model_url, extra_body={"grammar": MARKED})
    answer = marked.invoke({"question": question})
    assert_holds(pipeline, answer, "en")
    assert answer.mode == "generative" or answer.unsupported, "it wrote nothing"
    assert {failed.reason for failed in answer.unsupported} <= {
        "unknown-marker",
        "number",
        "date",
        "provision",
        "name",
        "polarity",
        "meaning",
    }


def test_where_the_corpus_has_no_answer_it_is_not_asked(pipeline: Pipeline) -> None:
    nowhere = written_by(pipeline, "http://127.0.0.1:9/v1")  # nothing listens there
    answer = nowhere.invoke({"question": "How do I bake sourdough bread?"})
    assert answer.refused and answer.notice == ""
