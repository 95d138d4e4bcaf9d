"""When not to answer, and how to say so."""

from collections.abc import Sequence

import numpy as np

from rag.answer import coverage
from rag.answer.extract import Candidate
from rag.index import Index
from rag.retrieve import Query, Scored
from rag.text import plain
from rag.types import Language, Passage

# Logistic regressions with the bundled model on the development questions, answerable against far ones: constant,
# closeness, coverage (python -m benchmarks.answers --fit). The constants put probability 0.5 where 92 % of the answerable
# are answered. Near misses are not fitted: these signals do not tell them from answers, and would only be blunted.
OWN_LANGUAGE = (-46.94, 54.02, 3.18)
OTHER_LANGUAGE = (-48.41, 60.01, 6.16)


def signals(scored: Sequence[Scored]) -> tuple[float, float]:
    """What tells whether passages of one language answer: (closeness, coverage) of the best of the first ten.

    Closeness is the cosine, coverage the share of the question's idf that one passage with its context holds.
    """
    nearest = scored[:10]
    return max(entry.cosine for entry in nearest), max(entry.coverage for entry in nearest)


def answerable(scored: Sequence[Scored], found: Sequence[Candidate], language: Language) -> float:
    """Probability that the corpus answers, 0 to 1: that of the language whose evidence is stronger.

    Only languages that have a sentence to quote count.
    """
    logits = [
        np.dot(
            OWN_LANGUAGE if code == language else OTHER_LANGUAGE,
            (1.0, *signals([entry for entry in scored if entry.chunk.language == code])),
        )
        for code in {candidate.document.language for candidate in found}
    ]
    return float(1 / (1 + np.exp(-max(logits)))) if logits else 0.0


def missing_provision(index: Index, query: Query) -> str:
    """The first provision that the question names and no text of the index holds; empty if there is none.

    Articles, recitals and annexes are known by their number. A point, as in Article 5(1)(z), is missed only where
    the index names its neighbours: the text of a statute has "(c)" and not "Article 5(1)(c)".
    """
    if not query.provisions:
        return ""
    known = {address for pool in index.pools.values() for address in pool.lexical.addresses}
    for address in query.provisions:
        depth = address.count(":")
        neighbours = [other for other in known if other.rpartition(":")[0] == address.rpartition(":")[0]]
        if address not in known and (depth == 1 or (depth == 3 and len(neighbours) > 2)):
            return address
    return ""


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
        lines.append(f"- {heading}: {_shortened(plain(passage.chunk.text))}")
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
