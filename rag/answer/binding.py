"""Whether a passage says what a claim names and counts of the same thing: a figure of the section may belong to another."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rag.answer.agreement import Sentence, Source
from rag.answer.facts import Date, Facts, Number, same_number
from rag.answer.names import HEADS, Name, is_body, names, part_of, same_name, vectors_of
from rag.lexical import words
from rag.places import places

# A word counts for half at this distance from what it stands around, in words.
NEAR = 12
# Where two things may have changed places: how many words the end of a clause counts for; and what a word counts that stands
# on the other side (in English), or a name with the particle of another role (in Korean).
CLAUSE, OTHER_SIDE, OTHER_ROLE = 10.0, 0.2, 0.6
SUBJECT = 0.2  # what the section is about is left unsaid in many of its sentences: its rivals must fit better by as much
SURE = 0.5  # below this sum of two fits neither order of two things is told well enough to say anything


@dataclass(frozen=True, kw_only=True)
class Mention:
    """A date, number, provision, identifier or name, and its span in a text. `certain`: as of `Name`."""

    kind: str
    said: Date | Number | str
    start: int
    end: int
    certain: bool = True


@dataclass(frozen=True, kw_only=True)
class Misfit:
    """By how much something of the passages fits better where `written` stands in a claim, up to 2; -1 if nothing could."""

    written: str = ""
    by: float = -1.0


def misfits(claim: str, own: Facts, source: Source) -> dict[str, Misfit]:
    """The worst misfit by signal.

    `figure`, `name_moved`: what stands around a figure, date or provision, or a name, in the claim is held against what stands around it
    in each sentence of the passages, and around its rivals in sentences without it: others of its kind that the claim does not hold.
    `turned`, `figure_turned`: two of a kind in the claim, each in the other's place.
    """
    theirs = [(sentence, list(_mentions(sentence.text, sentence.facts, sentence.names))) for sentence in source.sentences]
    mine = [mention for mention in _mentions(claim, own, names(claim)) if not _attributes(claim, mention)]
    found = {signal: Misfit() for signal in ("figure", "name_moved", "turned", "figure_turned")}

    def note(signal: str, mention: Mention, by: float) -> None:
        if by > found[signal].by:
            found[signal] = Misfit(written=claim[mention.start : mention.end], by=by)

    for mention in mine:
        here, rival = _rivalry(claim, mention, mine, theirs) if mention.certain else (0.0, 0.0)
        if here and rival:
            subject = mention.kind == "name" and str(mention.said).lower() in source.headings.lower()
            note("name_moved" if mention.kind == "name" else "figure", mention, rival - here - (SUBJECT if subject else 0))
    for one, other in _pairs(claim, mine):
        note("turned" if one.kind == "name" else "figure_turned", one, _exchanged(claim, one, other, theirs))
    return found


Sentences = Sequence[tuple[Sentence, Sequence[Mention]]]


def _rivalry(claim: str, mention: Mention, mine: Sequence[Mention], theirs: Sentences) -> tuple[float, float]:
    """How well the claim fits where its mention stands, and where a rival stands in a sentence without it."""
    around = _around(claim, mention.start, mention.end)
    here = rival = 0.0
    for sentence, spoken in theirs:
        others = [other for other in spoken if other.certain]
        same = [other for other in others if _same(mention, other)]
        if same:
            here = max(here, *(_fit(around, _around(sentence.text, other.start, other.end)) for other in same))
            continue
        for other in others:
            if _rivals(mention, other) and not any(_same(one, other) for one in mine if one.certain):
                rival = max(rival, _fit(around, _around(sentence.text, other.start, other.end)))
    return here, rival


def _pairs(claim: str, mine: Sequence[Mention]) -> Iterator[tuple[Mention, Mention]]:
    """Two and two of a kind that differ, and are not in one list, where their order says nothing."""
    ordered = sorted(mine, key=lambda mention: mention.start)
    for number, one in enumerate(ordered):
        for other in ordered[number + 1 :]:
            between = claim[one.end : other.start]
            listed = len(between) < 40 and _LISTED.fullmatch(between)
            if one.kind == other.kind and one.end <= other.start and not listed and not _one_thing(one, other):
                yield one, other


def _exchanged(claim: str, one: Mention, other: Mention, theirs: Sentences) -> float:
    """How much better the claim fits the passages with the two in each other's places; below 0 if it fits worse, -1 if that is not told."""
    hangul = _hangul(claim)
    spoken = [(sentence.text, mentions) for sentence, mentions in theirs if _hangul(sentence.text) == hangul]
    first = [(text, there) for text, mentions in spoken for there in _stated(one, other, mentions)]
    second = [(text, there) for text, mentions in spoken for there in _stated(other, one, mentions)]
    if not first or not second:
        return -1.0

    own = frozenset(token for mention in (one, other) for token, _ in words(claim[mention.start : mention.end]))

    def fits(mention: Mention, among: Sequence[tuple[str, Mention]]) -> float:
        return max(_fits_role(claim, mention, text, there, own) for text, there in among)

    straight, crossed = fits(one, first) + fits(other, second), fits(one, second) + fits(other, first)
    return crossed - straight if max(straight, crossed) > SURE else -1.0


def _fits_role(claim: str, mention: Mention, text: str, there: Mention, own: frozenset[str]) -> float:
    """As `_fit`, with the side or the role; `own`: the words of the two themselves, which say nothing on which is which."""
    around = [
        [word for word in _around(*spot) if word[0] not in own]
        for spot in ((claim, mention.start, mention.end), (text, there.start, there.end))
    ]
    if not _hangul(claim):
        voices = {bool(_PASSIVE.search(claim)), bool(_PASSIVE.search(text))}
        return _fit(*around, clause=CLAUSE, across=OTHER_SIDE if len(voices) == 1 else 1.0)
    roles = {_role(claim, mention.end), _role(text, there.end)}
    return _fit(*around, clause=CLAUSE) * (1 if len(roles) == 1 else (1 + OTHER_ROLE) / 2 if -1 in roles else OTHER_ROLE)


def _hangul(text: str) -> bool:
    return bool(re.search("[가-힣]", text))


_LISTED = re.compile(r"(?:[\s,·]|\band\b|\bor\b|와|과|및|또는|그리고|[\w.’'-]+(?:,|·|와\s|과\s))*")
_PASSIVE = re.compile(
    r"\b(?:was|were|been|is|are|be|being)\s(?:\w+\s){0,2}?\w+(?:ed|en|un|ght|ld|ut|wn)\b.{0,80}\bby\b", re.IGNORECASE
)
_ROLES = tuple(
    re.compile(pattern)
    for pattern in (
        r"[이가]\s아니", r"(?:이|가|은|는|께서)(?=[\s,])", r"(?:을|를)(?=\s)(?!\s(?:상대|겨냥|대상))", r"에게|(?:을|를)\s(?:상대|겨냥|대상)|에\s(?:맞서|대해)",
        r"으?로(?=\s)", r"보다",
    )
)  # fmt: skip


def _role(text: str, end: int) -> int:
    """Which of the roles the particle behind a name in a Korean text gives it; -1 if none."""
    return next((number for number, role in enumerate(_ROLES) if role.match(text, end)), -1)


# --- what is mentioned


def _mentions(text: str, known: Facts, named: Sequence[Name]) -> Iterator[Mention]:
    for date in known.dates:
        yield Mention(kind="date", said=date, start=date.start, end=date.end)
    for figure in known.numbers:
        yield Mention(kind="number", said=figure, start=figure.start, end=figure.end)
    for start, end, address in known.provisions:
        longer = any(other.startswith(f"{address}:") for left, _, other in known.provisions if left == start)
        if not longer and not address.startswith("paragraph:"):
            yield Mention(kind="provision", said=address, start=start, end=end)
    for start, end, identifier in known.identifiers:
        yield Mention(kind="identifier", said=identifier, start=start, end=end)
    left = -1
    for number, name in enumerate(named):
        after = named[number + 1] if number + 1 < len(named) else None
        left = name.start if left < 0 else left
        if after and text[name.end : after.start] == " " and not places(name.text) and not places(after.text):
            continue  # 요슈아 벤지오 is one
        whole = text[left : name.end]
        if len(whole) > 1 and whole.lower() not in HEADS:
            yield Mention(kind="name", said=whole, start=left, end=name.end, certain=name.certain)
        left = -1


def _same(one: Mention, other: Mention) -> bool:
    """Whether `other`, in a passage, states what `one` says: as fully or more."""
    match one.said, other.said:
        case Date() as mine, Date() as theirs:
            year = mine.year is None or theirs.year in (None, mine.year)
            return year and mine.month in (None, theirs.month) and mine.day in (None, theirs.day)
        case Number() as mine, Number() as theirs:
            return same_number(mine, theirs)
        case str() as mine, str() as theirs if one.kind == other.kind:
            return same_name(mine, theirs) if one.kind == "name" else theirs == mine or theirs.startswith(f"{mine}:")
    return False


def _rivals(one: Mention, other: Mention) -> bool:
    """Whether two mentions that are not the same exclude each other: another amount in the unit, another day, another body."""
    match one.said, other.said:
        case Number() as mine, Number() as theirs:
            return mine.unit == theirs.unit
        case Date() as mine, Date() as theirs:
            both = ((mine.year, theirs.year), (mine.month, theirs.month), (mine.day, theirs.day))
            return any(a is not None and b is not None and a != b for a, b in both)
        case str() as mine, str() as theirs if one.kind == other.kind:
            return _kind_of_name(mine) == _kind_of_name(theirs) if one.kind == "name" else not mine.startswith(f"{theirs}:")
    return False


def _one_thing(one: Mention, other: Mention) -> bool:
    if one.kind == "name":
        return part_of(str(one.said), str(other.said)) or part_of(str(other.said), str(one.said))
    return _same(one, other) or _same(other, one) or not _rivals(one, other)


def _stated(one: Mention, other: Mention, among: Sequence[Mention]) -> list[Mention]:
    """The mentions of a sentence that state the one and not the other: as written, where any are."""
    stating = [mention for mention in among if _same(one, mention)]
    exact = [mention for mention in stating if (mention.said == one.said if one.kind == "name" else _same(mention, one))]
    return exact or [mention for mention in stating if not _same(other, mention)]


@lru_cache(maxsize=4096)
def _kind_of_name(name: str) -> str:
    return "place" if places(name) else "body" if is_body(name) else ""


def _attributes(claim: str, mention: Mention) -> bool:
    """Whether the mention is a name that only says whose word the claim is."""
    return mention.kind == "name" and bool(
        re.search(r"according to (?:the )?$", claim[: mention.start], re.IGNORECASE)
        or re.match(r"\S{0,3}\s(?:따르면|의하면)", claim[mention.end :])
    )


# --- what stands around it


Around = Sequence[tuple[str, str, int, int]]
_CLAUSES = re.compile(r",\s|;|\b(?:and|but|while|whereas|although|which|who|because)\b|(?<=[고며나만])\s")


@lru_cache(maxsize=8192)
def _around(text: str, start: int, end: int) -> Around:
    """(token, word, distance in words, in clauses) of what stands before a span, with distances below 0, and after it."""
    found = []
    for side, part in ((-1, text[:start]), (1, text[end:])):
        far = 0
        for clauses, clause in enumerate(_CLAUSES.split(part)[::side]):
            for token, word in words(clause)[::side]:
                far += 1
                found.append((token, word, side * far, clauses))
    return tuple(found)


def _fit(claimed: Around, there: Around, *, clause: float = 0.0, across: float = 1.0) -> float:
    """How well the words around one mention are said around another, 0 to 1: near words count more.

    `clause`: how many words the end of a clause counts for. `across`: what a word counts that is before the one and after the other.
    """
    if not claimed or not there:
        return 0.0
    cosines = vectors_of([word for _, word, *_ in claimed]) @ vectors_of([word for _, word, *_ in there]).T
    alike = np.clip((cosines - 0.4) / 0.4, 0, 1)
    alike[np.asarray([[token == other for other, *_ in there] for token, *_ in claimed])] = 1
    (mine, own), (theirs, others) = (np.asarray([[far, clauses] for *_, far, clauses in side]).T for side in (claimed, there))
    alike[np.sign(mine)[:, None] != np.sign(theirs)] *= across
    weights = 1 / (1 + (abs(mine) + clause * own) / NEAR)
    near = 1 / (1 + (abs(theirs) + clause * others) / NEAR)
    return float((weights * (alike * near).max(axis=1)).sum() / weights.sum())
