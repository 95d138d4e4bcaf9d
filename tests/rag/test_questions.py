"""rag/questions.py"""

import pytest

from rag.questions import MAX_PARTS, parts, with_context
from rag.types import Turn

HISTORY: list[Turn] = [
    {"role": "user", "content": "Who controls OpenAI?"},
    {"role": "assistant", "content": "The OpenAI Foundation [1]."},
    {"role": "user", "content": "한국의 AI 생성물 표시 의무"},
    {"role": "assistant", "content": "제31조는 …"},
]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("When does Article 50 apply and who enforces it?", ["When does Article 50 apply", "who enforces it"]),
        ("When does it apply? What is the fine?", ["When does it apply", "What is the fine"]),
        ("허가 없이 판매하면 어떻게 되며, 누가 조사하나?", ["허가 없이 판매하면 어떻게 되", "누가 조사하나"]),
        ("AI 기본법은 언제 시행되고 과태료는 얼마인가?", ["AI 기본법은 언제 시행되", "과태료는 얼마인가"]),
    ],
)
def test_clauses_that_ask(question: str, expected: list[str]) -> None:
    assert parts(question) == expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Compare the EU AI Act and the Korean Act", ["Compare the EU AI Act", "the Korean Act"]),
        ("How does the EU AI Act differ from Korea's AI Basic Act?", ["How does the EU AI Act differ", "Korea's AI Basic Act"]),
        ("AI 기본법과 EU AI법의 과태료를 비교해줘", ["AI 기본법", "EU AI법의 과태료를 비교해줘"]),
    ],
)
def test_the_sides_of_a_comparison(question: str, expected: list[str]) -> None:
    assert parts(question) == expected


@pytest.mark.parametrize(
    "question",
    [
        "Who controls OpenAI?",
        "과태료는 얼마인가?",
        "What do safety and security mean?",
        "What are the penalties and the grace period?",
        "안전성과 신뢰성은 무엇을 뜻하나?",
        "최고 경영자는 누구인가?",
        "",
        "왜?",
    ],
)
def test_one_question_has_no_parts(question: str) -> None:
    assert parts(question) == []


def test_the_first_parts_are_kept() -> None:
    clauses = [
        "When does it apply",
        "how are fines set",
        "why was it made",
        "where is it filed",
        "who reads it",
        "what is missing",
    ]
    assert parts(" and ".join(clauses) + "?") == clauses[:MAX_PARTS]
    assert MAX_PARTS == 4


@pytest.mark.parametrize(
    "question",
    [
        "그럼 언제부터?",
        "and in Korea?",
        "What about Japan?",
        "Why did it fail?",
        "그건 누가 정하나?",
        "왜?",
        "과태료는?",
        "Since when?",
    ],
)
def test_a_follow_up_goes_with_the_last_question_of_the_user(question: str) -> None:
    assert with_context(question, HISTORY) == f"한국의 AI 생성물 표시 의무\n{question}"


@pytest.mark.parametrize(
    "question",
    [
        "When does the EU AI Act apply?",
        "과태료는 얼마까지 부과되는가?",
        "Android phones and fines?",
        "그룹 OpenAI의 구조는 무엇인가?",
        "Does Italy fine OpenAI?",
    ],
)
def test_a_full_question_stands_alone(question: str) -> None:
    assert with_context(question, HISTORY) == question


def test_without_a_question_before_it_a_follow_up_stands_alone() -> None:
    assert with_context("그럼 언제부터?", []) == "그럼 언제부터?"
    assert with_context("and in Korea?", [{"role": "assistant", "content": "Ask me."}]) == "and in Korea?"
