"""Claims of a generated answer, checked against the passages that they cite."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rag.answer.agreement import Source, read, signals, spoken, unknown_code
from rag.answer.binding import misfits
from rag.answer.facts import Facts, date_stands, facts, lies_between, number_stands
from rag.embed import Embedder
from rag.text import sentences
from rag.types import Document, Language, Passage

Reason = Literal[
    "", "no-marker", "unknown-marker", "number", "date", "provision", "name", "moved", "parties", "polarity", "meaning", "code"
]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement of the generated text, and the passages that it cites. `start` and `end` span it with its markers."""

    text: str
    markers: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a claim is supported, and if not, why. `spans`: (document_id, chunk_id, start, end) of the sentences that carry it."""

    claim: Claim
    supported: bool
    reason: Reason
    detail: str
    spans: tuple[tuple[str, str, int, int], ...]


_MARKERS = re.compile(r"(?:\s*\[\s*\d+(?:\s*[,–-]\s*\d+)*\s*\])+")
_MARKER = re.compile(r"(\d+)(?:\s*[–-]\s*(\d+))?")


def split_claims(text: str) -> list[Claim]:
    """The statements of a generated text in order, each with the markers that follow it.

    A sentence with markers in its middle is several claims. A lead-in (a line that ends with a colon) is carried by what
    its list cites first. Headings are no claims.
    """
    found: list[Claim] = []
    lead_in: int | None = None
    for start, end in sentences(text):
        if text.startswith("#", text.rfind("\n", 0, start) + 1):
            continue
        position = start
        for match in [*_MARKERS.finditer(text, start, end), None]:
            stop = match.start() if match else end
            piece = text[position:stop]
            markers = _numbers(match[0]) if match else ()
            last = match.end() if match else end
            while last < end and text[last] in ".!?。)\"'”’":
                last += 1
            if not re.search(r"[^\W_]", piece):  # "[2]" after the full stop belongs to the sentence before it
                if markers and found and not piece.strip(" .!?。,;*_)\"'”’"):
                    found[-1] = Claim(
                        text=found[-1].text, markers=(*found[-1].markers, *markers), start=found[-1].start, end=last
                    )
            else:
                left = position + len(piece) - len(piece.lstrip(" ,;."))
                found.append(Claim(text=_plain(text[left:stop]), markers=markers, start=left, end=last))
                if markers and lead_in is not None:
                    held = found[lead_in]
                    found[lead_in] = Claim(text=held.text, markers=markers, start=held.start, end=held.end)
                    lead_in = None
                if not markers and piece.rstrip(" *_").endswith((":", "：")):
                    lead_in = len(found) - 1
            position = last
            if not match:
                break
    return found


def _numbers(markers: str) -> tuple[int, ...]:
    found: list[int] = []
    for first, last in _MARKER.findall(markers):
        found += range(int(first), int(last) + 1) if last and 0 <= int(last) - int(first) < 20 else [int(first)]
    return tuple(dict.fromkeys(found))


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"\*\*|__|`", "", text)).strip(" ,;")


# --- the checks

Known = dict[tuple[Language, tuple[int, ...]], Source]


def check(
    claims: Sequence[Claim],
    passages: Sequence[Passage],
    embedder: Embedder,
    known: Known | None = None,
    documents: Mapping[str, Document] | None = None,
) -> list[Verdict]:
    """A verdict for each claim, in order. `passages[n - 1]` is what the marker n cites.

    A claim with several markers may take its facts from any of their passages. `known` is what was read of the same passages
    for claims before, by language and markers; what is read for these is added to it. `documents`: by id, where the passages'
    counterparts may be; a claim in the other language is held against them.
    """
    sources: Known = {} if known is None else known
    verdicts = []
    for claim in claims:
        unknown = [marker for marker in claim.markers if not 1 <= marker <= len(passages)]
        if not claim.markers:
            verdicts.append(_fails(claim, "no-marker", ""))
        elif unknown:
            verdicts.append(_fails(claim, "unknown-marker", f"[{unknown[0]}]"))
        else:
            language = spoken(claim.text)
            key = (language, claim.markers)
            if key not in sources:
                sources[key] = read([passages[marker - 1] for marker in claim.markers], embedder, language, documents)
            verdicts.append(_verdict(claim, sources[key], embedder))
    return verdicts


def explain(verdict: Verdict, language: Language) -> str:
    """One line for the asker on why the claim is not verified; "" if it is."""
    line = _REASONS[language][verdict.reason]
    return f"{line} (“{verdict.detail}”)" if verdict.detail and "{}" not in line else line.format(verdict.detail)


_REASONS: dict[Language, dict[Reason, str]] = {
    "ko": {
        "": "",
        "no-marker": "출처 표시가 없어 확인하지 못했습니다.",
        "unknown-marker": "{}에 해당하는 자료가 없습니다.",
        "number": "인용한 자료에 ‘{}’이라는 수치가 없습니다.",
        "date": "인용한 자료에 ‘{}’이라는 날짜가 없습니다.",
        "provision": "인용한 자료에 ‘{}’ 조항이 없습니다.",
        "name": "인용한 자료는 이 내용을 ‘{}’에 관해 말하지 않습니다.",
        "moved": "인용한 자료는 ‘{}’을(를) 다른 것에 관해 말하는 듯합니다.",
        "parties": "인용한 자료와 주체가 뒤바뀌었을 수 있습니다.",
        "polarity": "인용한 자료의 내용과 반대일 수 있습니다.",
        "code": "인용한 자료에 없는 주소나 코드가 들어 있습니다.",
        "meaning": "인용한 자료에서 같은 내용의 문장을 찾지 못했습니다.",
    },
    "en": {
        "": "",
        "no-marker": "It names no source, so it could not be checked.",
        "unknown-marker": "There is no passage {}.",
        "number": "The cited passage does not give the figure “{}”.",
        "date": "The cited passage does not give the date “{}”.",
        "provision": "The cited passage does not name the provision “{}”.",
        "name": "The cited passage does not say this of “{}”.",
        "moved": "The cited passage seems to say “{}” of something else.",
        "parties": "The cited passage may have it the other way round: who did it, and to whom.",
        "polarity": "The cited passage may say the opposite.",
        "code": "It holds an address or a piece of code that the cited passage does not.",
        "meaning": "No sentence of the cited passage was found to say this.",
    },
}


# Any of these is enough, and so is an absent fact: together they speak against 6 of the 415 true development claims, and against
# 313 of the 558 altered ones.
VETOES: tuple[tuple[Reason, str], ...] = (
    ("name", "place"),
    ("name", "name"),
    ("name", "place_other"),
    ("polarity", "opposite"),
    ("polarity", "alone"),
)
# The others are weighed: a logistic regression on what no veto caught of the development claims. More signals (the distance of the
# sentences' vectors, the worst covered words, rivals within a sentence, denials and their rivals) did no better with topics left out.
WEIGHTS: dict[str, tuple[Reason, float]] = {
    "figure": ("moved", 10.9),
    "name_moved": ("moved", 5.3),
    "turned": ("parties", 7.2),
    "figure_turned": ("moved", 6.6),
    "denied": ("polarity", 2.8),
    "clause": ("meaning", 3.3),
    "crossed": ("meaning", -1.0),  # set by itself, on claims of passages without a counterpart: fewer of their words are found
}
LIMIT = 2.0  # 18 of 415 true development claims are above it or have a veto
SLACK = 0.05  # what a misfit may be below 0 and still say something


def _fails(claim: Claim, reason: Reason, detail: str) -> Verdict:
    return Verdict(claim=claim, supported=False, reason=reason, detail=detail, spans=())


def _verdict(claim: Claim, source: Source, embedder: Embedder) -> Verdict:
    if unknown_code(claim.text, source):
        return _fails(claim, "code", "")  # and is not repeated: it may be a secret
    own = facts(claim.text)
    absent = absent_fact(claim.text, own, source.facts)
    if absent:
        return _fails(claim, *absent)
    if not source.sentences:
        return _fails(claim, "meaning", "")
    found, carried, failed = signals(claim.text, own, source, embedder)
    for reason, signal in VETOES:
        if found[signal]:
            return _fails(claim, reason, failed.get(signal, ""))
    for signal, misfit in misfits(claim.text, own, source).items():
        found[signal] = max(0.0, misfit.by + SLACK)
        failed[signal] = misfit.written
    doubts = {signal: weight * found[signal] for signal, (_, weight) in WEIGHTS.items()}
    if sum(doubts.values()) > LIMIT:
        worst = max(doubts, key=lambda signal: doubts[signal])
        return _fails(claim, WEIGHTS[worst][0], failed.get(worst, ""))
    spans = tuple((sentence.document_id, sentence.chunk_id, sentence.start, sentence.end) for sentence in carried)
    return Verdict(claim=claim, supported=True, reason="", detail="", spans=spans)


_LATER = re.compile(r"\s?(?:later|after|before|earlier|ahead|뒤|후|전|만에|앞)")


def absent_fact(text: str, own: Facts, among: Facts) -> tuple[Reason, str] | None:
    """The first date, number or provision of a claim that its passages do not hold, with the kind of it."""
    for date in own.dates:
        if not date_stands(date, among):
            return "date", text[date.start : date.end]
    for number in own.numbers:
        written = text[number.start : number.end]
        # "The two companies" counts what a passage may only name.
        counted = number.value == 2 and not any(letter.isdigit() for letter in written)
        reckoned = _LATER.match(text, number.end) and lies_between(number, among.dates)
        if not counted and not reckoned and not number_stands(number, among):
            return "number", written
    addresses = {address for _, _, address in among.provisions}
    addresses |= {f"paragraph:{part}" for address in addresses for part in address.split(":")[1:]}
    for start, end, address in own.provisions:
        if address not in addresses:
            return "provision", text[start:end]
    identifiers = {name for _, _, name in among.identifiers}
    for start, end, name in own.identifiers:
        if name not in identifiers:
            return "number", text[start:end]
    return None
