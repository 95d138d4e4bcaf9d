"""The texts that come with the project: complete, parallel, dated, attributed, and not copied from each other."""

import re
from datetime import date
from functools import cache
from itertools import combinations
from math import prod
from pathlib import Path
from typing import Any

import pytest
import yaml

from rag.config import PROJECT

CORPUS = PROJECT / "corpus"
TOPICS = sorted(path.stem for path in (CORPUS / "en").glob("*.md"))
KEYS = "id lang title kind issuer jurisdiction status published as_of author sources pair license related".split()
KINDS = "law decree bill treaty declaration standard order case letter policy guidance commentary report".split()
WORDS = (500, 1000)
LATEST = date(2026, 11, 22)  # no text may speak of a later day

MONTHS = {
    name: number
    for number, name in enumerate(
        "January February March April May June July August September October November December".split(), start=1
    )
}
NUMERALS = {word: str(number) for number, word in enumerate("one two three four five six seven eight nine ten".split(), start=1)}
NUMERALS["ninth"] = "9"  # the Ninth Circuit
SCALE = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
SCALE |= {"십": 1e1, "백": 1e2, "천": 1e3, "만": 1e4, "억": 1e8, "조": 1e12}


@cache
def read(language: str, topic: str) -> tuple[dict[str, Any], str]:
    text = (CORPUS / language / f"{topic}.md").read_text(encoding="utf-8")
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body.strip()


def sections(body: str) -> list[str]:
    return re.split(r"^## ", body, flags=re.MULTILINE)


def figures(text: str, language: str) -> set[str]:
    """The numbers of a text in one form for both languages: 3,500만 and 35 million are 35000000, March and 3월 are 3."""
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    found: set[str] = set()

    def take(amount: re.Match[str]) -> str:
        total = 0.0
        for number, name in re.findall(r"([\d.]+)[ -]?([a-z]+|[십백천만억조]*)", amount[0]):
            total += float(number) * prod(SCALE[unit] for unit in re.findall(r"[a-z]+|[가-힣]", name))
        found.add(f"{total:.0f}")
        return " "

    if language == "en":
        text = re.sub(r"\d+(?:\.\d+)?[ -](?:thousand|million|billion|trillion)", take, text)
        text = re.sub(r"(?m)(^|[.?] )May (?!\d)", r"\1", text)  # the verb, which opens a question
        text = re.sub(rf"\b({'|'.join(MONTHS)})\b", lambda match: f" {MONTHS[match[1]]} ", text)
    else:
        # 조 is 10^12 before money or a smaller unit, and otherwise an article: 제33조부터 제35조까지
        unit = r"(?:[십백천]?[만억]|[십백천]|조(?= ?(?:\d+[천백]?억|원|달러|유로|위안|엔)))"
        text = re.sub(rf"(?<![제\d.])(?:\d+(?:\.\d+)?{unit} ?)+(?:(?<=[만천억] )\d{{1,4}}(?![\d년월]))?", take, text)
    return found | {number.lstrip("0") or "0" for number in re.findall(r"\d+", text)}


def days(text: str, language: str) -> set[tuple[int, int]]:
    """The days named in a text as (month, day), with both ends of a span: 1 and 2 November, 11월 1일과 2일."""
    if language == "en":
        spans = re.findall(rf"(?:\b(\d\d?)(?: to | and |–))?\b(\d\d?) ({'|'.join(MONTHS)})\b", text)
        return {(MONTHS[month], int(day)) for *span, month in spans for day in span if day}
    spans = re.findall(r"(\d+)월 (\d+)(?:일?(?:부터|과|[~–]) ?(\d+))?일", text)
    return {(int(month), int(day)) for month, *span in spans for day in span if day}


def test_each_topic_is_there_in_both_languages() -> None:
    assert sorted(path.stem for path in (CORPUS / "ko").glob("*.md")) == TOPICS
    assert len(TOPICS) >= 49


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("topic", TOPICS)
def test_front_matter(topic: str, language: str) -> None:
    front, _ = read(language, topic)
    other = "ko" if language == "en" else "en"
    assert list(front) == KEYS
    assert (front["id"], front["lang"], front["pair"]) == (f"{topic}-{language}", language, f"{topic}-{other}")
    assert front["kind"] in KINDS and front["author"] == "Jiphyeon" and front["license"] == "CC-BY-4.0"
    assert re.fullmatch(r"INT|EU|[A-Z]{2}(-[A-Z]{2})?", front["jurisdiction"])
    assert all(isinstance(front[key], str) and front[key].strip() for key in ("title", "issuer", "status"))
    for key in ("published", "as_of"):
        assert isinstance(front[key], date) and date(2010, 1, 1) <= front[key] <= LATEST, key
    assert front["published"] <= front["as_of"]
    assert front["sources"]
    for source in front["sources"]:
        assert source["title"].strip() and re.fullmatch(
            r"https?://[a-z0-9.-]+\.[a-z]{2,}(/\S*)?", source["url"], re.IGNORECASE
        ), source
    assert set(front["related"]) <= set(TOPICS) - {topic}


@pytest.mark.parametrize("topic", TOPICS)
def test_the_two_languages_are_parallel(topic: str) -> None:
    (front_en, english), (front_ko, korean) = read("en", topic), read("ko", topic)
    for key in ("kind", "jurisdiction", "published", "as_of", "related"):
        assert front_en[key] == front_ko[key], key
    assert [source["url"] for source in front_en["sources"]] == [source["url"] for source in front_ko["sources"]]
    pairs = list(zip(sections(english), sections(korean), strict=True))
    assert len(pairs) >= 5
    for ours, theirs in pairs:
        where = ours.splitlines()[0]
        assert ours.count("\n- ") == theirs.count("\n- "), where
        en, ko = figures(ours, "en"), figures(theirs, "ko")
        in_words = {number for name, number in NUMERALS.items() if re.search(rf"\b{name}\b", ours, re.IGNORECASE)}
        assert en - ko == set(), f"{where}: only in English"
        assert ko - en - in_words == set(), f"{where}: only in Korean"
        assert days(ours, "en") == days(theirs, "ko"), where


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("topic", TOPICS)
def test_form(topic: str, language: str) -> None:
    front, body = read(language, topic)
    assert body.startswith("# ")
    assert WORDS[0] <= len(body.split()) <= WORDS[1]
    as_of = front["as_of"]
    month = next(name for name, number in MONTHS.items() if number == as_of.month)
    said = f"{as_of.day} {month} {as_of.year}" if language == "en" else f"{as_of.year}년 {as_of.month}월 {as_of.day}일"
    assert said in sections(body)[-1], "the last section says as of when"
    assert not re.search(r"\bfact sheet\b|\bseed\b|\bcorpus\b|language model wrote", body, re.IGNORECASE)
    if language == "ko":
        # 합니다체 throughout
        plain = [line for line in re.findall(r"[^.\n]*[가-힣]다\.(?=\s|$)", body) if not re.search(r"(?:니다|습니다)\.$", line)]
        assert plain == []


def test_nothing_is_copied_between_topics() -> None:
    for language in ("en", "ko"):
        said: dict[str, set[str]] = {}
        for topic in TOPICS:
            _, body = read(language, topic)
            said[topic] = {s.strip() for s in re.split(r"(?<=[.!?])\s+|\n", body) if len(s.split()) >= 8}
        for one, other in combinations(TOPICS, 2):
            assert said[one] & said[other] == set(), (one, other)


def test_no_address_of_another_kind() -> None:
    for path in Path(CORPUS).rglob("*.md"):
        assert "localhost" not in path.read_text(encoding="utf-8")


def test_glossary() -> None:
    entries = yaml.safe_load((CORPUS / "glossary.yaml").read_text(encoding="utf-8"))
    ids = [entry["id"] for entry in entries]
    assert len(ids) >= 250 and ids == sorted(set(ids))
    for language in ("en", "ko"):
        terms = [entry[language]["term"] for entry in entries]
        assert len(terms) == len(set(terms))
        for entry in entries:
            assert entry["jurisdiction"] and entry[language]["definition"].strip()
            assert entry[language]["term"] not in entry[language]["variants"]
    warned = [(entry["id"], other) for entry in entries for other in entry.get("not_equivalent", [])]
    assert len(warned) >= 25
    for identifier, other in warned:
        assert other["id"] in ids and other["id"] != identifier and other["en"] and other["ko"]
