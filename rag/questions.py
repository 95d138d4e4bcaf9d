"""What kind of thing was asked: the parts of a question, and questions that lean on the one before."""

import re
from collections.abc import Sequence

from rag.lexical import tokens
from rag.types import Turn

MAX_PARTS = 4
_ASKS = r"(?:what|which|who|whom|when|where|why|how|is|are|was|were|does|do|did|can|could|must|may|should|will|would)\b"  # opens a clause
_CLAUSES = re.compile(
    rf"[?？]\s+|,?\s+(?:and|but|or|while|whereas)\s+(?={_ASKS})|(?<=[하되이있없받시지르])(?:고|며),?\s+(?!있|싶|나서|말)|(?<=[가-힣])(?:는지|는데),?\s+|\s+(?:그리고|반면)\s+",
    re.IGNORECASE,
)
_COMPARES = re.compile(r"\bcompar|\bdiffer|\bversus\b|\bvs\b|\beach\b|\bboth\b|비교|차이|각각|다른가|다르|모두", re.IGNORECASE)
_SIDES = re.compile(r"(?<=[가-힣])(?:와|(?<![결효성])과|이랑|랑|하고)\s+|\s+(?:and|with|versus|vs\.?|from)\s+", re.IGNORECASE)
# How a question begins that leans on the one before it.
_FOLLOW_UP = re.compile(
    r"(?:그럼|그러면|그렇다면|그래서|그런데|근데|그리고|그건|그게|그거|그때|거기|그\s|이건|이게|반면|and\b|but\b|so\b|then\b|also\b|"
    r"(?:what|how) about\b|(?:does|did|is|was|can|will) (?:it|that|he|she|they|this)\b|(?:when|why|how|where|who) (?:did|does|is|was|will) "
    r"(?:it|that|he|she|they|this)\b)",
    re.IGNORECASE,
)


def parts(question: str) -> list[str]:
    """The things that a question asks, each to be searched for itself; none if it asks one.

    Clauses that ask, and the two sides of a comparison.
    """
    found = _CLAUSES.split(question)
    if _COMPARES.search(question):
        found = [side for clause in found for side in _SIDES.split(clause)]
    found = [part for part in (part.strip(" ,;?") for part in found) if len(part.split()) >= 2]
    return found[:MAX_PARTS] if len(found) > 1 else []


def with_context(question: str, history: Sequence[Turn]) -> str:
    """The text to search for: a follow-up ("그럼 언제부터?", "and in Korea?") goes with the question before it."""
    asked = [turn["content"] for turn in history if turn["role"] == "user"]
    if asked and (_FOLLOW_UP.match(question) or len(tokens(question)) < 2):
        return f"{asked[-1]}\n{question}"
    return question
