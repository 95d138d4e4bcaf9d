"""What kind of thing was asked: the parts of a question, and questions that lean on the one before."""

import re
from collections.abc import Callable, Mapping, Sequence, Set

from rag.lexical import tokens, words
from rag.places import coordinated, named_in, places, without
from rag.types import Turn

MAX_PARTS = 4
TURNS = 3  # questions of a conversation that are looked at closely: each takes a search
_ASKS = r"(?:(?:since|from|until) when|what|which|who|whom|when|where|why|how|is|are|was|were|does|do|did|can|could|must|may|should|will|would)\b"  # opens a clause
_INTERROGATIVE = re.compile(rf"^{_ASKS}|누가|누구|언제|어디|무엇|무슨|어떻|어떤|얼마|왜\s|몇\s?[가-힣]", re.IGNORECASE)
_CLAUSES = re.compile(
    rf"[?？]\s+|,?\s+(?:and|but|or|while|whereas)\s+(?={_ASKS})|(?<=[하되이있없받시지르])(?:고|며),?\s+(?!있|싶|나서|말)|(?<=[가-힣])(?:는지|는데),?\s+|\s+(?:그리고|반면)\s+",
    re.IGNORECASE,
)
_COMPARES = re.compile(r"compar\w*|differ\w*|\bversus\b|\bvs\b|\beach\b|\bboth\b|비교|차이|각각|다른가|다르|모두", re.IGNORECASE)
_SIDES = re.compile(r"(?<=[가-힣])(?:와|(?<![결효성])과|이랑|랑|하고)\s+|\s+(?:and|with|versus|vs\.?|from)\s+", re.IGNORECASE)
# Every text here is on these: alone they ask nothing.
_OF_ALL = frozenset("ai 인공지능 act law 법".split())
# How a question begins that leans on the one before it.
_FOLLOW_UP = re.compile(
    r"(?:그럼|그러면|그렇다면|그래서|그런데|근데|그리고|그건|그게|그거|그때|거기|그\s|이건|이게|반면|and\b|but\b|so\b|then\b|also\b|"
    r"(?:what|how) about\b|(?:(?:when|why|how|where|who|what)(?: \w+)? )?"
    r"(?:do|does|did|is|are|was|were|can|could|will|would|has|have|had|must|should) (?:it|its|that|he|she|they|them|this|these|those|their|anyone)\b)",
    re.IGNORECASE,
)
_ELLIPTIC = re.compile(r"[가-힣](?:은|는|도)\s*[?？]*$")  # "중국 회사들은?"


def parts(question: str) -> list[str]:
    """The things that a question asks, each to be searched for itself; none if it asks one.

    Clauses that ask, and the two sides of a comparison; and for each of several places side by side ("in Korea and the EU?",
    "in Korea? And in the EU?") a clause on it alone, or else what is asked without the names of the others.
    """
    clauses = [clause.strip(" ,;?") for clause in _CLAUSES.split(question)]
    found = [clause for clause in clauses if _says(clause) >= (1 if _INTERROGATIVE.search(clause) else 2)]
    if _COMPARES.search(question):
        found = [side for clause in found for side in _sides(clause)]
    of = {part: places(part) for part in found}
    elliptic = any(places(clause) and not _says(clause) for clause in clauses)
    if named := coordinated(question) or (named_in(question) if elliptic or _COMPARES.search(question) else []):
        for_places = [[part for part in found if of[part] == {place}] or [_for(question, place, of)] for place in named]
        found = [part for parts in for_places for part in parts] + [part for part in found if not of[part]]
    found = list(dict.fromkeys(found))[:MAX_PARTS]
    return found if len(found) > 1 else []


def _sides(clause: str) -> list[str]:
    """The sides of a comparison, or the clause if one of them would say nothing: "How do Korea and the EU differ"."""
    sides = [side.strip(" ,;?") for side in _SIDES.split(clause)]
    return sides if all(_says(side) >= 2 for side in sides) else [clause]


def _for(question: str, place: str, of: Mapping[str, Set[str]]) -> str:
    """What is asked of one of several places: by the first part that names it among others, else by the whole question."""
    return without(next((part for part, named in of.items() if place in named), question), place)


def _says(text: str) -> int:
    """How many words of a text say what it is about, not where, nor that it compares."""
    found = {word.lower() for _, word in words(without(_COMPARES.sub(" ", text)))}
    return sum(not word.isdigit() for word in found - _OF_ALL)


def with_context(question: str, history: Sequence[Turn], goes_on: Callable[[str, str], bool] | None = None) -> str:
    """The text to search for: a follow-up ("그럼 언제부터?", "and in Korea?") goes with the questions that it leans on, a line each.

    One that names a place takes the place of theirs. `goes_on(question, before)` says of a question whose words do not show it
    whether it leans on the one before; it is asked of the last few.
    """
    asked = [*(turn["content"] for turn in history if turn["role"] == "user"), question]
    text = ""
    for number, one in enumerate(asked, start=1):
        close = goes_on if len(asked) - number < TURNS else None
        leans = text and (_leans(one) or (close and close(one, text)))
        text = f"{without(text) if places(one) else text}\n{one}" if leans else one
    return text


def _leans(question: str) -> bool:
    return bool(_FOLLOW_UP.match(question) or _ELLIPTIC.search(question)) or len(tokens(question)) < 2
