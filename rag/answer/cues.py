"""What a question asks for (a date, a reason, an amount, a list...), and whether a sentence or a heading has it."""

import re
from dataclasses import dataclass
from functools import lru_cache

_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_NUMBER = r"(?:\d[\d,.]*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|hundred|thousand|million|half)"
_NUMERAL = r"(?:\d[\d,.]*|한|두|세|네|다섯|여섯|일곱|여덟|아홉|열|스무|서른|첫)[십백천만억조여]*"
_MONEY = r"\d[\d,.]*\s?[십백천만억조]*\s?(?:원|달러|유로|파운드|엔|위안)|(?:US\$|€|EUR|KRW|USD|GBP|£|\$|₩)\s?\d|\d\s?(?:euros?|dollars?|won|pounds)\b"
_SHARE = r"\d\s?%|퍼센트|프로\b|per ?cent"
_HOW_MUCH = r"얼마(?!나| ?(?:동안|간|만에|안|이내|뒤|후|전|의 기간))|how much(?! (?:time|longer))|how (?:big|high|large)"
_COUNTED_OTHERWISE = r"연산|메모리|compute|computation|flop|memory"
# Of anything: a number that is neither a date nor the number of a provision.
_AMOUNT = rf"(?:m|b|tr)illion|10[\^⁰¹²³⁴-⁹]|(?<![\d제])(?!(?:19|20)\d\d(?!\d))\d[\d,.]*(?!\s?(?:[년월일조항호차]|{_MONTH}))[십백천만억조]*\s?[가-힣A-Za-z]"
_SPAN = (
    rf"{_NUMERAL}\s?(?:개월|년|일|주|시간|달|분기)|\b{_NUMBER}[- ](?:working |calendar )?(?:hour|day|week|month|year|minute)s?\b"
)


@dataclass(frozen=True)
class Kind:
    """A kind of thing. Where it is `needed` (an amount, a date), no sentence without it answers; a reason can be given in any words."""

    said: re.Pattern[str]
    needed: bool = True


def _pattern(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE)


_KINDS = tuple(
    (_pattern(asked), Kind(_pattern(said), needed))
    for asked, said, needed in (
        (
            r"몇 ?(?:달러|원|유로)|what (?:is|was|are|were) the (?:\w+ ){0,4}(?:fees?|fines?|penalt(?:y|ies)|costs?|budget|salary|price|rate)\b",
            rf"{_MONEY}|{_SHARE}|million|billion",
            True,
        ),
        # Money, unless of something that is counted otherwise: a number of signatories is no cost.
        (rf"^(?!.*(?:{_COUNTED_OTHERWISE})).*(?:{_HOW_MUCH})", rf"{_MONEY}|{_SHARE}|million|billion", True),
        (rf"^(?=.*(?:{_COUNTED_OTHERWISE})).*(?:{_HOW_MUCH})", rf"{_MONEY}|{_SHARE}|{_AMOUNT}", True),
        (r"몇 ?(?:%|프로|퍼센트)|지분|per ?cent|\bshare\b|\bstake\b", _SHARE, True),
        (
            r"며칠|몇 ?(?:일|년|개월|달|주|시간|분)(?!도)|얼마나 (?:오래|자주|걸)|얼마 ?(?:동안|간|만에|안|이내|뒤|후|전에|의 기간)|how (?:long|often)|how much (?:time|longer)|"
            r"how many (?:\w+ ){0,2}(?:hour|day|week|month|year)s?\b",
            rf"{_SPAN}|{_MONTH} \d|\d {_MONTH}",
            True,
        ),
        (
            r"언제|날짜|시점|기한|몇 ?년도|\bwhen\b|\bsince\b|(?:what|which) (?:date|day|month|year)|deadline",
            rf"\d{{4}}년|\d+월|\b\d{{1,2}} {_MONTH}|{_MONTH} \d|\b(?:19|20)\d\d\b|{_SPAN}",
            True,
        ),
        (
            r"누가|누구|누군|\bwho\b|\bwhom\b|\bwhose\b",
            r"(?-i:[A-Z][a-z]+ (?:[A-Z]\. )?[A-Z][a-z]+)|장관|위원|대표|대통령|총리|의원|판사|기관|사업자|이용자|minister|president|secretary|"
            r"\bchair(?:man|woman)?\b|judge|jury|authority|commission|office|committee|provider|deployer|compan",
            True,
        ),
        (
            r"왜|이유|까닭|때문|\bwhy\b|\breasons?\b|because",
            r"때문|이유|위해|위하여|주장|근거|않도록|\bbecause\b|\breason|\bso that\b|\balleg|\bclaim|\bin order to\b|"
            r"\bto (?:avoid|prevent|show|stop|protect|make|keep|bring|reflect|match|align|narrow)\b|\bcalling\b|\bciting\b|\bargu|\bsaw\b|\bwanted\b|다며|다고 (?:주장|밝|말|설명|봤|보)",
            False,
        ),
        (
            r"결과|결국|어떻게 (?:됐|되었|끝)|끝났|이겼|이김|졌|outcome|what happened|\bwon\b|\bwin\b|\bend(?:ed)? up|how did\b.*\b(?:end|turn out)\b|result",
            r"패소|승소|이겼|이긴|판결|평결|기각|취하|배척|무산|삭제|폐지|철회|거부|대체|합의|통과|승인|\bwon\b|\blost\b|verdict|judgment|dismiss|dropped|"
            r"withdr|\bstr[iu](?:ck|ke)\b|reject|repeal|revok|vetoed|replac|settle|failed|approv",
            False,
        ),
        (
            r"지금|현재|아직|현황|되고 있|\bnow\b|\bcurrent|\bstill\b|\byet\b|\bstands?\b|\bstatus\b|\blatest\b",
            r"현재|기준으?로|기준입|\bas of\b|\bso far\b|pending|undecided|was at\b|\bstage\b|단계",
            False,
        ),
        (r"몇 ?조|어느 조|어떤 조항|which (?:article|section|provision)", r"제\d+조|\bArticle \d+", False),
    )
)
# How many of what: a number with the same counter or noun close behind it; in the other language any number.
_COUNTED = _pattern(r"몇 ?(?P<counter>[가-힣])|how many (?P<noun>(?:[\w-]+ ){0,2}[\w-]+)")
_SOME_NUMBER = rf"\b{_NUMBER}\b"

# The date that a sentence holds good for ("As of 24 September 2026 ...") is no answer to when.
_STATUS_DATE = _pattern(rf"\bas of (?:\d{{1,2}} )?{_MONTH} \d{{4}}|\d{{4}}년 (?:\d+월 )?(?:\d+일 )?(?:현재|기준)")
_DENIAL = re.compile(r"\b(?:not?|neither|nor|never|without)\b|n't\b|않|없|못|아니|아닙", re.IGNORECASE)
_ASKS_FOR_A_LIST = re.compile(
    r"\bwhich\b|\bwhat (?:are|were|kinds?|counts)\b|\blist\b|어떤|무엇|무슨|뭐|뭘|종류|목록|누가|\bwho\b", re.IGNORECASE
)


@lru_cache(maxsize=256)  # asked again for every sentence
def _asked(question: str) -> tuple[Kind, ...]:
    """The kinds of thing that the question asks for."""
    found = tuple(kind for asks, kind in _KINDS if asks.search(question))
    counted = _COUNTED.search(question)
    if not counted or any(kind.needed for kind in found):
        return found
    if counter := counted["counter"]:
        return (*found, Kind(_pattern(rf"{_NUMERAL}\s?(?:여 )?(?:[가-힣] )?{counter}|{_SOME_NUMBER}(?![\s\d]*[가-힣])")))
    nouns = "|".join(re.escape(word.removesuffix("s")[:5]) for word in counted["noun"].split() if len(word) > 3)
    return (*found, Kind(_pattern(rf"{_SOME_NUMBER}(?:[ -][\w-]+){{0,4}}[ -](?:{nouns})|{_NUMERAL}\s?[가-힣]")))


def asks_for(question: str) -> bool:
    """Whether the question asks for a thing of a kind: a date, a reason, somebody..."""
    return bool(_asked(question))


def given(question: str, sentence: str) -> float:
    """The share of the kinds of thing the question asks for that the sentence holds, and not as the question's own words: 0 to 1."""
    asked, own, told = _asked(question), question.lower(), _STATUS_DATE.sub("", sentence)
    return (
        sum(any(match[0].lower() not in own for match in kind.said.finditer(told)) for kind in asked) / len(asked)
        if asked
        else 0.0
    )


def can_answer(question: str, sentence: str) -> bool:
    """Whether the sentence holds whatever an answer to the question cannot lack: an amount, a share, a date, a count, somebody."""
    return all(kind.said.search(sentence) for kind in _asked(question) if kind.needed)


def asked_too(question: str, heading: str) -> float:
    """The share of what the question asks for that the heading asks too: "왜 머스크는 소송했나" asks for a reason."""
    asked = _asked(question)
    return sum(kind in _asked(heading) for kind in asked) / len(asked) if asked else 0.0


def denied(question: str, heading: str) -> bool:
    """Whether the heading denies and the question does not: "What does Article 5 not ban?" shares every word with what it bans.

    Sentences are not judged so: the one that corrects a false premise denies what was asked.
    """
    return bool(_DENIAL.search(heading)) and not _DENIAL.search(question)


def asks_for_a_list(question: str) -> bool:
    """Whether several things may answer: which, who, 어떤, 무엇."""
    return bool(_ASKS_FOR_A_LIST.search(question))
