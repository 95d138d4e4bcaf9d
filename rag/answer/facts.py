"""Dates, numbers and provisions of a text in one form for both languages, and whether a passage holds them.

2026년 1월 22일 is January 22, 2026; 3,500만 유로 is €35m; 10의 25제곱 is 10^25; 일곱 is seven; 제31조제2항 is Article 31(2).
"""

import datetime
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Literal

from rag import provisions

Unit = Literal["", "%", "month", "hour", "EUR", "USD", "KRW", "GBP", "CNY", "JPY"]
Bound = Literal["", "least", "most"]
Free = Callable[[int, int], bool]


@dataclass(frozen=True, kw_only=True)
class Date:
    """A date, given as far as the text gives it. `start` and `end` are its span."""

    year: int | None
    month: int | None
    day: int | None
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number with its unit; weeks and days are counted in hours, years in months. `bound`: at least, or at most, that much."""

    value: Fraction
    unit: Unit
    bound: Bound
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What of a text can be compared exactly."""

    dates: tuple[Date, ...]
    numbers: tuple[Number, ...]
    provisions: tuple[tuple[int, int, str], ...]  # (start, end, address)
    identifiers: tuple[tuple[int, int, str], ...]  # (start, end, name): gpt4, 20241689

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Where they stand."""
        return [
            *((date.start, date.end) for date in self.dates),
            *((number.start, number.end) for number in self.numbers),
            *((start, end) for start, end, _ in (*self.provisions, *self.identifiers)),
        ]


_MONTHS = {
    name: number
    for number, names in enumerate(
        "January|Jan February|Feb March|Mar April|Apr May June|Jun July|Jul August|Aug September|Sept|Sep October|Oct "
        "November|Nov December|Dec".split(),
        start=1,
    )
    for name in names.split("|")
}
_MONTH = "(" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\b\.?"
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_AND = r"(?:\s?[–~-]\s?|\s(?:to|and)\s|부터\s|[과와]\s|·|,\s)"
# Years alone: an amount, a number of an act (2024/1689) or of a standard (42001:2023) is none.
_YEAR = r"(?<![\d,./:$€£₩#-])((?:19|20)\d\d)(?![\d/%]|[,:]\d|\.\d|-\d{2,})"
_DATES = (
    (re.compile(rf"\b{_DAY}{_AND}{_DAY}\s(?:of\s)?{_MONTH}(?:,?\s(\d{{4}}))?"), "d D m y"),
    (re.compile(rf"\b{_MONTH}\s{_DAY}{_AND}{_DAY}(?!\d)(?:,?\s(\d{{4}}))?"), "m d D y"),
    (re.compile(rf"\b{_DAY}\s(?:of\s)?{_MONTH}(?:,?\s(\d{{4}}))?"), "d m y"),
    (re.compile(rf"\b{_MONTH}\s{_DAY}(?!\d)(?:,?\s(\d{{4}}))?"), "m d y"),
    (re.compile(rf"\b{_MONTH},?\s(?:of\s)?(\d{{4}})\b"), "m y"),
    # May is a verb too: a month alone follows a word of time.
    (re.compile(rf"\b(?:[Ii]n|[Bb]y|[Ss]ince|[Uu]ntil|[Ff]rom|[Bb]efore|[Aa]fter|[Ll]ast|[Nn]ext|[Ee]arly|[Ll]ate|mid)[\s-]{_MONTH}(?!\s\d)"), "m"),
    (re.compile(r"(?<![\d-])(\d{4})-(\d{2})-(\d{2})(?![\d-])"), "y m d"),
    (re.compile(r"(?<!\d)((?:19|20)\d\d)\.\s?(\d{1,2})\.\s?(\d{1,2})(?:\.|(?!\d))"), "y m d"),
    (re.compile(rf"(?:(\d{{4}})년\s?)?(\d{{1,2}})월\s?(\d{{1,2}})일?{_AND}(\d{{1,2}})일"), "y m d D"),
    (re.compile(r"(\d{4})년\s?(\d{1,2})월(?:\s?(\d{1,2})일)?"), "y m d"),
    (re.compile(r"(?<!\d)(\d{1,2})월\s?(\d{1,2})일"), "m d"),
    (re.compile(r"(?<![\d개])(\d{1,2})월(?!\s?\d)"), "m"),
    (re.compile(r"(?<![\d.,])((?:19|20)\d\d)년(?!\s?\d{1,2}월|\s?(?:동안|간\b|이상|이하))"), "y"),
    (re.compile(_YEAR), "y"),
)  # fmt: skip

_ENGLISH_WORDS = dict(
    zip(
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(),
        range(2, 20),
        strict=True,
    )
)
_ORDINALS = dict(zip("second third fourth fifth sixth seventh eighth ninth tenth".split(), range(2, 11), strict=True))
_TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
_SCALE = {
    "hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "k": 10**3, "m": 10**6, "mn": 10**6, "bn": 10**9, "tn": 10**12,
}  # fmt: skip
_KOREAN_SCALE = {"십": 10, "백": 100, "천": 1000, "만": 10**4, "억": 10**8, "조": 10**12}
_SINO = dict(zip("일이삼사오육칠팔구", range(1, 10), strict=True))
_NATIVE = {
    "두": 2, "둘": 2, "세": 3, "셋": 3, "네": 4, "넷": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9, "열": 10,
    "열한": 11, "열하나": 11, "열두": 12, "열둘": 12, "열세": 13, "열네": 14, "열다섯": 15, "열여섯": 16, "열일곱": 17, "열여덟": 18,
    "열아홉": 19, "스무": 20, "스물": 20, "서른": 30, "마흔": 40, "쉰": 50,
}  # fmt: skip
_COUNTED_DAYS = {
    "하루": 1,
    "이틀": 2,
    "사흘": 3,
    "나흘": 4,
    "닷새": 5,
    "엿새": 6,
    "이레": 7,
    "여드레": 8,
    "아흐레": 9,
    "열흘": 10,
    "보름": 15,
}
_COUNTER = (
    r"가지|개국|개사|개월|개|명|분|사람|건|곳|나라|국|단계|달|번|차례|회|배|해|주|부문|분야|쪽|편|장|항목|기관|회사|기업|종류|종|시간|차|번째|갈래|축|"
    r"원칙|요소|기준|요건|질문|방향|금지|행정명령|의무|주제"
)
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_CURRENCIES: dict[str, Unit] = {
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "유로": "EUR",
    "$": "USD", "us$": "USD", "usd": "USD", "dollar": "USD", "dollars": "USD", "달러": "USD", "미달러": "USD",
    "₩": "KRW", "krw": "KRW", "won": "KRW", "원": "KRW",
    "£": "GBP", "gbp": "GBP", "pound": "GBP", "pounds": "GBP", "파운드": "GBP",
    "yuan": "CNY", "cny": "CNY", "rmb": "CNY", "renminbi": "CNY", "위안": "CNY",
    "¥": "JPY", "jpy": "JPY", "yen": "JPY", "엔": "JPY",
}  # fmt: skip
_PERIODS: dict[str, tuple[Unit, int]] = {
    "hour": ("hour", 1), "시간": ("hour", 1), "day": ("hour", 24), "일": ("hour", 24), "week": ("hour", 168), "주": ("hour", 168),
    "주일": ("hour", 168), "month": ("month", 1), "개월": ("month", 1), "달": ("month", 1), "year": ("month", 12), "년": ("month", 12),
    "해": ("month", 12),
}  # fmt: skip
_BEFORE = r"(?:(?P<money>US\$|[€$£₩¥]|\b(?:EUR|USD|KRW|GBP|CNY|RMB|JPY)\b)\s?)?"
_AFTER = (
    r"(?:\s?(?P<percent>%|퍼센트|프로(?![가-힣])|per\s?cent\b|percent\b)"
    r"|[\s-]?(?P<currency>(?:US\s)?(?:euros?|dollars?|won|pounds?|yuan|renminbi|RMB|yen|EUR|USD|KRW)\b|미?달러|유로|원(?![칙래인본장고회])|위안|파운드|엔(?!비))"
    r"|[\s-]?(?P<period>(?:calendar |working |business )?(?:hour|day|week|month|year)s?\b|시간|개월|주일|주(?=[ 마만이안간내의])|달(?!러)|년(?!대)|일|해(?=\s|째|마다)))?"
)
_PLAIN = r"(?P<digits>(?<![\d.,])\d+(?:,\d{3})*(?:\.\d+)?)"
_NUMBERS = (
    # 10^25, 10²⁵, 10의 25제곱, 10 to the 25th power
    re.compile(
        r"(?<![\d.,])(?P<base>10)(?:\^|\*\*)(?P<power>\d{1,2})|(?<![\d.,])(?P<base2>10)(?P<super>[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2})"
        r"|(?<![\d.,])(?P<base3>10)의\s?(?P<power3>\d{1,2})\s?(?:제곱|승)|\b(?P<base4>10|ten) to the (?:power of )?(?P<power4>\d{1,2})"
    ),
    # 3,500만, 1억 5천만, 1조
    re.compile(rf"{_BEFORE}(?P<korean>(?<![\d.,제])\d+(?:,\d{{3}})*(?:\.\d+)?\s?[십백천만억조]+(?:\s?\d+(?:,\d{{3}})*\s?[천백십만억]+)*(?:\s?\d{{1,4}}(?=[가-힣]))?)(?:\s?여)?{_AFTER}"),
    re.compile(rf"{_BEFORE}{_PLAIN}(?:[\s-]?(?P<scale>hundred|thousand|million|billion|trillion|(?:k|mn?|bn|tn)\b(?!/)))?{_AFTER}", re.IGNORECASE),
    re.compile(
        rf"\b(?P<tens>{'|'.join(_TENS)})(?:[\s-](?P<ones>(?:one|{'|'.join(list(_ENGLISH_WORDS)[:8])})\b))?(?:\s(?P<scale>hundred|thousand|million|billion))?\b{_AFTER}"
        rf"|\b(?P<word>{'|'.join(_ENGLISH_WORDS)}|one|(?<!half )an?(?=\s(?:hundred|thousand|million|billion)\b))(?:\s(?P<scale2>hundred|thousand|million|billion|trillion))?\b(?P<rest>.?)",
        re.IGNORECASE,
    ),
    re.compile(rf"(?<!per )(?<!of a )\b(?P<ordinal>{'|'.join(_ORDINALS)})\b(?![\s-]part(?:y|ies))", re.IGNORECASE),
    re.compile(rf"(?<![가-힣])(?P<native>{'|'.join(sorted(_NATIVE, key=len, reverse=True))})\s?(?P<counter>{_COUNTER}|째)"),
    re.compile(rf"(?<![가-힣])(?P<days>{'|'.join(_COUNTED_DAYS)})(?=\s?(?:만|동안|전|뒤|후|앞|안|이내|이상|이하|간|을|도|에))"),
    re.compile(r"(?<![가-힣])(?P<sino>[일이삼사오육칠팔구]?[십백천만](?:[일이삼사오육칠팔구]?[십백천만])*[일이삼사오육칠팔구]?)\s?(?P<sinocounter>명|개|개국|원|달러|유로|년|개월|일|건|곳|퍼센트)"),
)  # fmt: skip
_TAIL = re.compile(_AFTER, re.IGNORECASE)
_FRACTIONS = re.compile(
    r"(?P<below>\d+)분의\s?(?P<above>\d+)|(?<![\w/])(?P<above2>\d{1,2})/(?P<below2>\d{1,2})(?![\w/])"
    r"|\b(?P<count>one|an?|two|three)[\s-](?P<part>half|third|quarter|fifth|tenth)s?\b(?![\s-]part)|(?P<half>절반)",
    re.IGNORECASE,
)
_PARTS = {"half": 2, "third": 3, "quarter": 4, "fifth": 5, "tenth": 10}
# GPT-4, M-25-21, G42; (EU) 2024/1689, A/RES/78/265; 1:23-cv-11195; SB 24-205, GB 45438-2025
_IDENTIFIER = re.compile(
    r"(?<![\w$€£-])(?!(?:EUR|USD|US|KRW|GBP|CNY|RMB)\d)[A-Z][A-Za-z]{0,7}-?\d+(?:[-.]\w+)*(?!\w|,\d)"
    r"|(?<![\w/])(?:[A-Z]/(?:[A-Z]+/)?\d+/[A-Z.]*\d+|\d{4}/\d{2,4}(?:/[A-Z]{2,3})?)(?![\w/])"
    r"|(?<![\w:])\d:\d\d-[a-z]+-\d+(?:-[A-Z]+)?|(?<![\w-])(?!(?:19|20)\d\d-(?:19|20)\d\d)\d+[A-Z]?-\d{3,4}(?![\w-])",
    re.ASCII,  # a Korean particle may follow
)
# 제2절 is a Section, 별표 2 an Annex; in the retrieval's addresses they are not.
_KOREAN_SECTION = re.compile(r"제\s?(\d{1,3})절|별표\s?(\d{1,2})")
_PARAGRAPH = re.compile(r"제\s?(\d{1,2})[항호]")  # of an article named before
_DIVISION = re.compile(r"(?:\b(?:Chapter|Title|Part|Level|Phase)\s|제\s?)([IVX]+|\d+)(?!\d|\.\d|\s?[조항호])")
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "X": 10}
_LEAST_BEFORE = re.compile(
    r"(?:at least|no (?:less|fewer) than|more than|over|above|exceed(?:s|ed|ing)?|minimum of|beyond|upwards of|최소한?|적어도|못해도)\s*(?:the\s|about\s|a\s)?$",
    re.IGNORECASE,
)
_MOST_BEFORE = re.compile(
    r"(?<!not )(?:at most|no more than|less than|fewer than|up to|under|below|within|maximum of|as much as|max\.?|capped at|최대|많아야|길어야|기껏해야)\s*(?:the\s|about\s|a\s)?$",
    re.IGNORECASE,
)
_LEAST_AFTER = re.compile(
    r"(?:\s?(?:명|개국?|곳|건|회|배|연산|FLOP))?\s?(?:or more|or above|or longer|이상|초과|[을를이가]?\s?(?:넘|웃도|웃돌|상회|초과))",
    re.IGNORECASE,
)
_MOST_AFTER = re.compile(
    r"(?:\s?(?:명|개국?|곳|건|회|배|연산|FLOP))?\s?(?:or less|or fewer|or below|이하|미만|이내|까지|(?:을|를|이|가|에)?\s?(?:밑도|밑돌|못 ?미치|넘지 (?:않|못))|도 (?:안|채))",
    re.IGNORECASE,
)


def facts(text: str) -> Facts:
    """The dates, numbers and provisions of `text`, each in order. What one has taken, the next leaves: 제31조 is no number."""
    taken = [False] * (len(text) + 1)

    def free(start: int, end: int) -> bool:
        if any(taken[start:end]):
            return False
        taken[start:end] = [True] * (end - start)
        return True

    addresses = (
        *(span for span in provisions.spans(text) if not re.match(r"\d|\.\d", text[span[1] : span[1] + 2])),  # Section 22757.11
        *(
            (match.start(), match.end(), f"article:{match[1]}" if match[1] else f"annex:{match[2]}")
            for match in _KOREAN_SECTION.finditer(text)
        ),
    )
    for start, end, _ in addresses:
        taken[start:end] = [True] * (end - start)
    addresses += tuple(
        (match.start(), match.end(), f"paragraph:{match[1]}")
        for match in _PARAGRAPH.finditer(text)
        if free(match.start(), match.end())
    )
    identifiers = tuple(
        (match.start(), match.end(), re.sub(r"[\W_]", "", match[0]).lower())
        for match in _IDENTIFIER.finditer(text)
        if not any(pattern.fullmatch(match[0]) for pattern, _ in _DATES) and free(match.start(), match.end())
    )
    dates = tuple(sorted(_dates(text, free), key=lambda date: date.start))
    numbers = tuple(sorted(_numbers(text, free), key=lambda number: number.start))
    return Facts(dates=dates, numbers=numbers, provisions=addresses, identifiers=identifiers)


def _dates(text: str, free: Free) -> Iterator[Date]:
    for pattern, order in _DATES:
        for match in pattern.finditer(text):
            groups = dict(zip(order.split(), match.groups(), strict=True))
            month = groups.get("m")
            found = {
                "y": int(groups["y"]) if groups.get("y") else None,
                "m": None if not month else int(month) if month.isdigit() else _MONTHS[month],
            }
            days: list[int | None] = [int(groups[key]) for key in "dD" if groups.get(key)]
            if (found["m"] or 1) > 12 or any((day or 0) > 31 for day in days) or not free(match.start(), match.end()):
                continue
            for day in days or [None]:
                yield Date(year=found["y"], month=found["m"], day=day, start=match.start(), end=match.end())


def _numbers(text: str, free: Free) -> Iterator[Number]:
    for match in _FRACTIONS.finditer(text):
        if not free(match.start(), match.end()):
            continue
        if match["half"] or match["count"]:
            above = {"two": 2, "three": 3}.get((match["count"] or "").lower(), 1)
            value = Fraction(above, _PARTS[(match["part"] or "half").lower()])
        else:
            value = Fraction(int(match["above"] or match["above2"]), int(match["below"] or match["below2"]) or 1)
        yield Number(value=value, unit="", bound="", start=match.start(), end=match.end())
    for match in _DIVISION.finditer(text):
        place = _ROMAN.get(match[1]) or (int(match[1]) if match[1].isdigit() else 0)
        if place and free(match.start(), match.end()):
            yield Number(value=Fraction(place), unit="", bound="", start=match.start(), end=match.end())
    for pattern in _NUMBERS:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            start, end = match.start(), match.end()
            if groups.get("rest"):
                end -= len(groups["rest"])
            amount = _value(groups)
            if amount is None or (start and text[start - 1].isalnum() and text[start - 1].isascii()):
                continue  # 3.5x
            tail = _TAIL.match(text, end) if "rest" in groups and groups.get("word") else None
            if tail:
                groups |= {key: found for key, found in tail.groupdict().items() if found}
                end = tail.end()
            if (
                groups.get("word", "")
                and groups["word"].lower() in ("one", "a", "an")
                and not groups.get("scale2")
                and not groups.get("period")
            ):
                continue  # mostly a pronoun
            unit, factor = _unit(groups)
            if free(start, end):
                yield Number(value=amount * factor, unit=unit, bound=_bound(text, start, end), start=start, end=end)


def _value(groups: dict[str, str | None]) -> Fraction | None:
    power = groups.get("power") or groups.get("power3") or groups.get("power4")
    if groups.get("super"):
        power = str(groups["super"]).translate(_SUPERSCRIPTS)
    if power:
        return Fraction(10) ** int(power)
    if korean := groups.get("korean"):
        return _korean(korean)
    if digits := groups.get("digits"):
        scale = (groups.get("scale") or "").lower()
        return Fraction(digits.replace(",", "")) * _SCALE.get(scale, 1)
    if tens := groups.get("tens"):
        ones = (groups.get("ones") or "").lower()
        return Fraction(_TENS[tens.lower()] + (1 if ones == "one" else _ENGLISH_WORDS.get(ones, 0))) * _SCALE.get(
            (groups.get("scale") or "").lower(), 1
        )
    if word := groups.get("word"):
        return Fraction(_ENGLISH_WORDS.get(word.lower(), 1)) * _SCALE.get((groups.get("scale2") or "").lower(), 1)
    if ordinal := groups.get("ordinal"):
        return Fraction(_ORDINALS[ordinal.lower()])
    if native := groups.get("native"):
        return Fraction(_NATIVE[native])
    if days := groups.get("days"):
        return Fraction(_COUNTED_DAYS[days])
    if sino := groups.get("sino"):
        return _korean(sino)
    return None


def _korean(text: str) -> Fraction:
    """The value of 3,500만, 1억 5천만, 이백삼십: digits scale up to 천, and such groups by 만, 억 and 조."""
    total = group = digit = Fraction(0)
    for token in re.findall(r"\d[\d,]*(?:\.\d+)?|[가-힣]", text.replace(" ", "")):
        if token[0].isdigit():
            digit = Fraction(token.replace(",", ""))
        elif token in _SINO:
            digit = Fraction(_SINO[token])
        elif _KOREAN_SCALE[token] < 10**4:
            group += (digit or 1) * _KOREAN_SCALE[token]
            digit = Fraction(0)
        else:
            total += ((group + digit) or 1) * _KOREAN_SCALE[token]
            group = digit = Fraction(0)
    return total + group + digit


def _unit(groups: dict[str, str | None]) -> tuple[Unit, int]:
    money = groups.get("money") or groups.get("currency")
    if not money and groups.get("sinocounter") in ("원", "달러", "유로"):
        money = groups["sinocounter"]
    if money:
        return _CURRENCIES[money.lower().removeprefix("us ")], 1
    if groups.get("percent") or groups.get("sinocounter") == "퍼센트":
        return "%", 1
    if groups.get("days"):
        return "hour", 24
    period = groups.get("period") or groups.get("counter") or groups.get("sinocounter") or ""
    period = period.lower().split()[-1].removesuffix("s") if period else ""
    return _PERIODS.get(period, ("", 1))


def _bound(text: str, start: int, end: int) -> Bound:
    before = text[max(0, start - 24) : start]
    if _LEAST_BEFORE.search(before):
        return "most" if re.search(r"\b(?:no|not) (?:more|over)\s*\w*\s*$", before) else "least"
    if _MOST_BEFORE.search(before):
        return "most"
    if _MOST_AFTER.match(text, end):
        return "most"
    return "least" if _LEAST_AFTER.match(text, end) else ""


def date_stands(date: Date, among: Facts) -> bool:
    """Whether a date of a claim stands in a passage: a fuller date holds a partial one; a year may stand elsewhere in it.

    "January 2026" is in "22 January 2026", and not the reverse. "22 January 2026" is in "2026: ... on 22 January".
    """
    years = {other.year for other in among.dates}
    return any(
        (date.month is None or date.month == other.month)
        and (date.day is None or date.day == other.day)
        and (date.year is None or date.year == other.year or (other.year is None and date.year in years))
        for other in among.dates
    )


def number_stands(number: Number, among: Facts) -> bool:
    """Whether a number of a claim stands in a passage, with no other unit and no opposite bound."""
    return any(same_number(number, other) for other in among.numbers) or (
        # 24 hours may be said as a day of the calendar only; a bare 2024 is read as a year.
        number.unit == "" and any(number.value == date.year for date in among.dates)
    )


def same_number(one: Number, other: Number) -> bool:
    """Whether two numbers are one, `one` that of the claim. A number without a unit agrees with any: "fines of 7" is a slip, not a lie."""
    units = {one.unit, other.unit} - {""}
    bounds = {one.bound, other.bound} - {""}
    # The bare number of a claim may be days, weeks or years where the passage's is a span: "within 30 days ... within 90".
    spans: dict[Unit, tuple[int, ...]] = {"hour": (1, 24, 168), "month": (1, 12)}
    factors = spans.get(other.unit, (1,)) if one.unit == "" else (1,)
    return any(one.value * factor == other.value for factor in factors) and len(units) < 2 and len(bounds) < 2


def lies_between(number: Number, dates: Sequence[Date]) -> bool:
    """Whether a span of time is that between two of the dates: "three days later" may be told from 24 and 27 April."""
    days = [datetime.date(day.year, day.month, day.day) for day in dates if day.year and day.month and day.day]
    if number.unit == "hour":
        return any(24 * abs((one - other).days) == number.value for one, other in combinations(days, 2))
    months = [12 * day.year + day.month for day in days]
    return number.unit == "month" and any(abs(one - other) == number.value for one, other in combinations(months, 2))
