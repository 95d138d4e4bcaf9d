"""What a question asks for (a date, a reason, an amount, a list...), and whether a sentence or a heading has it."""

import re

_KINDS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(asked, re.IGNORECASE), re.compile(said, re.IGNORECASE))
    for asked, said in (
        (
            r"언제|며칠|날짜|시점|기한|부터|\bwhen\b|\bsince\b|\bdate|how long|deadline|몇 년",
            r"\d{4}년|\d+월 \d+일|\d+(?:개월|년)|\b\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November|December)\b|\b(?:19|20)\d\d\b|\bmonths?\b|\byears?\b",
        ),
        (
            r"왜|이유|까닭|때문|\bwhy\b|\breasons?\b|because",
            r"때문|이유|위해|위하여|주장|근거|않도록|\bbecause\b|\breason|\bso that\b|\balleg|\bclaim|\bin order to\b|\bto (?:avoid|prevent)\b",
        ),
        (
            r"얼마|금액|액수|과태료|벌금|과징금|몇 (?:달러|원|유로|퍼센트|프로)|지분|how much|how big|\bfines?\b|penalt|amount|\bshare\b|\bstake\b|percent",
            r"\d[\d,.]*\s?[십백천만억조]*\s?(?:원|달러|유로|퍼센트|%)|(?:US\$|€|EUR|KRW|\$)\s?\d|\d\s?%|million|billion|per cent",
        ),
        (
            r"몇 (?:명|개|가지|건)|how many|number of",
            r"\d|(?:두|세|네|다섯|여섯|일곱|여덟|아홉|열) ?(?:명|개|가지|건)|\b(?:two|three|four|five|six|seven|eight|nine|ten)\b",
        ),
        (r"누가|누구|\bwho\b|\bwhom\b|\bwhose\b", r"[가-힣]{2,4}(?:은|는|이|가)\s|[A-Z][a-z]+ [A-Z][a-z]+"),
        (
            r"결과|결국|어떻게 (?:됐|되었|끝)|끝났|이겼|이김|졌|누가 이|outcome|what happened|\bwon\b|\bwin\b|\bend(?:ed)? up|result",
            r"패소|승소|이겼|이긴|판결|평결|기각|취하|배척|\bwon\b|\blost\b|verdict|judgment|dismiss|dropped|withdr",
        ),
        (r"몇 ?조|어느 조|어떤 조항|which (?:article|section|provision)", r"제\d+조|\bArticle \d+"),
    )
)

_DENIAL = re.compile(r"\b(?:not?|neither|nor|never|without)\b|n't\b|않|없|못|아니|아닙", re.IGNORECASE)
_ASKS_FOR_A_LIST = re.compile(
    r"\bwhich\b|\bwhat (?:are|were|kinds?|counts)\b|\blist\b|어떤|무엇|무슨|뭐|뭘|종류|목록|누가|\bwho\b", re.IGNORECASE
)


def given(question: str, sentence: str) -> float:
    """The share of the kinds of thing the question asks for that the sentence holds: 0 to 1."""
    asked = [said for asks, said in _KINDS if asks.search(question)]
    return sum(bool(said.search(sentence)) for said in asked) / len(asked) if asked else 0.0


def asked_too(question: str, heading: str) -> float:
    """The share of what the question asks for that the heading asks too: "왜 머스크는 소송했나" asks for a reason."""
    asked = [asks for asks, _ in _KINDS if asks.search(question)]
    return sum(bool(asks.search(heading)) for asks in asked) / len(asked) if asked else 0.0


def denied(question: str, heading: str) -> bool:
    """Whether the heading denies and the question does not: "What does Article 5 not ban?" shares every word with what it bans.

    Sentences are not judged so: the one that corrects a false premise denies what was asked.
    """
    return bool(_DENIAL.search(heading)) and not _DENIAL.search(question)


def asks_for_a_list(question: str) -> bool:
    """Whether several things may answer: which, who, 어떤, 무엇."""
    return bool(_ASKS_FOR_A_LIST.search(question))
