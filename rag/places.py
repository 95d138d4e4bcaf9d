"""Countries and jurisdictions that a text names, in either language."""

import re
from collections.abc import Set
from functools import lru_cache
from itertools import pairwise

from rag.types import Document

# Code: Korean names, then English names and adjectives. Left out: what is mostly another word (이란, 가나, Georgia, Turkey).
_NAMES = {
    "KR": "한국 국내 우리나라 대한민국 Korea Korean",
    "EU": "EU 유럽연합 유럽 Europe European",
    "US": "미국 USA U.S. American United_States",
    "US-CA": "캘리포니아 California Californian",
    "US-NY": "뉴욕 New_York",
    "US-CO": "콜로라도 Colorado",
    "US-TX": "텍사스 Texas",
    "UK": "영국 UK Britain British England",
    "JP": "일본 Japan Japanese",
    "CN": "중국 China Chinese",
    "TW": "대만 Taiwan Taiwanese",
    "HK": "홍콩 Hong_Kong",
    "SG": "싱가포르 Singapore Singaporean",
    "IN": "인도 India Indian",
    "ID": "인도네시아 Indonesia Indonesian",
    "VN": "베트남 Vietnam Vietnamese",
    "TH": "태국 Thailand Thai",
    "MY": "말레이시아 Malaysia Malaysian",
    "PH": "필리핀 Philippines Filipino",
    "AU": "호주 오스트레일리아 Australia Australian",
    "NZ": "뉴질랜드 New_Zealand",
    "CA": "캐나다 Canada Canadian",
    "MX": "멕시코 Mexico Mexican",
    "BR": "브라질 Brazil Brazilian",
    "AR": "아르헨티나 Argentina Argentine",
    "CL": "칠레 Chile Chilean",
    "DE": "독일 Germany German",
    "FR": "프랑스 France French",
    "IT": "이탈리아 Italy Italian",
    "ES": "스페인 Spain Spanish",
    "NL": "네덜란드 Netherlands Dutch",
    "SE": "스웨덴 Sweden Swedish",
    "DK": "덴마크 Denmark Danish",
    "NO": "노르웨이 Norway Norwegian",
    "FI": "핀란드 Finland Finnish",
    "PL": "폴란드 Poland",
    "IE": "아일랜드 Ireland Irish",
    "CH": "스위스 Switzerland Swiss",
    "RU": "러시아 Russia Russian",
    "UA": "우크라이나 Ukraine Ukrainian",
    "IL": "이스라엘 Israel Israeli",
    "SA": "사우디 Saudi",
    "AE": "아랍에미리트 UAE Emirates",
    "ZA": "남아프리카 남아공 South_Africa",
    "NG": "나이지리아 Nigeria Nigerian",
    "KE": "케냐 Kenya Kenyan",
    "EG": "이집트 Egypt Egyptian",
}
_CODE_OF = {name.replace("_", " ").lower(): code for code, names in _NAMES.items() for name in names.split()}
_LATIN = {name.split()[0] for name in _CODE_OF if name[0].isascii()}
_LATIN_NAME = re.compile(r"(?<![A-Za-z])[A-Za-z](?:[A-Za-z]|\.(?=[A-Za-z]))*(?:\.(?=[A-Za-z ]|$))?")
# What looks like a place: the Council of Europe is not of the EU; a particle may follow 인도, but "인도적" is not India.
_NO_PLACE = {"유럽": "(?!평의회)", "인도": "(?!적|주의|하|되|네|로)"}
_COUNCIL_OF = "council of "
_US = re.compile(r"US(?!\$)")  # "US" is a country, "us" and "US$" are not
# One alternation over all names took 0.7 ms a sentence.
_KOREAN_NAME = re.compile(
    "(?<![가-힣])(?:"
    + "|".join(name + _NO_PLACE.get(name, "") for name in sorted(_CODE_OF, key=len, reverse=True) if not name[0].isascii())
    + ")"
)

_NAME = re.compile("|".join(map(re.escape, [*sorted(_CODE_OF, key=len, reverse=True), "US"])), re.IGNORECASE)
_BEFORE = re.compile(r"(?:(?:,|\band\b|\bor\b|\bin\b|\bunder\b|\bthe\b|\bsouth\b|\b및)\s*)*$", re.IGNORECASE)
_PARTICLE = r"(?:['’]s\b|(?:와|과|의|에서|이랑|랑|하고)(?=\s))?"
_AFTER = re.compile(rf"^{_PARTICLE}(?:\s*,|\s+(?:and|or)\b)?", re.IGNORECASE)
# What stands between names in a row.
_TIE = re.compile(
    r"(?:['’]s\b)?(?:\s*,)?\s*(?:(?:and|or|vs\.?|versus|nor|및|또는|와|과|이나|나|이랑|랑|하고)\s+)?(?:in |under |of )?(?:the )?(?:south )?",
    re.IGNORECASE,
)


@lru_cache(maxsize=16384)  # the sentences of the corpus come again and again
def places(text: str) -> frozenset[str]:
    """Codes of the places that the text names."""
    return frozenset(code for _, code in located(text))


def located(text: str) -> list[tuple[int, str]]:
    """(position, code) of each time that the text names a place, in order."""
    found = [(match.start(), _CODE_OF[match[0]]) for match in _KOREAN_NAME.finditer(text)]
    lowered = text.lower()
    if len(lowered) != len(text):  # a letter such as İ becomes two
        lowered = text
    words = [(match.start(), match[0]) for match in _LATIN_NAME.finditer(lowered)]
    for number, (position, word) in enumerate(words):
        name = word if word in _LATIN else word.rstrip(".")  # "the eu." ends a sentence, "u.s." does not
        if name == "us" and _US.match(text, position):
            found.append((position, "US"))
        elif name in _LATIN and not lowered.endswith(_COUNCIL_OF, 0, position):
            two = " ".join((name, *(following.rstrip(".") for _, following in words[number + 1 : number + 2])))
            found += [(position, _CODE_OF[known]) for known in (name, two) if known in _CODE_OF]
    return sorted(found)


def named_in(text: str) -> list[str]:
    """Codes of the places that the text names, in order; not of one that has another of them as its part."""
    named = list(dict.fromkeys(code for _, code in located(text)))
    return [code for code in named if not any(other.startswith(f"{code}-") for other in named)]


def coordinated(text: str) -> list[str]:
    """Codes of the places that the text names in a row, such as "한국과 EU", "China, Japan or the UK"; none if no two are."""
    found = [(position, _end(text, position), code) for position, code in located(text)]
    row: list[str] = []
    for (_, end, code), (position, _, other) in pairwise(found):
        if code != other and end < position and _TIE.fullmatch(text, end, position) and not names_any({code}, {other}):
            row += [code, other]
    return list(dict.fromkeys(row))


def _end(text: str, position: int) -> int:
    """Where the name that begins at `position` ends."""
    name = _NAME.match(text, position)
    return name.end() if name else position


def without(text: str, kept: str = "") -> str:
    """The text without the names of places, but for one by its code, nor what ties them: "in Korea and the EU" -> "in the EU"."""
    for position, code in reversed(located(text)):
        if code != kept:
            text = f"{_BEFORE.sub(' ', text[:position])}{_AFTER.sub('', text[_end(text, position) :])}"
    return " ".join(text.split())


def is_about(document: Document, passage: str, asked: Set[str]) -> bool:
    """Whether a passage of the document may answer for one of the places `asked`.

    It may if it or the document's title or jurisdiction names one of them (California is in the United States), or if the
    document does not say of what place it is.
    """
    own = places(document.title) | ({document.jurisdiction} - {""})
    named = own | places(passage)
    return not own or names_any(asked, named)


def names_any(asked: Set[str], named: Set[str]) -> bool:
    """Whether one of the places `asked` is among those `named`, or a part of one, or has one as its part."""
    return any(a == n or a.startswith(f"{n}-") or n.startswith(f"{a}-") for a in asked for n in named)
