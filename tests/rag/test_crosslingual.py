"""rag/crosslingual.py with the real encoder."""

from pathlib import Path

import numpy as np
import pytest

from rag.crosslingual import DIMENSION, Dictionary, encode
from rag.lexical import words

# So many that their mean is of no one topic: among ten words "penalty" was too far from "벌칙".
KOREAN = (
    "벌칙 사무소 의무 자유 학교 바다 음악 김치 투자 회의 날씨 병원 기차 농부 색깔 언어 사진 시장 나무 겨울 의자 운동 "
    "여행 건강 전쟁 과학 2026"
)


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return Dictionary.build(words(KOREAN))


def test_rows_are_unit_vectors_in_the_order_of_the_texts() -> None:
    texts = ["벌칙", "The office opens in August.", "", "가나다 " * 2000]
    vectors = encode(texts)
    assert vectors.shape == (4, DIMENSION) and vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-4)
    assert encode(texts[1:2])[0] @ vectors[1] == pytest.approx(1, abs=1e-4)


def test_no_texts_give_no_rows() -> None:
    vectors = encode([])
    assert vectors.shape == (0, DIMENSION) and vectors.dtype == np.float32


def test_what_means_the_same_is_nearer_than_what_is_in_the_same_language() -> None:
    korean = encode(["사업자는 인공지능이 만든 영상에 표시를 해야 한다.", "어제 바닷가에서 친구와 생선을 구워 먹었다."])
    english = encode(["Operators must label video made by AI.", "Yesterday I grilled fish with a friend by the sea."])
    between = korean @ english.T
    assert between.diagonal().min() > max(between[0, 1], between[1, 0], korean[0] @ korean[1], english[0] @ english[1]) + 0.2


def test_half_surrogates_are_read_as_question_marks() -> None:
    halves, marks = encode(["벌칙 \ud83d 조항", "벌칙 ? 조항"])
    assert halves @ marks == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("word", "token"),
    [("penalty", "벌칙"), ("office", "사무소"), ("obligation", "의무"), ("freedom", "자유"), ("school", "학교")],
)
def test_a_word_is_translated(dictionary: Dictionary, word: str, token: str) -> None:
    (found,) = dictionary.translations([word])
    assert max(found, key=found.__getitem__) == token
    assert all(0.7 < weight <= 1 for weight in found.values())


def test_each_word_has_its_own_translations_and_an_unrelated_one_none(dictionary: Dictionary) -> None:
    first, unrelated, last = dictionary.translations(["penalty", "giraffe", "office"])
    assert "벌칙" in first and unrelated == {} and "사무소" in last
    assert dictionary.translations([]) == []


def test_numbers_are_left_out(dictionary: Dictionary) -> None:
    assert "2026" in dict(words(KOREAN))
    assert dictionary.translations(["2026"]) == [{}]
    assert Dictionary.build([("2026", "2026"), ("31", "31")]).translations(["2026", "penalty"]) == [{}, {}]


def test_a_token_stands_for_its_most_frequent_word() -> None:
    others = [(token, token) for token in ("바다", "학교", "음악", "김치")]
    office = Dictionary.build([("x", "사무소"), ("x", "사무소"), ("x", "벌칙"), *others])
    penalty = Dictionary.build([("x", "사무소"), ("x", "벌칙"), ("x", "벌칙"), *others])
    assert [list(found) for found in office.translations(["office", "penalty"])] == [["x"], []]
    assert [list(found) for found in penalty.translations(["office", "penalty"])] == [[], ["x"]]


def test_what_is_saved_is_loaded(dictionary: Dictionary, tmp_path: Path) -> None:
    dictionary.save(tmp_path)
    asked = ["penalty", "office", "giraffe", "freedom"]
    for before, after in zip(dictionary.translations(asked), Dictionary.load(tmp_path).translations(asked), strict=True):
        assert after == pytest.approx(before, abs=2e-3)  # stored in half precision


def test_an_empty_dictionary_translates_nothing(tmp_path: Path) -> None:
    empty = Dictionary.build([])
    assert empty.translations(["penalty", "office"]) == [{}, {}]
    empty.save(tmp_path)
    assert Dictionary.load(tmp_path).translations(["penalty"]) == [{}]
