"""rag/answer/cues.py and rag/answer/lists.py"""

import pytest

from rag.answer import cues
from rag.answer.lists import list_around


@pytest.mark.parametrize(
    ("question", "has", "has_not"),
    [
        ("언제 시행되나?", "2026년 1월 22일부터 시행됩니다.", "사업자는 고지해야 합니다."),
        ("When did it start?", "It began on 2 February 2025.", "Operators must label output."),
        ("과태료는 얼마야?", "3천만 원 이하입니다.", "과태료를 물 수 있습니다."),
        ("why did Musk sue?", "The complaint alleges a breach.", "Musk sued OpenAI."),
        ("소송 결국 어떻게 됐어?", "머스크는 패소했습니다.", "머스크는 소송을 냈습니다."),
    ],
)
def test_what_is_asked_for(question: str, has: str, has_not: str) -> None:
    assert cues.given(question, has) > cues.given(question, has_not)


@pytest.mark.parametrize(
    ("question", "can", "cannot"),
    [
        ("며칠 안에 신고해야 하나?", "15일 안에 신고해야 합니다.", "장관에게 신고해야 합니다."),
        ("How many companies signed?", "Sixteen firms, and 27 companies later, signed.", "Companies signed in 2024."),
        ("How many companies signed?", "16개 기업이 서명했습니다.", "기업이 서명했습니다."),
        ("찬성은 몇 표였나?", "찬성 260표로 통과했습니다.", "국회가 통과시켰습니다."),
        ("몇 개 나라가 참여했나?", "28 countries and the EU signed.", "서명국은 협력하기로 했습니다."),
        ("선언에 든 비용은 얼마인가요?", "비용은 3억 원입니다.", "선언에는 28개국이 서명했습니다."),
        ("How much did the summit cost?", "It cost £3 million.", "28 countries signed."),
        ("연산 기준은 얼마인가?", "기준은 10^26 FLOP입니다.", "기준은 시행령이 정합니다."),
        ("연산량 기준은 얼마인가요?", "학습 한 번에 70엑사플롭입니다.", "2026년 1월 22일 제31조가 시행됩니다."),
        ("How much memory does it need?", "It needs 16 gigabytes.", "In 2026 the office said so on 18 May 2026."),
        ("How high is the compute threshold?", "It is 10^25 operations.", "The Commission may change it in 2027."),
        ("과태료는 얼마 동안 유예되나?", "최소 1년 동안 유예됩니다.", "과태료는 유예됩니다."),
        ("What is the maximum fine?", "Fines reach EUR 35 million.", "Fines are set by Article 99."),
        ("오픈AI 지분은 몇 퍼센트인가?", "26%를 가졌습니다.", "지분을 나누었습니다."),
        ("Who chaired it?", "Professor Yoshua Bengio chaired it.", "it was chaired twice."),
    ],
)
def test_what_an_answer_cannot_lack(question: str, can: str, cannot: str) -> None:
    assert cues.can_answer(question, can) and not cues.can_answer(question, cannot)
    assert cues.can_answer("왜 그랬나?", cannot)  # a reason can be given in any words


def test_headings() -> None:
    assert cues.asked_too("왜 머스크는 소송을 냈나?", "왜 머스크는 소송했나: 소장의 주장") == 1
    assert cues.denied("Which practices does Article 5 ban?", "What does Article 5 not ban?")
    assert not cues.denied("What does Article 5 not ban?", "What does Article 5 not ban?")


TEXT = "First. It bans these:\n\n- scoring of people\n- scraping of faces\n\nAfterwards more."


@pytest.mark.parametrize("part", ["It bans these:", "scoring of people", "scraping of faces"])
def test_a_list_is_known_from_each_of_its_parts(part: str) -> None:
    start = TEXT.index(part)
    found = list_around(TEXT, start, start + len(part))
    assert found is not None
    lead_start, lead_end, list_end = found
    assert TEXT[lead_start:lead_end] == "It bans these:"
    assert TEXT[lead_end:list_end].strip() == "- scoring of people\n- scraping of faces"


def test_prose_is_no_list() -> None:
    start = TEXT.index("Afterwards")
    assert list_around(TEXT, start, len(TEXT)) is None
    assert list_around("- an item without a lead-in", 2, 10) is None


ACT = """제9조(제척)
① 위원은 다음 각 호의 어느 하나에 해당하면 심의에서 제척된다. 다만, 경미한 사항은 그러하지 아니하다.
1. 직접적인 이해관계가 있는 경우
2. 다음 각 목의 관계에 있는 경우
가. 친족
나. 자문
3. 그 밖의 경우
② 당사자는 기피를 신청할 수 있다."""
STATUTE = (
    "Article 3 (Support) (1) The Minister may support the following:\n\n1. training;\n\n2. data.\n\n(2) Support shall be public."
)


@pytest.mark.parametrize(
    ("text", "part", "lead_in", "last"),
    [
        (ACT, "① 위원은 다음 각 호의 어느 하나에 해당하면 심의에서 제척된다.", "① 위원은", "3. 그 밖의 경우"),
        (ACT, "1. 직접적인", "① 위원은", "3. 그 밖의 경우"),
        (ACT, "3. 그 밖의", "① 위원은", "3. 그 밖의 경우"),
        (ACT, "2. 다음 각 목의 관계에 있는 경우", "2. 다음", "나. 자문"),
        (ACT, "나. 자문", "2. 다음", "나. 자문"),
        (STATUTE, "Article 3 (Support) (1) The Minister may support the following:", "Article 3", "2. data."),
        (STATUTE, "2. data.", "Article 3", "2. data."),
    ],
)
def test_a_law_has_lists_in_lists(text: str, part: str, lead_in: str, last: str) -> None:
    """A list ends before the next item of its lead-in's own level, and what leads in need not end with a colon."""
    start = text.index(part)
    found = list_around(text, start, start + len(part))
    assert found is not None
    assert text.startswith(lead_in, found[0]) and text[: found[2]].endswith(last)


@pytest.mark.parametrize(
    ("text", "part"), [(ACT, "② 당사자는 기피를 신청할 수 있다."), (STATUTE, "(2) Support shall be public.")]
)
def test_a_paragraph_of_a_law_is_no_item(text: str, part: str) -> None:
    assert list_around(text, text.index(part), text.index(part) + len(part)) is None


def test_a_lead_in_is_the_whole_sentence() -> None:
    text = "앞 문장입니다. 주요 내용으로 다음을 꼽았습니다:\n\n- 하나\n- 둘"
    found = list_around(text, text.index("하나"), text.index("하나") + 2)
    assert found and text[found[0] : found[1]] == "주요 내용으로 다음을 꼽았습니다:"


@pytest.mark.parametrize(
    ("question", "answers", "echoes"),
    [
        ("Who enforces New York's RAISE Act?", "The Attorney General enforces it.", "New York passed the RAISE Act."),
        ("When does it apply?", "It applies from 2 August 2026.", "As of 24 September 2026 it is not in force."),
        ("지금 어떤 상황이야?", "심사 단계에 있습니다.", "위원회가 맡습니다."),
    ],
)
def test_what_the_question_says_itself_gives_nothing(question: str, answers: str, echoes: str) -> None:
    assert cues.given(question, answers) > cues.given(question, echoes)
