"""The glossary as a bridge between the languages."""

import pytest

from rag.glossary import terms
from rag.pipeline import Pipeline
from rag.retrieve import make_query, options, rank
from rag.types import Language


@pytest.mark.parametrize(
    ("text", "language", "names"),
    [
        ("AI 기본법의 과태료는 얼마인가?", "ko", ["AI Basic Act", "administrative fine"]),
        ("인공지능기본법은 언제 시행되나요?", "ko", ["AI Basic Act"]),
        ("Does the EU AI Act ban social scoring?", "en", ["EU AI법", "사회적 점수 평가"]),
        ("What is the AI Office of the EU?", "en", ["AI사무국"]),  # the longest of those that begin there
        ("AI가 뭐야?", "ko", []),  # every text is on it
        ("김치찌개는 어떻게 끓이나요?", "ko", []),
        ("", "en", []),
    ],
)
def test_the_terms_of_a_question(text: str, language: Language, names: list[str]) -> None:
    assert [term.name for term in terms(text, language) if term.name in names] == names
    assert names or not terms(text, language)


def test_a_term_is_sought_by_its_name_in_the_other_language(pipeline: Pipeline) -> None:
    query = make_query("계도기간은 언제까지야?", pipeline.embedder)
    (pool,) = (pool for pool in pipeline.index.pools.values() if pool.language == "en")
    assert {"guidanc": 1.0} in options(pool, query) and {"period": 1.0} in options(pool, query)
    assert rank(pipeline.index, query, only="en")[0].chunk.document_id.startswith("kr-ai-basic-act")
    (own,) = (pool for pool in pipeline.index.pools.values() if pool.language == "ko")
    assert all("guidanc" not in option for option in options(own, query))


def test_without_a_term_nothing_is_added(pipeline: Pipeline) -> None:
    query = make_query("How do I bake sourdough bread?", pipeline.embedder)
    assert query.terms == () and not query.gloss.any()
