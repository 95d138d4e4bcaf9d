"""ingest/chunk.py"""

import pytest

from ingest.chunk import chunks
from ingest.load import make_document
from rag.embed import Embedder
from rag.text import count_tokens
from rag.types import Chunk, Document


def cut(document: Document, embedder: Embedder, chunk_tokens: int = 400) -> list[Chunk]:
    return chunks(document, chunk_tokens=chunk_tokens, embedder_tokens=embedder.count_tokens, embedder_limit=embedder.max_tokens)


LONG = "고영향 인공지능사업자는 위험관리방안을 수립하여야 한다. The operator of high-impact AI must set up a risk plan. " * 60


@pytest.mark.parametrize("text", [LONG, "인공지능" * 3000, "- 항목이다.\n" * 400, "가" * 5000, "𝕏" * 3000, "word " * 4000])
def test_spans_hold_within_both_limits_and_nothing_is_lost(embedder: Embedder, text: str) -> None:
    document = make_document({"title": "제목"}, text, "x")
    found = cut(document, embedder)
    position = 0
    for chunk in found:
        assert document.text[chunk.start : chunk.end] == chunk.text
        assert document.text[position : chunk.start].strip() == ""
        assert count_tokens(chunk.text) <= 400
        assert embedder.count_tokens(f"{chunk.context}\n{chunk.text}") <= embedder.max_tokens
        position = chunk.end
    assert document.text[position:].strip() == ""


def test_sentences_stay_whole_where_they_fit(embedder: Embedder) -> None:
    for chunk in cut(make_document({}, LONG, "x"), embedder):
        assert chunk.text.endswith((".", "다."))


def test_headings_lead_to_each_chunk(embedder: Embedder) -> None:
    document = make_document(
        {"title": "The Act"}, "# The Act\n\nLead.\n\n## Fines\n\nText.\n\n### For small firms\n\nLess.\n\n## Dates\n\nSoon.", "x"
    )
    assert [(chunk.text, chunk.headings) for chunk in cut(document, embedder)] == [
        ("Lead.", ()),
        ("Text.", ("Fines",)),
        ("Less.", ("Fines", "For small firms")),
        ("Soon.", ("Dates",)),
    ]


def test_articles_of_a_plain_statute_are_sections(embedder: Embedder) -> None:
    text = "제1조(목적) 이 법은 발전을 목적으로 한다.\n제2조(정의) 뜻은 다음과 같다.\n1. 인공지능\n제2조의2(특례) 제1조에 따른다."
    found = cut(make_document({"title": "법"}, text, "x"), embedder)
    assert [chunk.headings for chunk in found] == [("제1조(목적)",), ("제2조(정의)",), ("제2조의2(특례)",)]
    assert found[1].text.endswith("1. 인공지능")


def test_headings_alone_are_a_text_too(embedder: Embedder) -> None:
    assert [chunk.text for chunk in cut(make_document({}, "# Only a heading", "x"), embedder)] == ["# Only a heading"]
