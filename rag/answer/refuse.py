"""When not to answer, and how to say so."""

from collections.abc import Sequence, Set

import numpy as np

from rag import places, provisions
from rag.answer import coverage, cues
from rag.answer.extract import Candidate
from rag.index import Index
from rag.retrieve import Query, Scored, share_held, weighed_words
from rag.text import plain
from rag.types import Language, Passage

# A logistic regression with the bundled models on the development questions, on 560 more that the corpus does not answer, on 612
# about a statute and 300 about passages of an encyclopaedia, and on the 88 texts of a few lines in tests/injection; near misses weigh a fifth, far questions
# four times as much. The constants put probability 0.5 where about 3 % of the answerable questions in each language are refused.
WEIGHTS = (12.27, 1.96, -1.61, 22.73, -12.66, -1.99, -7.5, -0.47, 2.26, 0.67)
CONSTANT: dict[Language, float] = {"ko": -2.5, "en": -2.15}


def signals(query: Query, scored: Sequence[Scored], found: Sequence[Candidate]) -> tuple[float, ...]:
    """What tells whether passages answer: (closeness, coverage, own language, field, field between languages, words told, word
    missed, lead over all, sentences that can answer, lead of a sentence).

    Of the first ten: the greatest cosine of the crosslingual encoder, and the greatest share of the question's idf that one
    passage with its context holds; whether the first is in the asker's language, where cosines are higher whatever it says. By
    either encoder, how near the question is to all passages of the first one's language, less how near these are to each other:
    whether it belongs to their field at all. The share of the question's idf that the ten hold together, and that of the one
    word they hold least: a near miss asks for what they never mention. The greatest cosine again, in standard deviations above
    all passages. Which of the five best sentences hold what is asked for, as an amount or a date, each worth half the one
    before. And by how many standard deviations the nearest sentence leads the mean of the five behind it.
    """
    nearest = scored[:10]
    pool = nearest[0].pool
    closeness = max(entry.crosslingual_cosine for entry in nearest)
    field, _ = pool.standardise(query.plain, "main")
    between, deviation = pool.standardise(query.crosslingual, "crosslingual")
    words = weighed_words(pool, query)
    told = frozenset[int]().union(*(held for entry in nearest if entry.pool is pool for held in pool.sentence_tokens(entry.row)))
    can = [cues.can_answer(query.asked, entry.document.text[entry.start : entry.end]) for entry in found[:5]]
    near = sorted((entry.nearness for entry in found), reverse=True)[:6]
    return (
        closeness,
        max(entry.coverage for entry in nearest),
        float(pool.language == query.language),
        field - pool.likeness("main"),
        between - pool.likeness("crosslingual"),
        share_held(words, told),
        max((weight for weight, columns in words if told.isdisjoint(columns)), default=0.0),
        (closeness - between) / deviation,
        sum(2.0 ** -(place + 1) for place, holds in enumerate(can) if holds),
        near[0] - sum(near[1:]) / len(near[1:]) if len(near) > 1 else 0.0,
    )


def answerable(query: Query, scored: Sequence[Scored], found: Sequence[Candidate]) -> float:
    """How surely the corpus answers, 0 to 1: refused under a half. Good for ranking questions; near misses keep it from being a frequency."""
    if not scored or not (query.words or query.provisions):  # "언제?" asks nothing
        return 0.0
    return float(1 / (1 + np.exp(-CONSTANT[query.language] - np.dot(WEIGHTS, signals(query, scored, found)))))


def missing_provision(index: Index, query: Query) -> str:
    """The first provision that the question names and no text of the place asked about holds; empty if there is none.

    Articles, recitals and annexes are known by their number. A point, as in Article 5(1)(z), is missed only where
    the index names its neighbours: the text of a statute has "(c)" and not "Article 5(1)(c)".
    """
    asked = places.places(query.text)
    known = {address for pool in index.pools.values() for address in pool.lexical.addresses} if query.provisions else set()
    for address in query.provisions:
        depth = address.count(":")
        neighbours = [other for other in known if other.rpartition(":")[0] == address.rpartition(":")[0]]
        if (depth == 1 or (depth == 3 and len(neighbours) > 2)) and not _stands(index, address, asked):
            return address
    return ""


def _stands(index: Index, address: str, asked: Set[str]) -> bool:
    """Whether a text holds the address; where the question names places, for one of them, as far as texts say of what place they are."""
    for pool in index.pools.values():
        for row in pool.lexical.rows_with(address):
            chunk = pool.chunks[row]
            document = index.documents[chunk.document_id]
            own = places.places(document.title) | ({document.jurisdiction} - {""})
            if not asked or not own:
                return True
            sentences = [document.text[start:end] for start, end in pool.sentences(row)[0]]
            named = [_places_of(address, sentence) or own for sentence in sentences if address in provisions.provisions(sentence)]
            if any(places.names_any(asked, of) for of in named or [own]):  # none: only the title or a heading names it
                return True
    return False


def _places_of(address: str, sentence: str) -> set[str]:
    """The places whose provision the sentence names: "Article 50 of the EU act", "the EU's Article 50, unlike Korea's Article 31"."""
    named = places.located(sentence)
    found: set[str] = set()
    for at in (position for position, other in provisions.located(sentence) if other == address):
        after = [code for position, code in named if position > at and sentence[at:position].endswith((" of ", " of the "))]
        before = [code for position, code in named if position < at]
        found |= set(after[:1] or before[-1:])
    return found


def reason(language: Language, *, provision: str = "", elsewhere: bool = False) -> str:
    """Why there is no answer, in the asker's language: a provision that is nowhere, a country that no text is about, or neither."""
    if provision:
        name = _provision_name(provision, language)
        if language == "ko":
            return f"이 자료에서 {name}에 관한 글을 찾지 못했습니다. 없는 조항이거나 이 자료가 다루지 않는 법일 수 있습니다."
        return f"No text of the corpus contains or mentions {name}. It may not exist, or belong to a law that the corpus does not cover."
    if elsewhere:
        if language == "ko":
            return "질문에 나온 나라나 지역을 다룬 글을 이 자료에서 찾지 못했습니다. 다른 나라의 글로 답하지 않습니다."
        return "No text found in the corpus is about the country or region in the question, and another country's is no answer."
    if language == "ko":
        return "이 질문에 답하는 문장을 이 자료에서 찾지 못했습니다. 추측해서 답하지 않습니다."
    return "No sentence of the corpus answers this question, and nothing is guessed."


def refusal_text(index: Index, language: Language, why: str, nearest: Sequence[Passage]) -> str:
    """The whole refusal: the reason, the three nearest passages, what the corpus covers."""
    title = "가장 가까운 대목:" if language == "ko" else "The nearest passages:"
    lines = [why, "", title]
    for passage in nearest[:3]:
        heading = " › ".join((passage.document.title, *passage.chunk.headings))
        lines.append(f"- {heading}: “{_shortened(plain(passage.chunk.text))}”")
    return "\n".join([*lines, "", coverage.sentence(index, language)])


def _shortened(text: str, limit: int = 120) -> str:
    return text if len(text) <= limit else text[: text.rfind(" ", 0, limit)] + " …"


def _provision_name(address: str, language: Language) -> str:
    kind, number, *rest = address.split(":")
    if language == "ko":
        article, _, branch = number.partition("-")
        name = {"article": f"제{article}조" + (f"의{branch}" if branch else ""), "recital": f"전문 제{number}항"}.get(
            kind, f"부속서 {number}"
        )
        return name + "".join(f"제{part}항" if part.isdigit() else f"({part})" for part in rest)
    return f"{kind.capitalize()} {number}" + "".join(f"({part})" for part in rest)
