"""rag/places.py"""

import pytest

from rag.places import is_about, places
from rag.types import Document


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("일본의 AI 추진법은 무엇을 요구하나?", {"JP"}),
        ("Compare Korea's and the EU's rules", {"KR", "EU"}),
        ("미국 캘리포니아주", {"US", "US-CA"}),
        ("인도적 지원과 인도네시아", {"ID"}),
        ("인도의 AI 정상회의", {"IN"}),
        ("please polish this text for us", set()),
        ("U.S. courts and New York", {"US", "US-NY"}),
        ("Which US bill?", {"US"}),
        ("a fine of US$500 million", set()),
        ("the Council of Europe; 유럽평의회", set()),
    ],
)
def test_places(text: str, codes: set[str]) -> None:
    assert places(text) == codes


def test_a_text_of_another_country_is_no_answer() -> None:
    korean = Document(id="a", title="AI Basic Act", text="", language="en", jurisdiction="KR")
    assert not is_about(korean, "Operators must label AI output.", {"JP"})
    assert is_about(korean, "Unlike Japan, it fines.", {"JP"})
    assert is_about(korean, "Operators must label AI output.", {"JP", "KR"})
    american = Document(id="b", title="Musk v. OpenAI", text="", language="en", jurisdiction="US")
    assert is_about(american, "", {"US-CA"})
    nowhere = Document(id="c", title="제31조", text="", language="ko")
    assert is_about(nowhere, "사업자는 고지하여야 한다.", {"KR"})
