"""Addresses inside a law: 제31조제2항, Article 6(2), Recital 53, Annex III. One form for both languages."""

import re

_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10, "xi": 11, "xii": 12, "xiii": 13}
_KOREAN_ARTICLE = re.compile(r"제?\s?(?<!\d)(\d{1,3})\s?조(?:의\s?(\d{1,2}))?(?![가-힣]*(?:원|달러|개|억))(?:\s?제?\s?(\d{1,2})\s?항)?")
_ENGLISH_ARTICLES = re.compile(
    r"\b(?:Articles?|Arts?\.?|Sections?|§§?)\s?(\d{1,3}[a-z]?(?:\(\d{1,2}\))?(?:\([a-z]{1,2}\))?(?:(?:,| and| or| to|, and)\s\d{1,3}(?:\(\d{1,2}\))?)*)",
    re.IGNORECASE,
)
_RECITALS = re.compile(r"\bRecitals?\s?\(?(\d{1,3})\)?|전문\s?\(?제?(\d{1,3})(?:항|호|번|\))", re.IGNORECASE)
_ANNEXES = re.compile(r"(?:\bAnnex|부속서)\s?(?:제?\s?)([IVX]+|\d{1,2})\b", re.IGNORECASE)


def provisions(text: str) -> list[str]:
    """Addresses named in `text`, in order, each once: `article:31`, `article:31:2`, `recital:53`, `annex:3`.

    An address with a paragraph comes with that of its article: 제31조제2항 gives both.
    """
    found: list[tuple[int, str]] = []
    for match in _KOREAN_ARTICLE.finditer(text):
        if not match[0].lstrip().startswith("제") and not match[3] and not re.match(r"\s?(?:은|는|이|가|을|를|의|에|와|과|$|[,.?)])", text[match.end() :]):
            continue  # 500조 원, 3조각
        number = match[1] + (f"-{match[2]}" if match[2] else "")
        found.append((match.start(), f"article:{number}"))
        if match[3]:
            found.append((match.start(), f"article:{number}:{match[3]}"))
    for match in _ENGLISH_ARTICLES.finditer(text):
        for number, paragraph in re.findall(r"(\d{1,3}[a-z]?)(?:\((\d{1,2})\))?", match[1]):
            found.append((match.start(), f"article:{number.lower()}"))
            if paragraph:
                found.append((match.start(), f"article:{number.lower()}:{paragraph}"))
    found.extend((match.start(), f"recital:{match[1] or match[2]}") for match in _RECITALS.finditer(text))
    for match in _ANNEXES.finditer(text):
        number = match[1].lower()
        found.append((match.start(), f"annex:{_ROMAN.get(number, number)}"))
    return list(dict.fromkeys(address for _, address in sorted(found, key=lambda pair: pair[0])))
