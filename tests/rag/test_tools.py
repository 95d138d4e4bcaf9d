"""The tools for other programs: what they give is what their schemas say, and what they refuse says why."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from rag import tools
from rag.errors import QuestionError, RequestError
from rag.pipeline import Pipeline

KOREAN, ENGLISH = "왜 머스크는 소송을 냈나?", "Which practices does Article 5 ban?"


def call(pipeline: Pipeline, name: str, **arguments: Any) -> dict[str, Any]:
    """What the tool gives, checked against its own schema: every field there, none more, each of its type."""
    given = tools.call(lambda: pipeline, name, arguments)
    TypeAdapter(tools.TOOLS[name].result).validate_python(given)
    assert set(given) == set(tools.TOOLS[name].output_schema["properties"])
    return given


@pytest.mark.parametrize(("query", "document"), [(KOREAN, "musk-v-openai-ko"), (ENGLISH, "eu-ai-act-prohibited-en")])
def test_search_gives_passages_with_their_places(pipeline: Pipeline, query: str, document: str) -> None:
    given = call(pipeline, "search", query=query, limit=3)
    assert [found["rank"] for found in given["passages"]] == [1, 2, 3]
    assert given["passages"][0]["document_id"] == document
    for found in given["passages"]:
        text = pipeline.index.documents[found["document_id"]].text
        assert text[found["start"] : found["end"]] == found["text"]


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("query", [KOREAN, ENGLISH])
def test_search_in_one_language(pipeline: Pipeline, query: str, language: str) -> None:
    found = call(pipeline, "search", query=query, language=language)["passages"]
    assert len(found) == tools.PASSAGES and {passage["language"] for passage in found} == {language}
    topic = "musk-v-openai" if query == KOREAN else "eu-ai-act-prohibited"
    assert f"{topic}-{language}" in [passage["document_id"] for passage in found[:3]]


@pytest.mark.parametrize("question", [KOREAN, ENGLISH])
def test_ask_gives_the_pipelines_answer(pipeline: Pipeline, question: str) -> None:
    given, expected = call(pipeline, "ask", question=question), pipeline.invoke({"question": question}).to_json()
    assert {**given, "timings_ms": {}} == {**expected, "timings_ms": {}}


def test_ask_understands_a_follow_up(pipeline: Pipeline) -> None:
    history = [{"role": "user", "content": "한국의 AI 생성물 표시 의무"}, {"role": "assistant", "content": "…"}]
    given = call(pipeline, "ask", question="그럼 언제부터?", history=history)
    assert given["citations"][0]["document_id"] == "kr-ai-basic-act-transparency-ko"


def test_a_document_comes_whole_with_its_outline(pipeline: Pipeline) -> None:
    expected = pipeline.index.documents["musk-v-openai-ko"]
    given = call(pipeline, "document", id=expected.id)
    assert given["text"] == expected.text and given["end"] == given["characters"] == len(expected.text)
    assert given["counterpart"] == "musk-v-openai-en" and given["sources"]
    assert len(given["outline"]) > 2
    for heading in given["outline"]:
        line = expected.text[heading["start"] :].split("\n", 1)[0]
        assert line.startswith("#" * heading["level"] + " ") and heading["title"] in line


def test_a_long_document_comes_in_parts(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = pipeline.index.documents["musk-v-openai-en"].text
    assert call(pipeline, "document", id="musk-v-openai-en", start=10, end=30)["text"] == whole[10:30]
    monkeypatch.setattr(tools, "MOST_CHARACTERS", 500)
    parts, start = [], 0
    while start < len(whole):
        part = call(pipeline, "document", id="musk-v-openai-en", start=start)
        parts.append(part["text"])
        start = part["end"]
    assert "".join(parts) == whole and max(map(len, parts)) == 500


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("drop", {}, "search, ask, document"),
        ("search", {}, "query: Field required"),
        ("search", {"query": "AI", "limit": 51}, "limit: .*50"),
        ("search", {"query": "AI", "limit": 0}, "limit: .*1"),
        ("search", {"query": "AI", "language": "fr"}, "language: .*'ko' or 'en'"),
        ("search", {"query": "AI", "top": 3}, "top: .*It takes: query, limit\\?, language\\?"),
        ("ask", {"question": "AI", "history": [{"role": "king", "content": "?"}]}, "history.0.role"),
        ("ask", {"question": "AI", "history": [{"role": "user", "content": "?"}] * 101}, "history: .*100"),
        ("document", {"id": "nowhere"}, "'nowhere'.*search"),
        ("document", {"id": "musk-v-openai-ko", "start": 10, "end": 5}, "start <= end"),
        ("document", {"id": "musk-v-openai-ko", "end": 10**9}, "start <= end"),
    ],
)
def test_what_cannot_be_asked_says_why(pipeline: Pipeline, name: str, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        tools.call(lambda: pipeline, name, arguments)


@pytest.mark.parametrize(("name", "field"), [("search", "query"), ("ask", "question")])
def test_an_empty_question_is_refused_in_both_languages(pipeline: Pipeline, name: str, field: str) -> None:
    with pytest.raises(QuestionError, match=r"empty.*비어"):
        tools.call(lambda: pipeline, name, {field: " \u200b"})


def test_every_field_of_every_argument_is_described() -> None:
    for tool in tools.TOOLS.values():
        assert len(tool.description) > 100
        assert tool.input_schema["additionalProperties"] is False
        assert all(field.get("description") for field in tool.input_schema["properties"].values())
