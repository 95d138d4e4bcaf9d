"""rag/text.py"""

import unicodedata

import pytest

from rag.text import language_of, normalise, sentences


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (unicodedata.normalize("NFD", "고영향 인공지능"), "고영향 인공지능"),
        ("고\u200b영\u2060향\ufeff 인공지능", "고영향 인공지능"),
        ("a\u00a0b&nbsp;c\u3000d", "a b c d"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("과태료\0 3천만원\0", "과태료 3천만원"),
        ("penalty \u202e00053\u202c", "penalty 00053"),
        ("a\u3164b\U000e0041\U000e0042 c\U000e0101", "ab c"),
        ("fine\U000e0069\U000e0067\U000e006e", "fine"),
        ("a  \n\n\n\nb\n", "a\n\nb"),
    ],
)
def test_normalise(raw: str, expected: str) -> None:
    assert normalise(raw) == expected
    assert normalise(expected) == expected


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("왜 OpenAI는 GPT-4를 공개하지 않았나?", "ko"),
        ("What does 과태료 mean in the Korean act?", "en"),
        ("EU AI Act 제5조는 무엇을 금지하나", "ko"),
        ("123", "en"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert language_of(text) == language


def test_sentences_of_english_prose() -> None:
    text = "Musk v. OpenAI was filed on 29 Feb. 2024 by X.AI Corp. in the U.S. court. It cost US$1.5 million! Did he win? No."
    assert split(text) == [
        "Musk v. OpenAI was filed on 29 Feb. 2024 by X.AI Corp. in the U.S. court.",
        "It cost US$1.5 million!",
        "Did he win?",
        "No.",
    ]


def test_sentences_of_korean_prose() -> None:
    text = "머스크는 소송을 냈다. 그는 “설립 계약을 어겼다.”라고 주장했다. 배상액은 3.5억 달러인가?"
    assert split(text) == ["머스크는 소송을 냈다.", "그는 “설립 계약을 어겼다.”라고 주장했다.", "배상액은 3.5억 달러인가?"]


def test_sentences_keep_to_their_blocks() -> None:
    text = "# 제목\n\n다음을 금지한다:\n\n- 사회적 점수 평가\n- 얼굴 이미지의 무차별 수집\n\n> 인용한 말\n\n한 줄이\n다음 줄로 이어진다."
    assert split(text) == [
        "제목",
        "다음을 금지한다:",
        "사회적 점수 평가",
        "얼굴 이미지의 무차별 수집",
        "인용한 말",
        "한 줄이\n다음 줄로 이어진다.",
    ]


def test_numbered_items_are_not_cut_after_the_number() -> None:
    assert split('1. "인공지능"이란 능력을 말한다.\n2. "시스템"이란 장치를 말한다.') == [
        '1. "인공지능"이란 능력을 말한다.',
        '2. "시스템"이란 장치를 말한다.',
    ]


def test_a_line_without_end_is_cut() -> None:
    text = "인공지능" * 1000
    spans = sentences(text)
    assert len(spans) > 1 and "".join(text[start:end] for start, end in spans) == text


def test_a_sentence_is_not_cut_inside_brackets() -> None:
    text = '"생성형"이란 입력한 데이터(제2조에 따른 데이터를 말한다. 이하 같다)의 구조를 모방하는 것을 말한다. 다음 문장이다. (열린 괄호. 끝이 없다.'
    found = [text[start:end] for start, end in sentences(text)]
    assert found == [text[: text.index(" 다음")], "다음 문장이다.", "(열린 괄호.", "끝이 없다."]


def test_a_korean_sentence_ends_before_a_name_that_begins_small() -> None:
    assert split("적용되지 않습니다. xAI 소송은 계속됩니다.") == ["적용되지 않습니다.", "xAI 소송은 계속됩니다."]
