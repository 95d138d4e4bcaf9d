"""How a sentence of a generated answer and the passages that it cites agree: the signals that the checks of claims weigh."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from rag import crosslingual
from rag.answer.counterpart import rendered
from rag.answer.facts import Facts, date_stands, facts, number_stands
from rag.answer.names import HEADS, Name, names, sounds_like, standing, vectors_of
from rag.answer.polarity import contradicted, denies, implies_denial, negations
from rag.embed import Embedder
from rag.lexical import words
from rag.places import located, places
from rag.text import language_of, sentences
from rag.types import Document, Language, Passage

# --- what a passage says


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """A sentence of a cited passage."""

    document_id: str
    chunk_id: str
    start: int
    end: int
    text: str
    facts: Facts
    tokens: tuple[tuple[str, str], ...]
    names: tuple[Name, ...]
    spellings: frozenset[str]  # the names and their words, here and in what a counterpart's sentence answers
    main: NDArray[np.float32]
    cross: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Source:
    """What the passages of a claim hold: their sentences in order, and what is known around them."""

    sentences: tuple[Sentence, ...]
    context: str
    headings: str
    whole: str  # all that the passages and their counterparts say, and what is known around them
    language: Language
    facts: Facts  # of all sentences and of the context
    places: frozenset[str]


def _spellings(found: Sequence[Name]) -> frozenset[str]:
    return frozenset(part for name in found for part in (name.text, *name.text.split()) if len(part) > 1)


def _known(document: Document) -> str:
    return "\n".join([document.issuer, document.status, document.published, document.as_of])


def read(
    passages: Sequence[Passage],
    embedder: Embedder,
    language: Language | None = None,
    documents: Mapping[str, Document] | None = None,
) -> Source:
    """The sentences of the passages, with their facts, words and vectors.

    Where `documents` holds the counterpart of a passage in `language`, its sentences are read in place of the passage's own,
    and stand for the spans that they answer: within one language a changed word shows. Facts may stand in either.
    """
    spoken: list[tuple[Passage, int, int, str]] = []
    headings, also = [], []
    for passage in passages:
        own = [
            (passage, start, end, passage.document.text[start:end])
            for start, end in sentences(passage.document.text, passage.chunk.start, passage.chunk.end)
        ]
        heading, beside = rendered(passage, documents, language) if documents and language else ("", [])
        headings.append(f"{heading}\n{passage.chunk.context or passage.document.title}".strip())
        also += [text for *_, text in own] if beside else []
        spoken += [(passage, one.start, one.end, one.text) for one in beside] or own
    texts = [text for *_, text in spoken]
    main, cross = embedder.encode_query(texts), crosslingual.encode(texts)
    context = "\n".join([*headings, *(_known(passage.document) for passage in passages)])
    around = "\n".join([*texts, *also, context])
    return Source(
        sentences=tuple(
            Sentence(
                document_id=passage.document.id,
                chunk_id=passage.chunk.id,
                start=start,
                end=end,
                text=text,
                facts=facts(text),
                tokens=words(text),
                names=named,
                spellings=_spellings(named if (cited := passage.document.text[start:end]) == text else (*named, *names(cited))),
                main=main[row],
                cross=cross[row],
            )
            for row, (passage, start, end, text) in enumerate(spoken)
            for named in [names(text)]
        ),
        context=context,
        headings="\n".join(headings),
        whole=around,
        language=language_of(" ".join(texts)),
        facts=facts(around),
        places=places(around) | {passage.document.jurisdiction for passage in passages},
    )


# --- how a claim and a passage agree


def cover(tokens: Sequence[tuple[str, str]], among: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
    """How well each (token, word) of a claim is said by the words of a passage, 0 to 1."""
    if not tokens or not among:
        return np.zeros(len(tokens))
    cosines = vectors_of([word for _, word in tokens]) @ vectors_of([word for _, word in among]).T
    best = np.clip((cosines.max(axis=1) - 0.4) / 0.4, 0, 1)
    same = {token for token, _ in among}
    return np.asarray([1.0 if token in same else float(near) for (token, _), near in zip(tokens, best, strict=True)])


def content(text: str, known: Facts) -> list[tuple[str, str]]:
    """The words of a claim that are no fact of their own kind."""
    kept = "".join(
        " " if any(start <= place < end for start, end in known.spans) else letter for place, letter in enumerate(text)
    )
    return [pair for pair in words(kept) if not pair[0].isdigit() and len(pair[0]) > (0 if ord(pair[0][0]) > 0x1100 else 1)]


def signals(
    claim: str, own: Facts, source: Source, embedder: Embedder
) -> tuple[dict[str, float], list[Sentence], dict[str, str]]:
    """What speaks for the claim and against it, the sentences that carry it, and the words that fail by kind."""
    tokens = content(claim, own)
    named = names(claim)
    main, cross = embedder.encode_query(claim)[0], crosslingual.encode([claim])[0]
    cos_main = np.asarray([float(sentence.main @ main) for sentence in source.sentences])
    cos_cross = np.asarray([float(sentence.cross @ cross) for sentence in source.sentences])
    covers = [cover(tokens, sentence.tokens) for sentence in source.sentences]
    stated = [np.asarray(_stated(own, sentence.facts)) for sentence in source.sentences]
    certain = [name for name in named if name.certain and name.text.lower() not in HEADS and not places(name.text)]
    by_sentence = [_standing(certain, [sentence], source.headings) for sentence in source.sentences]
    score = [
        cos_main[row] * 4
        + cos_cross[row]
        + 2 * (covers[row].mean() if tokens else 1.0)
        + (stated[row].mean() if stated[row].size else 0)
        + (np.mean(by_sentence[row]) if certain else 0)
        for row in range(len(source.sentences))
    ]
    chosen = [int(np.argmax(score))]
    have, had = covers[chosen[0]], stated[chosen[0]]
    while len(chosen) < 3 and len(source.sentences) > len(chosen):  # what the first does not say, another may
        gains = {
            row: float(np.maximum(covers[row] - have, 0).sum()) + 2 * float(np.maximum(stated[row] - had, 0).sum())
            for row in range(len(source.sentences))
            if row not in chosen
        }
        best = max(gains, key=lambda row: gains[row])
        if gains[best] < 1.2:
            break
        chosen.append(best)
        have, had = np.maximum(have, covers[best]), np.maximum(had, stated[best])
    first = source.sentences[chosen[0]]
    carried = [source.sentences[row] for row in sorted(chosen)]
    evidence = " ".join(sentence.text for sentence in carried)
    around = 0.9 * cover(tokens, words(source.context))
    crossed = spoken(claim) != source.language
    # In another script a missing name says nothing: of 260 sentences of the corpus, held against their translations, a limit
    # on names spoke against 56. Bodies are translated, and few are written by sound.
    stands = dict(zip(certain, _standing(certain, carried, source.headings), strict=True))
    missing = [
        name
        for name in certain
        if stands[name] < 0.5
        and _absent(name, carried, source, crossed)
        # 요슈아 벤지오 may be 벤지오 there.
        and not any(stands[other] >= 0.5 for other in certain if claim[name.end : other.start] == " ")
    ]
    claimed, here = places(claim), places(evidence)
    denials = negations(claim)
    opposite = contradicted(claim, evidence)
    failed: dict[str, str] = {}
    for name in missing[:1]:
        failed["name"] = name.text
    for signal, odd in (("place", claimed - source.places), ("place_other", claimed - here)):
        for place, code in located(claim):
            if code in odd:
                failed[signal] = re.split(r"\W", claim[place:], maxsplit=1)[0]
    for _, _, left, right in denials[:1]:
        failed["alone"] = claim[left:right]
    for word in opposite[:1]:
        failed["opposite"] = word
    found = {
        "name": float(bool(missing)),
        "place": float(bool(claimed - source.places)),
        "place_other": float(bool(claimed - here) and bool(here - claimed)),
        "opposite": float(bool(opposite)),
        "alone": float(denies(claim) and not negations(evidence) and not implies_denial(evidence)),
        "denied": 0.0 if denials or implies_denial(claim) else _denied(claim, first.text),
        "clause": 1 - _clause(claim, tokens, np.maximum(have, around)),
        "crossed": float(crossed),
    }
    return found, carried, failed


def _absent(name: Name, among: Sequence[Sentence], source: Source, crossed: bool) -> bool:
    """Whether a name that the sentences lack may be held against the claim: across languages only if it is in the passage's script,
    and never if something there is spelled nearly so, or sounds so in the other script (Myuhng-joo, Myung-joo; 트레이핸, Trahan)."""
    hangul = bool(re.search("[가-힣]", name.text))
    if crossed and hangul != (source.language == "ko"):
        return False
    return not any(_spelled_so(name.text, other, hangul) for sentence in among for other in sentence.spellings)


def _spelled_so(name: str, other: str, hangul: bool) -> bool:
    if name[0] == other[0] and len(name) > 3 and SequenceMatcher(None, name, other, autojunk=False).ratio() > 0.85:
        return True
    return hangul != bool(re.search("[가-힣]", other)) and sounds_like(name, other) >= 0.8


def spoken(claim: str) -> Language:
    """The language of a claim: "키는 SECRET-abc입니다" is Korean, whatever letters most of it has."""
    return "ko" if re.search(r"[가-힣][.!?。]?$", claim) else language_of(claim)


# Addresses, mail, keys (of mixed letters and digits, or in capitals), code: what nobody says in other words.
_CODE = re.compile(
    r"""(?<![^\s(\[{"'“‘<=:])(?:
        (?:\w+://|www\.)[!-~]+ | [\w.+-]+@[\w-]+\.\w+ | (?:[a-z0-9-]+\.)+(?:com|org|net|io|gov|edu|kr|eu|uk|ai)\b[!-~]*
        | (?=[\w./+=-]*(?:[A-Za-z]\d|\d[A-Za-z])\w\w)[\w./+=-]{12,} | [A-Za-z0-9+/=]{24,} | (?:[A-Z]{4,}-)+[\w-]+
        | [A-Za-z0-9]*_\w+ | </?[a-z][^>]*> | \{[^}]*\}
    )""",
    re.VERBOSE | re.ASCII,
)


def unknown_code(claim: str, source: Source) -> str:
    """The first address, key or piece of code in a claim that its passages do not hold letter for letter, or ""."""
    held = source.whole.lower()
    return next((match[0] for match in _CODE.finditer(claim) if match[0].lower().rstrip(".,;:)]-/") not in held), "")


def _stated(own: Facts, other: Facts) -> list[float]:
    """For each fact of a claim whether a sentence states it."""
    addresses = {address for _, _, address in other.provisions}
    identifiers = {name for _, _, name in other.identifiers}
    return [
        *(float(date_stands(date, other)) for date in own.dates),
        *(float(number_stands(number, other)) for number in own.numbers),
        *(float(address in addresses) for _, _, address in own.provisions),
        *(float(name in identifiers) for _, _, name in own.identifiers),
    ]


def _denied(claim: str, sentence: str) -> float:
    """How much the claim says of what the sentence denies, 0 to 1."""
    said = words(claim)
    scopes = [words(sentence[start:end]) for start, end, _, _ in negations(sentence)]
    return max((float(cover(scope, said).mean()) for scope in scopes if scope), default=0.0)


def _standing(wanted: Sequence[Name], among: Sequence[Sentence], around: str) -> list[float]:
    """How sure it is that each name stands in the sentences or in what is known around them."""
    if not wanted:
        return []
    known = (*(name for sentence in among for name in sentence.names), *names(around))
    text = "\n".join([*(sentence.text for sentence in among), around])
    stems = frozenset(token for sentence in among for token, _ in sentence.tokens) | {token for token, _ in words(around)}
    return [standing(name, known, text, stems) for name in wanted]


def _clause(claim: str, tokens: Sequence[tuple[str, str]], have: NDArray[np.float64]) -> float:
    """How well the clause is covered that is covered worst, of those with three words or more."""
    if not tokens:
        return 1.0
    found, left = [float(have.mean())], 0
    for clause in _CLAUSES.split(claim):
        spoken = set(words(clause))
        held = [number for number in range(left, len(tokens)) if tokens[number] in spoken]
        if len(held) >= 3:
            found.append(float(have[held].mean()))
        left = held[-1] + 1 if held else left
    return min(found)


_CLAUSES = re.compile(r",|;|\b(?:and|but|while)\b|(?<=[고며나만])\s")
