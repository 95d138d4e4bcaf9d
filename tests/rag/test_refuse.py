"""rag/answer/refuse.py over the real index of the project's texts, and over one of two acts."""

import pytest

from ingest.build import build
from rag.answer.cues import can_answer
from rag.answer.extract import candidates
from rag.answer.refuse import _places_of, answerable, missing_provision
from rag.config import Settings
from rag.embed import Embedder
from rag.index import Index, open_index
from rag.pipeline import Pipeline
from rag.retrieve import make_query, rank
from rag.types import Language

KOREAN = """---
title: Korea's AI Basic Act
lang: en
jurisdiction: KR
---
# Transparency

Article 31 requires operators to label what AI generates.
"""
EUROPEAN = """---
title: EU AI Act
lang: en
jurisdiction: EU
---
# Penalties

Article 99 sets the fines. The EU's Article 50, unlike Korea's Article 32, applies from August.
"""


@pytest.fixture(scope="module")
def two_acts(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("two_acts")
    (folder / "corpus").mkdir()
    (folder / "corpus" / "kr.md").write_text(KOREAN, encoding="utf-8")
    (folder / "corpus" / "eu.md").write_text(EUROPEAN, encoding="utf-8")
    settings = Settings(corpus=folder / "corpus", index=folder / "index")
    assert build(settings, embedder).refused == []
    return open_index(settings.index, embedder.name)


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("What does Article 99 of Korea's AI Basic Act say?", "article:99"),
        ("한국 AI 기본법 제99조는 무엇을 정하나?", "article:99"),
        ("What does Article 99 of the EU AI Act say?", ""),
        ("EU AI법 제99조는 무엇을 정하나?", ""),
        ("What does Article 99 say?", ""),
        ("EU AI법 제31조는 무엇을 정하나?", "article:31"),
        ("한국 AI 기본법 제31조는 무엇을 정하나?", ""),
        ("What does Article 31 of Korea's AI Basic Act require?", ""),
        ("Article 99 of Japan's act", "article:99"),
        ("Explain Recital 999", "recital:999"),
        ("Which systems does Annex III of the EU AI Act list?", ""),
        ("Which practice does Article 5(1)(c) of the EU AI Act ban?", ""),
        ("Which practice does Article 5(1)(z) of the EU AI Act ban?", "article:5:1:z"),
        ("What do Article 5 and Article 777 of the EU AI Act say?", "article:777"),
        ("Who controls OpenAI?", ""),
    ],
)
def test_missing_provisions(pipeline: Pipeline, question: str, missing: str) -> None:
    assert missing_provision(pipeline.index, make_query(question, pipeline.embedder)) == missing


@pytest.mark.parametrize(
    ("question", "refused"),
    [("What does Article 99 of Korea's AI Basic Act say?", True), ("What does Article 99 of the EU AI Act say?", False)],
)
def test_a_provision_of_another_place_is_refused_by_name(pipeline: Pipeline, question: str, refused: bool) -> None:
    answer = pipeline.invoke({"question": question})
    assert answer.refused == refused
    assert ("Article 99" in answer.refusal_reason) == refused


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("What does Article 99 of Korea's act say?", "article:99"),
        ("What does Article 99 of the EU's act say?", ""),
        ("What does Article 31 of the EU's act say?", "article:31"),
        ("What does Article 31 of Korea's act say?", ""),
        ("What does Article 50 of Korea's act say?", "article:50"),  # the sentence names Korea, but after the address
        ("What does Article 32 of Korea's act say?", ""),  # only the European text names it, as Korea's
        ("What does Article 77 say?", "article:77"),
        ("What does Article 32 say?", ""),
    ],
)
def test_an_article_belongs_to_its_text_or_to_the_place_named_before_it(
    two_acts: Index, embedder: Embedder, question: str, missing: str
) -> None:
    assert missing_provision(two_acts, make_query(question, embedder)) == missing


@pytest.mark.parametrize(
    ("address", "sentence", "codes"),
    [
        ("article:50", "the EU's Article 50, unlike Korea's Article 31", {"EU"}),
        ("article:31", "the EU's Article 50, unlike Korea's Article 31", {"KR"}),
        ("article:31", "EU AI법 제50조와 달리 한국 AI 기본법 제31조는", {"KR"}),
        ("article:31", "In the EU, Japan and Korea, Article 31 is known", {"KR"}),
        ("article:5", "한국 제5조와 EU 제5조", {"KR", "EU"}),
        ("article:5", "Article 5, unlike Korea's law", set()),
        ("article:5", "Under Article 5", set()),
        ("article:9", "Korea's Article 5", set()),
        ("article:9", "", set()),
    ],
)
def test_the_place_named_last_before_the_address(address: str, sentence: str, codes: set[str]) -> None:
    assert _places_of(address, sentence) == codes


@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_passages_answer_nothing(pipeline: Pipeline, language: Language) -> None:
    query = make_query("질문" if language == "ko" else "A question", pipeline.embedder)
    assert answerable(query, [], []) == 0


@pytest.mark.parametrize(
    ("question", "answered"),
    [
        ("Who controls OpenAI?", True),
        ("왜 머스크는 소송을 냈나?", True),
        ("How do I bake sourdough bread?", False),
        ("김치찌개 끓이는 법 알려줘", False),
    ],
)
def test_answerable(pipeline: Pipeline, question: str, answered: bool) -> None:
    query = make_query(question, pipeline.embedder)
    scored = rank(pipeline.index, query)
    found = candidates(pipeline.index, query, scored)
    probability = answerable(query, scored, found)
    assert 0 < probability < 1 and (probability > 0.5) == answered
    assert 0 < answerable(query, scored[:1], found[:1]) < 1  # no second to lead


@pytest.mark.parametrize(
    ("question", "answered"),
    [("왜 머스크는 소송을 냈나?", True), ("Who controls OpenAI?", True), ("김치찌개 끓이는 법 알려줘", False)],
)
def test_an_encoder_that_has_learned_no_questions_is_judged_by_other_weights(
    pipeline: Pipeline, question: str, answered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Embedder, "encode_question", Embedder.encode_query)
    query = make_query(question, pipeline.embedder)
    scored = rank(pipeline.index, query)
    assert (answerable(query, scored, candidates(pipeline.index, query, scored)) > 0.5) == answered


def test_what_no_sentence_holds_is_less_surely_answered(pipeline: Pipeline) -> None:
    def probability(question: str) -> float:
        query = make_query(question, pipeline.embedder)
        scored = rank(pipeline.index, query)
        found = [
            entry
            for entry in candidates(pipeline.index, query, scored)
            if not can_answer("얼마", entry.document.text[entry.start : entry.end])
        ]
        return answerable(query, scored, found)

    assert probability("블레츨리 선언에 든 비용은 얼마인가요?") < probability("블레츨리 선언에 든 내용은 무엇인가요?")
