"""rag/lexical.py with the real analyser, stemmer and BM25."""

from math import log1p
from pathlib import Path

import numpy as np
import pytest

from rag.lexical import FEWEST, UNTRANSLATED, LexicalIndex, Options, tokens, words

ROWS = [["fine", "korea"], ["penalty", "korea"], ["office", "korea"], ["office", "article:31"]]
TERM = 1 / (1 + 1.2)  # Lucene's term part for one occurrence in a row of average length


@pytest.fixture(scope="module")
def index() -> LexicalIndex:
    return LexicalIndex.build(ROWS)


def idf(frequency: int) -> float:
    return log1p((FEWEST - frequency + 0.5) / (frequency + 0.5))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The regulator's penalties are what?", [("regul", "regulator"), ("penalti", "penalties")]),
        ("the board’s lawsuits", [("board", "board"), ("lawsuit", "lawsuits")]),
        ("의무를 위반하면 과태료", [("의무", "의무"), ("위반", "위반"), ("과태료", "과태료")]),
        ("사무소를 짓는다", [("사무소", "사무소"), ("짓", "짓다")]),
        ("OpenAI의 정책", [("openai", "openai"), ("정책", "정책")]),
        ("과태료는 얼마인가, 그것은 무엇인가", [("과태료", "과태료"), ("얼마", "얼마")]),
        ("What is it?", []),
        ("수 있는 것", []),
        ("", []),
    ],
)
def test_words(text: str, expected: list[tuple[str, str]]) -> None:
    assert list(words(text)) == expected
    assert tokens(text) == tuple(token for token, _ in expected)


def test_addresses_follow_the_words() -> None:
    assert tokens("Article 5(1)(c) bans") == ("articl", "5", "1", "c", "ban", "article:5", "article:5:1", "article:5:1:c")
    assert tokens("제31조의 의무") == ("31", "조", "의무", "article:31")


def test_of_the_options_for_a_word_the_best_counts_once_and_weighted(index: LexicalIndex) -> None:
    scores = index.scores([{"fine": 1.0, "penalty": 0.5}])
    assert scores.dtype == np.float32
    assert scores == pytest.approx([idf(1) * TERM, 0.5 * idf(1) * TERM, 0, 0])
    both = LexicalIndex.build([["fine", "penalty"], ["sea", "sky"]])
    assert both.scores([{"fine": 0.8, "penalty": 0.5}])[0] == pytest.approx(0.8 * both.scores([{"fine": 1.0}])[0])
    assert both.scores([{"penalty": 0.5, "fine": 0.8}])[0] == both.scores([{"fine": 0.8, "penalty": 0.5}])[0]


def test_the_words_of_a_query_add_up(index: LexicalIndex) -> None:
    query = [{"office": 1.0}, {"korea": 1.0}, {"giraffe": 1.0}, {}]
    assert index.scores(query) == pytest.approx(np.array([idf(3), idf(3), idf(2) + idf(3), idf(2)]) * TERM)
    assert index.scores([]) == pytest.approx([0, 0, 0, 0])


def test_a_word_weighs_as_its_most_telling_option(index: LexicalIndex) -> None:
    query = [{"korea": 1.0}, {"korea": 1.0, "fine": 0.7}, {"giraffe": 1.0}, {}]
    assert index.weights(query) == pytest.approx([idf(3), idf(1), idf(0), UNTRANSLATED * idf(0)])
    assert index.ideal(query) == pytest.approx(idf(3) + idf(1) + idf(0) + UNTRANSLATED * idf(0))
    assert index.ideal([]) == 0


def test_in_many_texts_a_word_weighs_by_how_rare_it_is_among_them() -> None:
    rows = [["fine", "korea"], *([["korea"]] * (2 * FEWEST - 1))]
    assert LexicalIndex.build(rows).weights([{"fine": 1.0}])[0] == pytest.approx(log1p((2 * FEWEST - 0.5) / 1.5))


def test_no_score_exceeds_the_ideal() -> None:
    index = LexicalIndex.build([["fine"] * 50 + ["korea"], ["sea"]])
    query = [{"fine": 1.0}, {"korea": 1.0}]
    assert 0.5 * index.ideal(query) < index.scores(query).max() < index.ideal(query)


def test_coverage_is_the_share_of_the_weight_that_a_row_holds(index: LexicalIndex) -> None:
    assert index.coverage([{"office": 1.0}, {"korea": 1.0}]) == pytest.approx(
        np.array([idf(3), idf(3), idf(2) + idf(3), idf(2)]) / (idf(2) + idf(3))
    )
    assert index.coverage([{"fine": 0.8, "penalty": 0.6}]) == pytest.approx([0.8, 0.6, 0, 0])


def test_a_word_that_could_not_be_translated_lowers_coverage_less_than_one_that_no_row_holds(index: LexicalIndex) -> None:
    unknown, untranslated = (index.coverage([{"office": 1.0}, options])[2] for options in ({"giraffe": 1.0}, {}))
    assert unknown == pytest.approx(idf(2) / (idf(2) + idf(0)))
    assert untranslated == pytest.approx(idf(2) / (idf(2) + UNTRANSLATED * idf(0)))
    assert unknown < untranslated < 1


def test_coverage_without_anything_known_is_nothing(index: LexicalIndex) -> None:
    queries: list[list[Options]] = [[], [{}], [{}, {"giraffe": 1.0}]]
    for query in queries:
        assert index.coverage(query).tolist() == [0, 0, 0, 0]


def test_columns_are_those_of_known_tokens_each_once(index: LexicalIndex) -> None:
    columns = index.columns(["office", "giraffe", "korea", "office"])
    assert columns == [*index.columns(["office"]), *index.columns(["korea"])] and len(set(columns)) == 2
    every = {token for row in ROWS for token in row}
    assert len(set(index.columns(every))) == len(every)
    assert index.columns([]) == index.columns(["giraffe"]) == []


def test_rows_and_addresses(index: LexicalIndex) -> None:
    assert index.rows_with("office").tolist() == [2, 3] and index.rows_with("giraffe").tolist() == []
    assert index.addresses == {"article:31"}
    assert "korea" in index and "giraffe" not in index


def test_what_is_saved_is_loaded(index: LexicalIndex, tmp_path: Path) -> None:
    index.save(tmp_path)
    loaded = LexicalIndex.load(tmp_path, len(ROWS))
    query = [{"office": 1.0, "fine": 0.5}, {"korea": 1.0}]
    assert loaded.scores(query).tolist() == index.scores(query).tolist()
    assert loaded.coverage(query).tolist() == index.coverage(query).tolist()
    assert loaded.addresses == index.addresses


def test_a_row_without_tokens_keeps_its_place() -> None:
    index = LexicalIndex.build([[], ["fine"], []])
    assert index.rows_with("fine").tolist() == [1]
    assert index.scores([{"fine": 1.0}]).nonzero()[0].tolist() == [1]
