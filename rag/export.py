"""A conversation written out with its evidence, and the check of such a file against an index.

The JSON says of every quote in which document and where it stands, and holds the hash of that document's normalised text:
who has the file and an index can tell later, without a model, whether each quote still stands word for word.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError

from rag import __version__
from rag.answer.frame import as_of_label, kind_label
from rag.errors import ExportError
from rag.types import Answer, Citation, Document, Language

_BETWEEN_QUOTES = re.compile(r"(\[\d+\](?: \(\w+\))?)\n> ")  # two quotes, which Markdown would join into one paragraph
FORMAT = "jiphyeon-conversation/1"

Documents = Mapping[str, Document]
Model = TypeVar("Model", bound=BaseModel)
Outcome = Literal["stands", "changed", "moved", "altered", "gone", "missing"]
GOOD: frozenset[Outcome] = frozenset({"stands", "changed"})
OUTCOMES: dict[Outcome, str] = {
    "stands": "stands word for word at its place",
    "changed": "stands word for word at its place, in a document that has changed",
    "moved": "stands elsewhere in the document now",
    "altered": "is not what stands at its place, and the document has not changed",
    "gone": "stands nowhere in the document now",
    "missing": "the index has no such document",
}


# --- writing ------------------------------------------------------------------------------------------------------


def as_json(answers: Sequence[Answer], documents: Documents, now: datetime) -> str:
    """The conversation as JSON, in the format that `python -m rag verify` reads. `now` carries its time zone."""
    turns = [
        {
            "question": answer.question,
            "language": answer.language,
            "text": answer.text,
            "mode": answer.mode,
            "model": answer.model,
            "refused": answer.refused,
            "refusal_reason": answer.refusal_reason,
            "unsupported": [asdict(claim) for claim in answer.unsupported],
            "notice": answer.notice,
            "index": answer.index,
            "citations": [_cited(citation, documents.get(citation.document_id)) for citation in answer.citations],
        }
        for answer in answers
    ]
    exported = {"format": FORMAT, "exported_at": now.isoformat(timespec="seconds"), "jiphyeon": __version__, "turns": turns}
    return json.dumps(exported, ensure_ascii=False, indent=1)


def _cited(citation: Citation, document: Document | None) -> dict[str, Any]:
    return {**asdict(citation), "document_sha256": digest(document) if document else ""}


def digest(document: Document) -> str:
    """SHA-256 of the document's normalised text in UTF-8, in hexadecimal."""
    return hashlib.sha256(document.text.encode()).hexdigest()


_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "A conversation with Jiphyeon",
        "sources": "Sources",
        "status": "Status",
        "extractive": "Quoted, not generated.",
        "generative": "Written by {model}; each claim was checked against the passage it cites.",
        "index": "Index {fingerprint} of {built_at}.",
    },
    "ko": {
        "title": "집현과 나눈 대화",
        "sources": "출처",
        "status": "현황",
        "extractive": "지어내지 않고 그대로 인용했습니다.",
        "generative": "{model}이(가) 쓰고, 주장마다 인용한 대목과 대조했습니다.",
        "index": "색인 {fingerprint}, {built_at} 구축.",
    },
}


def as_markdown(answers: Sequence[Answer], documents: Documents, language: Language, now: datetime) -> str:
    """The conversation as Markdown for people: each question, its answer, and its sources with their quotes and places."""
    words = _WORDS[language]
    parts = [f"# {words['title']}", now.isoformat(sep=" ", timespec="minutes")]
    for answer in answers:
        parts += [f"## {_flat(answer.question)}", _BETWEEN_QUOTES.sub(r"\1\n>\n> ", answer.text)]
        if answer.citations:
            parts.append(f"### {words['sources']}")
            cited: dict[str, list[Citation]] = {}
            for citation in answer.citations:
                cited.setdefault(citation.document_id, []).append(citation)
            parts += [_source(documents.get(name), citations, language) for name, citations in cited.items()]
        made = [] if answer.refused else [words[answer.mode].format(model=answer.model)]
        parts.append("*" + " ".join([*made, words["index"].format(**answer.index)]) + "*")
    return "\n\n".join(parts) + "\n"


def _source(document: Document | None, citations: Sequence[Citation], language: Language) -> str:
    """A document with the quotes from it: what it is, where it is had, and where in it each quote stands."""
    first = citations[0]
    known = (
        (kind_label(document, language), first.issuer, as_of_label(document, language))
        if document
        else (first.kind, first.issuer)
    )
    status = f"{_WORDS[language]['status']}: {first.status}" if first.status else ""
    lines = [f"**{first.title}**", " · ".join(filter(None, known)), status, f"<{first.url}>" if first.url else ""]
    quotes = [
        f"- [{citation.marker}] “{_flat(citation.quote)}” ({citation.document_id}:{citation.start}-{citation.end})"
        for citation in citations
    ]
    return "  \n".join(filter(None, lines)) + "\n\n" + "\n".join(quotes)


def _flat(text: str) -> str:
    return " ".join(text.split())


# --- verifying ----------------------------------------------------------------------------------------------------


class Cited(BaseModel):
    """A citation of a file to verify. Answers by `python -m rag ask --json` hold no hash."""

    marker: int
    document_id: str
    quote: str = Field(min_length=1)
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    title: str = ""
    document_sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")


class Answered(BaseModel):
    """An answer of a file to verify."""

    question: str
    citations: list[Cited]
    id: str | int = ""  # of a batch


class Exported(BaseModel):
    """A file that `as_json` wrote."""

    format: Literal["jiphyeon-conversation/1"]
    turns: list[Answered] = Field(min_length=1)


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What became of one quote. `now` is where it stands in the document of the index, if it stands elsewhere than said."""

    answer: str  # the answer's id in a batch, or its number from 1
    marker: int
    document_id: str
    outcome: Outcome
    start: int
    end: int
    now: tuple[int, int] | None
    quote: str

    @property
    def good(self) -> bool:
        return self.outcome in GOOD


def read(path: Path) -> list[Answered]:
    """The answers of an exported conversation, of one answer as JSON, or of a batch of answers, one a line.

    Raises ExportError naming the line or the field that cannot be used.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(f"Cannot read {str(path)!r}: {error}. It must be a UTF-8 file of JSON.") from error
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if len(lines) > 1 and _is_object(lines[0][1]):
        return [_validated(Answered, _parsed(line, str(path), number), f"{path}:{number}") for number, line in lines]
    whole = _parsed(text, str(path), 1)
    if isinstance(whole, dict) and ("turns" in whole or "format" in whole):
        return _validated(Exported, whole, str(path)).turns
    return [_validated(Answered, whole, str(path))]


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _parsed(text: str, path: str, first_line: int) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        line = first_line + getattr(error, "lineno", 1) - 1
        raise ExportError(
            f"{path}:{line}: not JSON: {error}. `verify` reads a conversation exported from the page, "
            "or what `python -m rag ask` wrote with --json or --batch."
        ) from error


def _validated(model: type[Model], found: object, where: str) -> Model:
    try:
        return model.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise ExportError(f"{where}: {field}: {first['msg']}") from error


def verify(answers: Sequence[Answered], documents: Documents) -> Iterator[Verified]:
    """What became of every quote, in order. A quote is good if it stands word for word at its place."""
    for number, answer in enumerate(answers, start=1):
        for cited in answer.citations:
            document = documents.get(cited.document_id)
            outcome, now = _outcome(cited, document) if document else ("missing", None)
            yield Verified(
                answer=str(answer.id) or str(number),
                marker=cited.marker,
                document_id=cited.document_id,
                outcome=outcome,
                start=cited.start,
                end=cited.end,
                now=now,
                quote=cited.quote,
            )


def _outcome(cited: Cited, document: Document) -> tuple[Outcome, tuple[int, int] | None]:
    changed = bool(cited.document_sha256) and cited.document_sha256 != digest(document)
    if document.text[cited.start : cited.end] == cited.quote:
        return "changed" if changed else "stands", None
    nearest = min(_occurrences(document.text, cited.quote), key=lambda start: abs(start - cited.start), default=None)
    found = None if nearest is None else (nearest, nearest + len(cited.quote))
    if not changed and cited.document_sha256:
        return "altered", found  # the text is the one that was quoted from: this never stood there
    return ("moved", found) if found else ("gone", None)


def _occurrences(text: str, quote: str) -> Iterator[int]:
    start = text.find(quote)
    while start >= 0:
        yield start
        start = text.find(quote, start + 1)
