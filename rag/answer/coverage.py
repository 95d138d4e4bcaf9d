"""What the corpus covers: figures for a card, and one sentence for a refusal."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from rag.answer.frame import KINDS, LANGUAGE_NAMES, OWN
from rag.index import Index, Pool
from rag.types import Document, Language

PLACES = {
    "ko": {"KR": "한국", "EU": "유럽연합", "US": "미국", "UK": "영국", "JP": "일본", "CN": "중국", "SG": "싱가포르", "IN": "인도", "INT": "국제"},
    "en": {
        "KR": "Korea", "EU": "the EU", "US": "the United States", "UK": "the UK", "JP": "Japan", "CN": "China", "SG": "Singapore",
        "IN": "India", "INT": "international",
    },
}  # fmt: skip
NAMED = 8  # titles or jurisdictions that a sentence can hold


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """The corpus in figures. Counterparts in two languages are one topic; counts are of topics, most first."""

    topics: tuple[Document, ...]  # one document a topic, in the asker's language where there is one
    documents: int
    languages: dict[str, int]  # documents of each
    jurisdictions: dict[str, int]
    kinds: dict[str, int]
    oldest: str
    newest: str


# By the first pool, which all visitors share: their own documents are not counted.
_found: "WeakKeyDictionary[Pool, dict[Language, Coverage]]" = WeakKeyDictionary()


def coverage(index: Index, language: Language) -> Coverage:
    """What the documents of an index say of themselves; counted once."""
    known = _found.setdefault(next(iter(index.pools.values())), {})
    if language not in known:
        known[language] = _counted(index, language)
    return known[language]


def _counted(index: Index, language: Language) -> Coverage:
    documents = [document for document in index.documents.values() if document.kind != OWN]
    paired = {document.pair for document in documents if document.language == language}
    topics = [document for document in documents if document.language == language or document.id not in paired]
    dates = sorted(document.as_of or document.published for document in documents if document.as_of or document.published)
    return Coverage(
        topics=tuple(sorted(topics, key=lambda document: (document.language != language, document.title))),
        documents=len(documents),
        languages=_counts(document.language for document in documents),
        # California is told with the United States.
        jurisdictions=_counts(document.jurisdiction.split("-")[0] for document in topics if document.jurisdiction),
        kinds=_counts(document.kind for document in topics if document.kind),
        oldest=dates[0] if dates else "",
        newest=dates[-1] if dates else "",
    )


def sentence(index: Index, language: Language) -> str:
    """What the corpus covers, for someone whose question it does not answer."""
    found = coverage(index, language)
    names = LANGUAGE_NAMES[language]
    languages = [names.get(code, code) for code in found.languages]
    places = [f"{PLACES[language].get(code, code)} {count}" for code, count in found.jurisdictions.items()]
    topics = len(found.topics)
    many = topics > NAMED and bool(places)
    titles = [document.title for document in found.topics[:NAMED]]
    listed = _listed(places, len(places), language) if many else _listed(titles, topics, language)
    if language == "ko":
        until = f" 가장 최근 기준일은 {found.newest}이며, 그 뒤의 일은 다루지 않습니다." if found.newest else ""
        about = "관할별 주제 수는 다음과 같습니다" if many else "다음을 다룹니다"
        return f"이 자료는 주제 {topics}개, 문서 {found.documents}건({'·'.join(languages)})이며 {about}: {listed}.{until}"
    until = f" The newest speaks as of {found.newest}; what came later is not in it." if found.newest else ""
    about = "by jurisdiction" if many else "on"
    return (
        f"The corpus holds {topics} topics in {found.documents} documents ({' and '.join(languages)}), {about}: {listed}.{until}"
    )


def card(index: Index, language: Language = "en") -> str:
    """The coverage of an index as lines of text, for the terminal."""
    found = coverage(index, language)
    lines = [
        f"topics         {len(found.topics)} in {found.documents} documents",
        f"languages      {_figures(found.languages, LANGUAGE_NAMES[language])}",
        f"jurisdictions  {_figures(found.jurisdictions, PLACES[language])}",
        f"kinds          {_figures(found.kinds, KINDS[language])}",
        f"as of          {found.oldest} to {found.newest}",
        f"not covered    anything after {found.newest}; jurisdictions and topics not listed; the wording of laws, where a text is a brief",
    ]
    return "\n".join([*lines, *(f"               {document.title}" for document in found.topics)])


def _counts(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _figures(counts: dict[str, int], names: dict[str, str]) -> str:
    return ", ".join(f"{names.get(code, code)} {count}" for code, count in counts.items())


def _listed(names: list[str], count: int, language: Language) -> str:
    rest = count - NAMED
    if rest <= 0:
        return ", ".join(names)
    return ", ".join(names[:NAMED]) + (f" 외 {rest}" if language == "ko" else f" and {rest} more")
