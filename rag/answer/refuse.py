"""When not to answer, and how to say so."""

from collections.abc import Sequence, Set

import numpy as np

from rag import places, provisions
from rag.answer import coverage, cues
from rag.answer.extract import Candidate
from rag.index import Index
from rag.retrieve import Query, Scored, missed
from rag.text import plain
from rag.types import Language, Passage

# A logistic regression on the development questions, on 1,388 more that the corpus does not answer, on 652 about a statute and
# about passages of an encyclopaedia, and on the 88 texts of tests/injection; near misses weigh a fifth, far questions four times
# as much. The constants put probability 0.5 where 1 to 4 % of the answerable questions are refused, by kind of text.
WEIGHTS = (-6.55, 1.58, -0.77, 34.58, 0.28, -33.28, 0.0)
CONSTANT: dict[Language, float] = {"ko": 9.25, "en": 10.5}
# Of an encoder that reads questions as any other text, cosines mean whatever they mean: closeness is by the crosslingual encoder.
# Fitted with the bundled one without its adapter, on the development questions and the 652.
OTHER_WEIGHTS = (-10.15, 1.93, 0.16, 0.0, 0.43, 0.0, 11.93)
OTHER_CONSTANT: dict[Language, float] = {"ko": -2.5, "en": -2.4}
FARTHEST = 6.0  # standard deviations: a few texts of one kind, which hardly differ, would give twenty
MOVED = 0.99  # the cosine of a question to its plain self, under which the encoder has learned questions


def signals(query: Query, scored: Sequence[Scored], found: Sequence[Candidate]) -> tuple[float, ...]:
    """What tells whether passages answer: (word missed, sentences that can answer, nearness, cosine, lead, unmoved, closeness).

    The greatest share of the question's idf that one of its words has which the first ten passages do not hold: a near miss asks
    for what they never mention. Which of the five best sentences hold what is asked for, as an amount or a date, each worth half the
    one before. How near the question is to the best sentence, in standard deviations, and the greatest cosine to one of the five;
    by how much the first passage leads the second. How little the encoder's learning has moved the question: a cosine counts only
    as far as it exceeds that. The greatest cosine of a passage by the crosslingual encoder.
    """
    nearest = scored[:10]
    pool = nearest[0].pool
    can = [cues.can_answer(query.asked, entry.document.text[entry.start : entry.end]) for entry in found[:5]]
    return (
        max(missed(pool, query, (entry.row for entry in nearest if entry.pool is pool)), default=0.0),
        sum(2.0 ** -(place + 1) for place, holds in enumerate(can) if holds),
        min(found[0].nearness, FARTHEST),
        max(entry.cosine for entry in found[:5]),
        nearest[0].score - nearest[1].score if len(nearest) > 1 else 0.0,
        float(query.main @ query.plain),
        max(entry.crosslingual_cosine for entry in nearest),
    )


def answerable(query: Query, scored: Sequence[Scored], found: Sequence[Candidate]) -> float:
    """How surely the corpus answers, 0 to 1: refused under a half. Good for ranking questions; near misses keep it from being a frequency."""
    if not scored or not found or not (query.words or query.provisions):  # "언제?" asks nothing
        return 0.0
    seen = signals(query, scored, found)
    *_, unmoved, _ = seen
    weights, constant = (WEIGHTS, CONSTANT) if unmoved < MOVED else (OTHER_WEIGHTS, OTHER_CONSTANT)
    return float(1 / (1 + np.exp(-constant[query.language] - np.dot(weights, seen))))


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
