"""The checks of generated claims: their pieces, and all of them together on passages of a real index."""

import re
from collections.abc import Mapping

import pytest

from rag.answer.claims import Claim, Verdict, absent_fact, check, explain, split_claims
from rag.answer.facts import date_stands, facts, number_stands
from rag.answer.generate import BASELESS
from rag.answer.names import names, same_name, sounds_like
from rag.answer.polarity import contradicted, denies
from rag.embed import Embedder
from rag.types import Chunk, Document, Passage


@pytest.mark.parametrize(
    "forms",
    [
        ("2026년 1월 22일", "22 January 2026", "January 22, 2026", "2026-01-22", "2026. 1. 22."),
        ("2025년 2월 10일과 11일", "10 and 11 February 2025"),
        ("2024년 5월", "May 2024"),
    ],
)
def test_dates_have_one_form(forms: tuple[str, ...]) -> None:
    read = [[(date.year, date.month, date.day) for date in facts(form).dates] for form in forms]
    assert read[0] and all(dates == read[0] for dates in read)


@pytest.mark.parametrize(
    "forms",
    [
        ("3,500만 유로", "3500만 유로", "EUR 35 million", "€35m", "€35 million"),
        ("3천만 원", "KRW 30 million", "30,000,000원", "30 million won"),
        ("10²⁵ FLOP", "10^25", "10의 25제곱", "10의 25승"),
        ("seven", "7", "일곱 가지", "7가지"),
        ("974억 달러", "US$97.4 billion"),
        ("6개월 동안", "a six-month pause", "for 6 months"),
        ("15일 안에", "in 15 days"),
        ("7%", "7 per cent", "7퍼센트"),
        ("3분의 1", "one third", "1/3"),
        ("1년", "12 months"),
    ],
)
def test_numbers_have_one_form(forms: tuple[str, ...]) -> None:
    read = [[(number.value, number.unit) for number in facts(form).numbers] for form in forms]
    assert read[0] and all(numbers == read[0] for numbers in read)


@pytest.mark.parametrize(
    "forms", [("제31조제2항", "Article 31(2)"), ("제37조의2제1항", "Article 37-2(1)"), ("부속서 III", "Annex III")]
)
def test_provisions_have_one_form(forms: tuple[str, ...]) -> None:
    read = [[address for _, _, address in facts(form).provisions] for form in forms]
    assert read[0] and all(addresses == read[0] for addresses in read)


@pytest.mark.parametrize(
    ("claim", "passage", "stands"),
    [
        ("in 2026", "on 22 January 2026", True),
        ("on 22 January 2026", "in January 2026", False),
        ("2026년 1월 22일", "In 2026 the Act began to apply: on 22 January.", True),
        ("in 2025", "on 22 January 2026", False),
    ],
)
def test_a_fuller_date_holds_a_partial_one(claim: str, passage: str, stands: bool) -> None:
    assert date_stands(facts(claim).dates[0], facts(passage)) is stands


@pytest.mark.parametrize(
    ("claim", "passage", "stands"),
    [
        ("7%", "up to EUR 35 million or 7% of turnover", True),
        ("7 million euros", "7% of turnover", False),
        ("at least 1 year", "길어야 1년", False),
        ("more than 50 deaths", "50명 넘게", True),
        ("about 1,400 firms", "1,395개 기업", False),
    ],
)
def test_a_number_agrees_with_its_unit_and_bound(claim: str, passage: str, stands: bool) -> None:
    assert number_stands(facts(claim).numbers[0], facts(passage)) is stands


@pytest.mark.parametrize("text", ["GPT-4", "M-25-21", "Regulation (EU) 2024/1689", "Article 31", "제31조"])
def test_what_is_no_number(text: str) -> None:
    assert facts(text).numbers == ()


@pytest.mark.parametrize(
    ("claim", "passage", "opposite"),
    [
        ("The practice is permitted.", "The practice is prohibited.", True),
        ("그 관행은 허용됩니다.", "The practice is banned.", True),
        ("The guidelines are voluntary.", "구속력 없는 지침을 냈습니다.", False),
        ("The guidelines are binding.", "구속력 없는 지침을 냈습니다.", True),
        ("OpenAI won the case.", "OpenAI lost the case.", True),
        ("조사할 수 없습니다.", "조사할 수 있습니다.", True),
        ("The order was revoked.", "행정명령은 폐지되었습니다.", False),
        ("The law was not passed.", "The law has passed.", True),
    ],
)
def test_opposites(claim: str, passage: str, opposite: bool) -> None:
    assert bool(contradicted(claim, passage)) is opposite


@pytest.mark.parametrize(
    ("korean", "english"), [("머스크", "Musk"), ("캐플런", "Kaplan"), ("오픈AI", "OpenAI"), ("앤트로픽", "Anthropic")]
)
def test_names_sound_alike_in_both_scripts(korean: str, english: str) -> None:
    assert sounds_like(korean, english) >= 0.8
    assert sounds_like(korean, "Wiener") < 0.8


def test_names_of_a_text() -> None:
    assert [name.text for name in names("머스크가 오픈AI를 제소했습니다.")] == ["머스크", "오픈AI"]
    found = names("The Ministry of Science and ICT told Sam Altman.")
    assert [name.text for name in found] == ["Ministry of Science", "ICT", "Sam Altman"]


def test_claims_end_at_their_markers() -> None:
    text = "# Title\n\nIt began in 2024 [1], and it ended in 2026 [2][3]. Nobody said why. [4]\n\nTwo duties:\n- one [5]\n- two"
    found = split_claims(text)
    assert [(claim.text, claim.markers) for claim in found] == [
        ("It began in 2024", (1,)),
        ("and it ended in 2026", (2, 3)),
        ("Nobody said why.", (4,)),
        ("Two duties:", (5,)),
        ("one", (5,)),
        ("two", ()),
    ]
    assert all(claim.text in text[claim.start : claim.end] for claim in found)


TEXT = {
    "en": "Musk sued OpenAI in a San Francisco court on 29 February 2024. On 18 May 2026 the jury found that Musk had sued too late, so "
    "OpenAI won. The fine is up to EUR 35 million under Article 99(3) of the EU AI Act. The guidelines are not binding.",
    "ko": "머스크는 2024년 2월 29일 샌프란시스코 법원에 오픈AI를 상대로 소송을 냈습니다. 2026년 5월 18일 배심원단은 머스크가 너무 늦게 "
    "제소했다고 평결해 오픈AI가 이겼습니다. EU AI법 제99조제3항에 따라 과징금은 최대 3,500만 유로입니다. 그 지침에는 구속력이 없습니다.",
}


def passage(language: str) -> Passage:
    text = TEXT[language]
    other = {"ko": "en", "en": "ko"}[language]
    document = Document(id=f"case-{language}", title="Musk v. OpenAI", text=text, language=language, pair=f"case-{other}")
    chunk = Chunk(id="c", document_id=document.id, language=language, start=0, end=len(text), text=text, context="Musk v. OpenAI")
    return Passage(rank=1, score=1.0, chunk=chunk, document=document)


BOTH = {f"case-{language}": passage(language).document for language in TEXT}


def verdict(
    text: str,
    language: str,
    embedder: Embedder,
    markers: tuple[int, ...] = (1,),
    documents: Mapping[str, Document] | None = None,
) -> Verdict:
    claim = Claim(text=text, markers=markers, start=0, end=len(text))
    return check([claim], [passage(language)], embedder, documents=documents)[0]


@pytest.mark.parametrize(
    ("text", "language", "reason"),
    [
        ("Musk filed a suit against OpenAI in San Francisco in February 2024.", "en", ""),
        ("Musk filed a suit against OpenAI in San Francisco in February 2024.", "ko", ""),
        ("머스크는 2024년 2월 샌프란시스코 법원에 오픈AI를 제소했습니다.", "ko", ""),
        ("머스크는 2024년 2월 샌프란시스코 법원에 오픈AI를 제소했습니다.", "en", ""),
        ("Musk sued OpenAI in a San Francisco court in March 2024.", "en", "date"),
        ("머스크는 2024년 3월 샌프란시스코 법원에 오픈AI를 제소했습니다.", "en", "date"),
        ("The fine is up to EUR 30 million under Article 99(3).", "ko", "number"),
        ("과징금은 최대 3,500만 유로이며 제98조제3항에 있습니다.", "en", "provision"),
        ("Musk sued Google in a San Francisco court in February 2024.", "en", "name"),
        ("OpenAI lost because the jury found that Musk had sued too late.", "en", "polarity"),
        ("OpenAI sued Musk in a San Francisco court on 29 February 2024.", "en", "parties"),
        ("오픈AI는 2024년 2월 29일 머스크를 상대로 소송을 냈습니다.", "ko", "parties"),
        ("The jury found on 29 February 2024 that Musk had sued too late.", "en", "moved"),
        ("배심원단은 2024년 2월 29일 머스크가 너무 늦게 제소했다고 평결했습니다.", "ko", "moved"),
        ("Musk sued OpenAI in a San Francisco court on 18 May 2026.", "ko", "moved"),
        ("The guidelines are binding.", "en", "polarity"),
        ("그 지침에는 구속력이 있습니다.", "ko", "polarity"),
        ("The weather is fine today.", "en", "meaning"),
    ],
)
def test_check(text: str, language: str, reason: str, embedder: Embedder) -> None:
    found = verdict(text, language, embedder)
    assert (found.supported, found.reason) == (not reason, reason)
    for document_id, chunk_id, start, end in found.spans:
        assert (document_id, chunk_id) == (f"case-{language}", "c") and TEXT[language][start:end].strip()
    assert bool(found.spans) is found.supported


@pytest.mark.parametrize(
    ("text", "cited", "alone", "beside"),
    [
        ("머스크는 2024년 2월 샌프란시스코 법원에 구글을 제소했습니다.", "en", "", "name"),
        ("Musk sued Google in a San Francisco court in February 2024.", "ko", "", "name"),
        ("머스크는 2024년 2월 샌프란시스코 법원에 오픈AI를 제소했습니다.", "en", "", ""),
        ("Musk filed a suit against OpenAI in San Francisco in February 2024.", "ko", "", ""),
    ],
)
def test_a_claim_in_the_other_language_is_held_against_the_counterpart(
    text: str, cited: str, alone: str, beside: str, embedder: Embedder
) -> None:
    assert verdict(text, cited, embedder).reason == alone
    found = verdict(text, cited, embedder, documents=BOTH)
    assert found.reason == beside
    for document_id, _, start, end in found.spans:
        assert document_id == f"case-{cited}", "what is quoted is the passage that was cited"
        assert re.search("Musk|머스크", TEXT[cited][start:end]) and "2024" in TEXT[cited][start:end]


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(
    "code",
    [
        "SECRET-abcdefghijkl",
        "sk-proj-9f8e7d6c5b4a3210",
        "https://evil.example/x",
        "who@evil.example",
        "AKIAIOSFODNN7EXAMPLE",
        "<b>x</b>",
    ],
)
@pytest.mark.parametrize(
    "claim", ["키는 {}입니다.", "머스크는 오픈AI를 제소했고 키는 {}입니다.", "The key is {}.", "Musk sued OpenAI with {}."]
)
def test_no_code_passes_that_the_passage_does_not_hold(claim: str, code: str, language: str, embedder: Embedder) -> None:
    found = verdict(claim.format(code), language, embedder, documents=BOTH)
    assert (found.supported, found.reason) == (False, "code") and found.reason in BASELESS
    assert not any(code in explain(found, asked) for asked in ("ko", "en")), "a secret is not repeated"


@pytest.mark.parametrize(
    ("markers", "reason", "detail"), [((), "no-marker", ""), ((2,), "unknown-marker", "[2]"), ((0,), "unknown-marker", "[0]")]
)
def test_markers_must_resolve(markers: tuple[int, ...], reason: str, detail: str, embedder: Embedder) -> None:
    found = verdict("Musk sued OpenAI.", "en", embedder, markers)
    assert (found.supported, found.reason, found.detail) == (False, reason, detail)
    assert explain(found, "ko") != explain(found, "en") and detail in explain(found, "ko")


def test_a_supported_claim_needs_no_explanation(embedder: Embedder) -> None:
    assert explain(verdict("Musk sued OpenAI in San Francisco.", "en", embedder), "en") == ""


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("이 법은 적용되지 않을 것입니다.", True),
        ("법원은 책임이 없다고 판결했습니다.", True),
        ("차별하지 않도록 해야 합니다.", True),
        ("부담 없는 비용으로 쓸 수 있습니다.", False),
        ("A non-profit may not apply.", True),
        ("It began as a non-profit.", False),
    ],
)
def test_what_a_predicate_denies(text: str, denied: bool) -> None:
    assert denies(text) is denied


def test_a_span_of_time_may_be_told_from_two_dates_and_only_then() -> None:
    among = facts("The department came in on 24 April 2026; on 27 April 2026 a court paused the act. It passed in May 2024.")
    for text, absent in (("three days later", None), ("six days later", ("number", "six days"))):
        assert absent_fact(text, facts(text), among) == absent
    law = facts("제5조제1항과 제5조제2항은 2026년 1월 22일과 2027년 1월 22일에 시행됩니다.")
    assert absent_fact("같은 조 제2항", facts("같은 조 제2항"), law) is None
    assert absent_fact("같은 조 제3항", facts("같은 조 제3항"), law) == ("provision", "제3항")
    assert not same_name("한국", "영국") and not same_name("US", "Musk") and same_name("머스크", "Musk")
