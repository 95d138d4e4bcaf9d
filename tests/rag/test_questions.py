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
        (
            "Compare the duty to explain with the duty to label output",
            ["Compare the duty to explain", "the duty to label output"],
        ),
        ("고영향 AI의 설명 의무와 생성물 표시 의무를 비교해줘", ["고영향 AI의 설명 의무", "생성물 표시 의무를 비교해줘"]),
    ],
)
def test_the_sides_of_a_comparison(question: str, expected: list[str]) -> None:
    assert parts(question) == expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "How do Korea's and the EU's thresholds compare?",
            ["How do Korea's thresholds compare", "How do the EU's thresholds compare"],
        ),
        ("한국과 EU의 과태료 상한은 각각 얼마인가?", ["한국과 과태료 상한은 각각 얼마인가", "EU의 과태료 상한은 각각 얼마인가"]),
        (
            "Is it banned to score people in Korea? And in the EU?",
            ["Is it banned to score people in Korea", "Is it banned to score people ? And in the EU?"],
        ),
        ("Does SB 53 of California or the RAISE Act of New York apply?", []),  # not side by side, nothing compared
        ("Has the UK ratified the Council of Europe's AI convention?", []),
    ],
)
def test_each_of_several_places_is_asked_about(question: str, expected: list[str]) -> None:
    assert parts(question) == expected


@pytest.mark.parametrize(
    "question",
    [
        "Who controls OpenAI?",
        "How is it done? From when?",
        "유럽에서 금지된 AI에는 뭐가 있어? 쭉 알려줘",
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
        "Why did it fail?",
        "How often do they check?",
        "Has anyone confirmed that?",
        "해외 사업자들은?",
        "그건 누가 정하나?",
        "왜?",
        "과태료는?",
        "Since when?",
    ],
)
def test_a_follow_up_goes_with_the_last_question_of_the_user(question: str) -> None:
    assert with_context(question, HISTORY) == f"한국의 AI 생성물 표시 의무\n{question}"


@pytest.mark.parametrize("question", ["and in the EU?", "What about Japan?", "그럼 미국은?"])
def test_the_place_that_a_follow_up_names_takes_the_place_of_the_one_before(question: str) -> None:
    assert with_context(question, HISTORY) == f"AI 생성물 표시 의무\n{question}"


def test_a_follow_up_of_a_follow_up_goes_back_to_what_stands_alone() -> None:
    turns: list[Turn] = [*HISTORY, {"role": "user", "content": "과태료는?"}]
    assert with_context("그럼 언제부터?", turns) == "한국의 AI 생성물 표시 의무\n과태료는?\n그럼 언제부터?"


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


def test_whether_a_question_goes_on_is_asked_of_the_last_few() -> None:
    """Of each with all that the one before it leans on, and not of one whose words show it."""
    asked = ("A law", "Who signed the bill?", "그럼 언제부터?", "Which civil penalty?")
    turns: list[Turn] = [{"role": "user", "content": text} for text in asked]
    seen: list[tuple[str, str]] = []

    def goes_on(question: str, before: str) -> bool:
        seen.append((question, before))
        return "share" in question

    assert with_context("What share do members hold?", turns, goes_on) == "Which civil penalty?\nWhat share do members hold?"
    assert seen == [
        ("Which civil penalty?", "Who signed the bill?\n그럼 언제부터?"),
        ("What share do members hold?", "Which civil penalty?"),
    ]


def test_without_a_question_before_it_a_follow_up_stands_alone() -> None:
    assert with_context("그럼 언제부터?", []) == "그럼 언제부터?"
    assert with_context("and in Korea?", [{"role": "assistant", "content": "Ask me."}]) == "and in Korea?"
