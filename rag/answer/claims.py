"""Whether the statements of a generated text stand in the passages they cite. A thin placeholder: markers, figures, nearness."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rag.embed import Embedder
from rag.text import sentences
from rag.types import Language, Passage

NEAR = 0.86  # cosine of a claim to a sentence that carries it; a guess, to be replaced with the checks

_MARKERS = re.compile(r"\s*\[(\d+(?:\s*,\s*\d+)*)\]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement of the generated text, without its markers; the span has them."""

    text: str
    markers: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a claim stands in what it cites; `spans` are (document_id, chunk_id, start, end) of what carries it."""

    claim: Claim
    supported: bool
    reason: Literal["", "no-marker", "unknown-marker", "number", "date", "provision", "name", "polarity", "meaning"]
    detail: str
    spans: tuple[tuple[str, str, int, int], ...]


def split_claims(text: str) -> list[Claim]:
    """The sentences of the text, each with the markers in it and behind it."""
    spans = [list(span) for span in sentences(text)]
    found: list[Claim] = []
    for start, end in spans:
        if (leading := re.match(rf"(?:{_MARKERS.pattern})+", text[start:end])) and found:  # behind the full stop
            behind = start + leading.end()
            before = found.pop()
            found.append(_claim(text, before.start, behind))
            start = behind + len(text[behind:end]) - len(text[behind:end].lstrip())
        if start < end:
            found.append(_claim(text, start, end))
    return found


def _claim(text: str, start: int, end: int) -> Claim:
    written = text[start:end]
    markers = [int(number) for group in _MARKERS.findall(written) for number in group.split(",")]
    return Claim(text=_MARKERS.sub("", written).strip(), markers=tuple(dict.fromkeys(markers)), start=start, end=end)


def check(claims: Sequence[Claim], passages: Sequence[Passage], embedder: Embedder) -> list[Verdict]:
    """A verdict on each claim; `passages[n - 1]` is marker n."""
    return [_verdict(claim, passages, embedder) for claim in claims]


def _verdict(claim: Claim, passages: Sequence[Passage], embedder: Embedder) -> Verdict:
    if not claim.markers:
        return Verdict(claim=claim, supported=False, reason="no-marker", detail="", spans=())
    unknown = [marker for marker in claim.markers if not 1 <= marker <= len(passages)]
    if unknown:
        return Verdict(claim=claim, supported=False, reason="unknown-marker", detail=f"[{unknown[0]}]", spans=())
    spans = []
    held = ""
    for passage in (passages[marker - 1] for marker in claim.markers):
        held += passage.chunk.text + passage.chunk.context
        of = sentences(passage.document.text, passage.chunk.start, passage.chunk.end)
        near = embedder.encode_documents([passage.document.text[a:b] for a, b in of]) @ embedder.encode_documents([claim.text])[0]
        if near.max() >= NEAR:
            spans.append((passage.document.id, passage.chunk.id, *of[int(near.argmax())]))
    if not spans:
        return Verdict(claim=claim, supported=False, reason="meaning", detail="", spans=())
    wrong = next((number for number in _NUMBER.findall(claim.text) if number not in held), "")
    reason: Literal["", "number"] = "number" if wrong else ""
    return Verdict(claim=claim, supported=not wrong, reason=reason, detail=wrong, spans=tuple(spans))


def explain(verdict: Verdict, language: Language) -> str:
    """One line for the asker: why the claim is not verified."""
    if language == "ko":
        return f"인용한 대목에서 확인되지 않습니다: {verdict.detail or verdict.reason}"
    return f"not found in the cited passage: {verdict.detail or verdict.reason}"
