"""The catalogue: what there is to choose documents by, and search in their passages."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.types import Document, Language, Passage

if TYPE_CHECKING:
    from rag.embed import Embedder
    from rag.index import Index

FOUND = 15  # passages that a search lists

# What a status says, by its first words that say something. The order decides: "not in force" before "in force".
STATUSES: dict[str, re.Pattern[str]] = {
    name: re.compile(words, re.IGNORECASE)
    for name, words in {
        "ended": r"^(?:revoked|repealed|withdrawn)|폐지$|^폐지|judgment for|판결|승소|패소",
        "not binding": r"voluntary|not (?:legally )?binding|no presumption|자율|자발|구속력(?:은|이)? ?없|법적 구속력 없",
        "not in force": r"^(?:not in force|proposed|draft|pending)|takes? effect on|postponed|미발효|발효 전|계류|연기",
        "in force": r"in force|appl(?:y|ies) since|in use|시행|발효|적용 중|부터 .*적용|사용 중",
    }.items()
}
_BEGINS = re.compile(
    r"(\d{4})년 (\d{1,2})월 (\d{1,2})일(?:부터)? (?:전면 )?(?:시행|적용|발효)"
)  # Korean says only "시행" of either


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A topic in the catalogue: its text in the reader's language where there is one, and the counterpart."""

    document: Document
    counterpart: Document | None
    place: str  # its jurisdiction, a state's country
    status: str  # a name of `STATUSES`, or "other"


def catalogue(documents: Mapping[str, Document], language: Language) -> tuple[Entry, ...]:
    """An entry for each topic, by title, those in the reader's language first."""
    rows = [d for d in documents.values() if d.language == language or d.pair not in documents]
    rows.sort(key=lambda document: (document.language != language, document.title))
    return tuple(
        Entry(
            document=document,
            counterpart=documents.get(document.pair),
            place=document.jurisdiction.split("-")[0] or "INT",
            status=status_of(document),
        )
        for document in rows
    )


def status_of(document: Document) -> str:
    """The name in `STATUSES` that fits the document's status; "other" if none does."""
    found = next((name for name, words in STATUSES.items() if words.search(document.status)), "other")
    begins = ["-".join(part.zfill(2) for part in parts) for parts in _BEGINS.findall(document.status)]
    return "not in force" if found == "in force" and begins and min(begins) > (document.as_of or document.published) else found


def counts(values: Iterable[str]) -> dict[str, int]:
    """How often each value occurs, the most frequent first, without the empty one."""
    return dict(
        sorted(((value, count) for value, count in Counter(values).items() if value), key=lambda pair: (-pair[1], pair[0]))
    )


def search(index: "Index", embedder: "Embedder", text: str) -> tuple[Passage, ...]:
    """The passages nearest to the text, best first, as a question would rank them."""
    from rag.retrieve import make_query, passages, rank

    return passages(index, rank(index, make_query(text, embedder)), FOUND)
