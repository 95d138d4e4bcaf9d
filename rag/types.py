"""The five things that flow through Jiphyeon: Document -> Chunk -> Passage -> Answer(citations)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict  # pydantic reads typing's own only from Python 3.12

Language = Literal["ko", "en"]


class Turn(TypedDict):
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


class Question(TypedDict):
    """What a pipeline takes."""

    question: str
    history: NotRequired[Sequence[Turn]]
    passages: NotRequired[int]  # how many are listed in the answer
    model: NotRequired[str]  # the chat model that writes, of those the deployer allows; "none" for quotes alone


@dataclass(frozen=True, kw_only=True)
class Document:
    """One text with what is known about it. `text` is normalised; every span counts its code points."""

    id: str
    title: str
    text: str
    language: str
    kind: str = ""
    issuer: str = ""
    jurisdiction: str = ""
    status: str = ""
    published: str = ""
    as_of: str = ""
    url: str = ""
    author: str = ""
    sources: tuple[tuple[str, str], ...] = ()  # (title, url)
    pair: str = ""
    license: str = ""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """A stored piece of a document: `document.text[start:end] == text`."""

    id: str
    document_id: str
    language: str
    start: int
    end: int
    text: str
    headings: tuple[str, ...] = ()
    context: str = ""  # title and headings: embedded and searched with the text, never quoted


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A chunk that was retrieved. Ranks start at 1; a higher score is better."""

    rank: int
    score: float
    chunk: Chunk
    document: Document


@dataclass(frozen=True, kw_only=True)
class Citation:
    """A verbatim span of a document: `document.text[start:end] == quote`."""

    marker: int
    document_id: str
    chunk_id: str
    title: str
    url: str
    language: str
    kind: str
    issuer: str
    status: str
    as_of: str
    quote: str
    start: int
    end: int
    verified: bool = True


@dataclass(frozen=True, kw_only=True)
class Unsupported:
    """A statement that a chat model wrote and that did not pass the checks."""

    claim: str
    reason: str  # in a word, as `rag.answer.claims.Verdict` has it
    explanation: str  # in the asker's language
    kept: bool  # in the answer's text, marked as not verified; else left out


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the asker gets. `text` holds the markers `[n]` of `citations`; quotes come from nowhere else.

    Of a generative answer `text` holds only sentences that were checked, at every moment of its growth.
    """

    question: str
    language: Language
    text: str
    mode: Literal["extractive", "generative"] = "extractive"
    model: str = ""
    refused: bool = False
    refusal_reason: str = ""
    confidence: float = 0.0  # that the corpus answers the question, 0 to 1; below a half it is refused
    citations: tuple[Citation, ...] = ()
    unsupported: tuple[Unsupported, ...] = ()
    notice: str = ""  # in the asker's language: why the chat model's words are not there, or not all of them
    passages: tuple[Passage, ...] = ()
    timings_ms: dict[str, float] = field(default_factory=dict)
    index: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The answer in the shape that terminal, HTTP and harness share."""
        return {
            "question": self.question,
            "language": self.language,
            "text": self.text,
            "mode": self.mode,
            "model": self.model,
            "refused": self.refused,
            "refusal_reason": self.refusal_reason,
            "confidence": round(self.confidence, 4),
            "citations": [asdict(citation) for citation in self.citations],
            "unsupported": [asdict(claim) for claim in self.unsupported],
            "notice": self.notice,
            "passages": [
                {
                    "rank": passage.rank,
                    "score": round(passage.score, 6),
                    "document_id": passage.document.id,
                    "chunk_id": passage.chunk.id,
                    "start": passage.chunk.start,
                    "end": passage.chunk.end,
                    "text": passage.chunk.text,
                }
                for passage in self.passages
            ],
            "timings_ms": self.timings_ms,
            "index": self.index,
        }
