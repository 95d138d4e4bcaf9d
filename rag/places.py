"""Countries and jurisdictions that a text names, in either language."""

import re
from collections.abc import Set
from functools import lru_cache

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
# A particle may follow, but "인도적" is not India. One alternation over all names took 0.7 ms a sentence.
_KOREAN_NAME = re.compile(
    "(?<![가-힣])(?:"
    + "|".join(
        name + ("(?!적|주의|하|되|네|로)" if name == "인도" else "")
        for name in sorted(_CODE_OF, key=len, reverse=True)
        if not name[0].isascii()
    )
    + ")"
)


@lru_cache(maxsize=16384)  # the sentences of the corpus come again and again
def places(text: str) -> frozenset[str]:
    """Codes of the places that the text names."""
    return frozenset(code for _, code in located(text))


def located(text: str) -> list[tuple[int, str]]:
    """(position, code) of each time that the text names a place, in order."""
    found = [(match.start(), _CODE_OF[match[0]]) for match in _KOREAN_NAME.finditer(text)]
    words = [(match.start(), _spelled(match[0].lower())) for match in _LATIN_NAME.finditer(text)]
    for number, (position, word) in enumerate(words):
        if word in _LATIN:
            names = (word, " ".join(name for _, name in words[number : number + 2]))
            found += [(position, _CODE_OF[name]) for name in names if name in _CODE_OF]
    return sorted(found)


def _spelled(word: str) -> str:
    return word if word in _LATIN else word.rstrip(".")  # "the EU." ends a sentence, "U.S." does not


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
