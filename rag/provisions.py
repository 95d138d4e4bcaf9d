"""Addresses inside a law: 제31조제2항, Article 6(2), Recital 53, Annex III. One form for both languages."""

import re

_ROMAN = {
    "i": 1,
    "ii": 2,
    "iii": 3,
    "iv": 4,
    "v": 5,
    "vi": 6,
    "vii": 7,
    "viii": 8,
    "ix": 9,
    "x": 10,
    "xi": 11,
    "xii": 12,
    "xiii": 13,
}
# 제31조의2제1항제3호; in the European acts a point is a letter: 제5조제1항(a).
_KOREAN_ARTICLE = re.compile(
    r"(?<![\d.,])(제?)\s?(\d{1,3}[a-zA-Z]?)\s?조(?:\s?의\s?(\d{1,2})(?!\d|\s?(?:가지|개|건|명|곳|번)))?(?:\s?제?\s?(\d{1,2}[a-z]?)\s?[항호])?"
    r"(?:\s?제?\s?(\d{1,2})\s?호|\s?\(?([a-z]{1,2})\)?(?![a-z]))?"
)
_NUMBER = r"\d{1,3}(?:[a-z]|-[\da-z]\b)?(?!\^)(?:\(\w{1,2}\))*"
_ENGLISH_ARTICLES = re.compile(
    rf"\b(?:Articles?|Arts?\.?|Sections?|§§?)\s?({_NUMBER}(?:(?:, and|,| and| or| to)\s{_NUMBER})*)", re.IGNORECASE
)
_ENGLISH_ARTICLE = re.compile(
    r"(\d{1,3}(?:[a-z]|-[\da-z]\b)?)(?:\((\d{1,2}[a-z]?)\))?(?:\(([a-z]{1,2}|\d{1,2})\))?", re.IGNORECASE
)
_RECITALS = re.compile(r"\bRecitals?\s?\(?(\d{1,3})\)?|전문\s?\(?제?\s?(\d{1,3})\s?(?:항|호|번|\))", re.IGNORECASE)
_ANNEX = r"(?:[IVX]+|\d{1,2})(?![A-Za-z0-9])"
_ANNEXES = re.compile(
    rf"(?:\bAnnex(?:es)?|부속서)\s?(?:제\s?)?({_ANNEX}(?:(?:, and|,| and| or|와|과|,? 및)\s(?:부속서\s)?{_ANNEX})*)",
    re.IGNORECASE,
)
# 500조 is an amount and 3조각 are pieces: without 제 only a particle, a paragraph or the end may follow.
_AFTER_BARE_ARTICLE = re.compile(
    r"\s?(?:은|는|이|가|을|를|의|에|와|과|로|도|랑|만|$|[,.?!)(:])|\s(?!\d|원|달러|유로|엔|위안|개|명)"
)


def provisions(text: str) -> list[str]:
    """Addresses named in `text`, in order, each once: `article:31`, `article:5:1:c`, `recital:53`, `annex:3`.

    An address comes with those above it: 제31조제2항 gives `article:31` and `article:31:2`.
    """
    return list(dict.fromkeys(address for _, address in located(text)))


def located(text: str) -> list[tuple[int, str]]:
    """(position, address) of each time that `text` names a provision, in order."""
    return [(start, address) for start, _, address in spans(text)]


def spans(text: str) -> list[tuple[int, int, str]]:
    """(start, end, address) of each time that `text` names a provision, in order."""
    found: list[tuple[int, int, str]] = []

    def add(match: re.Match[str], *parts: str) -> None:
        named = [part.lower() for part in parts if part]
        found.extend((*match.span(), ":".join(["article", *named[:depth]])) for depth in range(1, len(named) + 1))

    for match in _KOREAN_ARTICLE.finditer(text):
        prefix, number, branch, paragraph, item, letter = match.groups()
        if not prefix and not paragraph and not _AFTER_BARE_ARTICLE.match(text, match.end()):
            continue
        add(match, number + (f"-{branch}" if branch else ""), paragraph or "", (item or letter or "") if paragraph else "")
    for match in _ENGLISH_ARTICLES.finditer(text):
        for number, paragraph, point in _ENGLISH_ARTICLE.findall(match[1]):
            add(match, number, paragraph, point if paragraph else "")
    found.extend((*match.span(), f"recital:{match[1] or match[2]}") for match in _RECITALS.finditer(text))
    for match in _ANNEXES.finditer(text):
        for number in re.findall(_ANNEX, match[1], re.IGNORECASE):
            found.append((*match.span(), f"annex:{_ROMAN.get(number.lower(), number)}"))
    return sorted(found, key=lambda span: span[0])
