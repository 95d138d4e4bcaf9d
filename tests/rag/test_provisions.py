"""rag/provisions.py"""

import pytest

from rag.provisions import provisions


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("제31조는 무엇을 정하나", ["article:31"]),
        ("제31조제2항에 따라", ["article:31", "article:31:2"]),
        ("제 17 조의 2 제 1 항", ["article:17-2", "article:17-2:1"]),
        ("AI 기본법 31조 2항 내용", ["article:31", "article:31:2"]),
        ("Does Article 6(2) apply?", ["article:6", "article:6:2"]),
        ("Arts. 6, 7(2) and 9", ["article:6", "article:7", "article:7:2", "article:9"]),
        ("Recital 53 and 전문 제54항", ["recital:53", "recital:54"]),
        ("Annex III, 부속서 II에 오른", ["annex:3", "annex:2"]),
        ("Annexes I and III; 부속서 I과 부속서 III", ["annex:1", "annex:3"]),
        ("제2조제4호, 제2조제1항제3호", ["article:2", "article:2:4", "article:2:1", "article:2:1:3"]),
        ("제4a조와 제5조제1a항, Article 75a", ["article:4a", "article:5", "article:5:1a", "article:75a"]),
        ("제5조제1항(ba)", ["article:5", "article:5:1", "article:5:1:ba"]),
        ("Article 5(1)(c) of the Act", ["article:5", "article:5:1", "article:5:1:c"]),
        ("500조 원을 투자했고 3조각으로 나눴다", []),
        ("an article about 31 companies", []),
    ],
)
def test_addresses(text: str, addresses: list[str]) -> None:
    assert provisions(text) == addresses


def test_both_languages_give_the_same_address() -> None:
    assert provisions("제31조제2항") == provisions("Article 31(2)")
