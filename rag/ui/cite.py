"""A quote as a citation to paste, and the permanent link to it. Pure functions; only what is known of a document is said."""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlencode

from rag.answer.frame import OURS, as_of_label, kind_label
from rag.types import Document, Language

Span = tuple[int, int]

# How far from its old place a quote is looked for, in characters; less for a long one: each place costs its length.
FAR, WORK = 50_000, 20_000_000

_SPAN = re.compile(r"(\d{1,9})-(\d{1,9})")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~])")
_BIBTEX = {
    **{sign: "\\" + sign for sign in "$&#_%"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    # BibTeX counts braces whether or not a backslash stands before them.
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
}
_LANGID = {"en": "english", "ko": "korean"}


@dataclass(frozen=True, kw_only=True)
class Quoted:
    """A span of a document as one cites it; an empty span cites the document as a whole."""

    document: Document
    span: Span
    link: str  # where the quote is shown
    accessed: str  # the reader's day, as 2026-11-23

    @property
    def quote(self) -> str:
        """The words of the span on one line."""
        return " ".join(self.document.text[slice(*self.span)].split())

    @property
    def author(self) -> str:
        """Who wrote the text. Our own summary of a law is ours, not the legislator's."""
        return self.document.author or self.document.issuer

    @property
    def url(self) -> str:
        """Where the text stands itself. The address of one of our summaries is that of its first source."""
        return "" if self.document.author == OURS else self.document.url


# --- the link -----------------------------------------------------------------------------------------------------


def link_to(document: Document, span: Span) -> str:
    """`?doc=ID&span=START-END&sum=...`: the sum of the quoted words finds them again when the text around them has changed."""
    known = {"doc": document.id}
    if span[0] < span[1]:
        known |= {"span": f"{span[0]}-{span[1]}", "sum": _sum(document.text[slice(*span)])}
    return "?" + urlencode(known)


@dataclass(frozen=True, kw_only=True)
class Followed:
    """Where a link leads. No document: it is not there. No span, though one was asked for: the words are not there."""

    asked: str  # the id in the link
    document: Document | None = None
    span: Span | None = None
    lost: bool = False  # a span was asked for that the document does not hold (any more)


def follow(link: str, documents: Mapping[str, Document]) -> Followed:
    """What `link` points at. Takes whatever stands behind the question mark of an address; raises nothing."""
    given = {name: values[0] for name, values in parse_qs(link.removeprefix("?")).items()}
    asked = given.get("doc", "")
    document = documents.get(asked)
    if document is None or "span" not in given:
        return Followed(asked=asked, document=document)
    numbers = _SPAN.fullmatch(given["span"])
    span = _where(document.text, (int(numbers[1]), int(numbers[2])), given.get("sum", "")) if numbers else None
    return Followed(asked=asked, document=document, span=span, lost=span is None)


def _where(text: str, span: Span, checksum: str) -> Span | None:
    """The span, or where its words stand now; nearest to the old place, if they stand there more than once."""
    start, end = span
    length = end - start
    if not 0 < length <= len(text):
        return None
    if not checksum:
        return span if end <= len(text) else None
    here = min(start, len(text) - length)
    for distance in range(min(len(text), FAR, WORK // length) + 1):
        for other in (here - distance, here + distance):
            if 0 <= other <= len(text) - length and _sum(text[other : other + length]) == checksum:
                return other, other + length
    return None


def _sum(words: str) -> str:
    return f"{zlib.crc32(words.encode('utf-8')):08x}"


# --- styles -------------------------------------------------------------------------------------------------------


def plain(quoted: Quoted, language: Language) -> str:
    """The citation in sentences, with labels in `language`."""
    document = quoted.document
    about = _joined(", ", *_about(quoted, language))
    accessed = f"검색일 {quoted.accessed}." if language == "ko" else f"Accessed {quoted.accessed}."
    said = f"“{quoted.quote}”" if quoted.quote else ""
    return _joined(" ", *map(_stopped, (quoted.author, document.title, about)), said, quoted.url, quoted.link, accessed)


def markdown(quoted: Quoted, language: Language) -> str:
    """The quote as a block quotation with a linked source line."""
    document = quoted.document
    title = f"[{_in_markdown(document.title)}]({quoted.link})"
    source = f"<{_in_address(quoted.url)}>" if quoted.url else ""
    accessed = f"검색일 {quoted.accessed}" if language == "ko" else f"accessed {quoted.accessed}"
    line = _joined(", ", _in_markdown(quoted.author), title, *map(_in_markdown, _about(quoted, language)), source, accessed)
    return f"> {_in_markdown(quoted.quote)}\n>\n> — {line}" if quoted.quote else line


def korean(quoted: Quoted) -> str:
    """The citation in the manner of Korean footnotes: author, 「title」, what it is, the quote, (검색일)."""
    document = quoted.document
    said = f"“{quoted.quote}”" if quoted.quote else ""
    where = _joined(" ", quoted.url, quoted.link)
    listed = _joined(", ", quoted.author.replace(OURS, "집현"), f"「{document.title}」", *_about(quoted, "ko"), said, where)
    return f"{listed} (검색일: {quoted.accessed})."


def bibtex(quoted: Quoted, language: Language) -> str:
    """A `@misc` entry, which BibTeX and biblatex both take."""
    document = quoted.document
    name = re.sub(r"[^A-Za-z0-9]+", "-", document.id).strip("-") or "document"
    note = _joined(". ", *_about(quoted, language)) + "." + (f" “{quoted.quote}”" if quoted.quote else "")
    published = "" if document.author == OURS else document.published  # the day of the instrument, not of our text
    fields = {
        "author": f"{{{_in_bibtex(quoted.author)}}}" if quoted.author else "",
        "title": f"{{{_in_bibtex(document.title)}}}",
        "year": published[:4],
        "url": _in_address(quoted.url) or quoted.link,
        "urldate": quoted.accessed,
        "langid": _LANGID.get(document.language, ""),
        "note": _in_bibtex(_joined(" ", note.removeprefix("."))) + (f" \\url{{{quoted.link}}}" if quoted.url else ""),
    }
    body = "".join(f"  {field} = {{{value}}},\n" for field, value in fields.items() if value)
    return f"@misc{{{name}-{quoted.span[0]},\n{body}}}"


def _about(quoted: Quoted, language: Language) -> list[str]:
    """What it is, of whom, and as of when."""
    document = quoted.document
    issuer = document.issuer if document.issuer != quoted.author else ""
    published = document.published if document.as_of and document.author != OURS else ""  # else the label below has it
    published = published and (f"{published} 발행" if language == "ko" else f"published {published}")
    return [part for part in (kind_label(document, language), issuer, published, as_of_label(document, language)) if part]


def _joined(between: str, *parts: str) -> str:
    return between.join(part for part in parts if part)


def _stopped(part: str) -> str:
    return part if not part or part.endswith((".", "?", "!")) else part + "."


def _in_markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def _in_bibtex(text: str) -> str:
    return "".join(_BIBTEX.get(sign, sign) for sign in " ".join(text.split()))


def _in_address(url: str) -> str:
    """The address without what would end it in BibTeX or Markdown: spaces, braces, backslashes, angle brackets."""
    return quote(url, safe="%/?:@&=+$,#;!*'()[]~-_.")
