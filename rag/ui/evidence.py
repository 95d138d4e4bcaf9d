"""The evidence pane as HTML: a quote in its section, a whole document, the list of documents. Pure functions; all is escaped."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise
from urllib.parse import parse_qsl

from rag.answer.frame import KINDS, as_of_label, kind_label
from rag.text import blocks, plain
from rag.types import Answer, Citation, Document, Language
from rag.ui.strings import STRINGS, Strings

SURROUNDINGS = 2400  # characters of a section that are shown around a quote
DOCUMENT_LIMIT = 150_000  # characters of a document in one page: more makes a browser stutter

_HEADING = re.compile(r"^(#{1,6}) +", re.MULTILINE)
_ITEM = re.compile(r"[-*+•·ㆍ‣◦▪○●□■] +")

Documents = Mapping[str, Document]
Span = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A span of a document to make bright; `style` is its class."""

    start: int
    end: int
    style: str


def of_answer(given: Answer, documents: Documents, turn: int, target: str, view: str, language: Language) -> str:
    """The pane for one target of an answer: `c3` a citation, `p1` a passage; empty if there is no such target.

    `view` is "quote", the target in its section with the counterpart's, or "document", the whole text with all quotes.
    """
    strings = STRINGS[language]
    citation = next((c for c in given.citations if f"c{c.marker}" == target), None)
    passage = next((p for p in given.passages if f"p{p.rank}" == target), None)
    if citation and citation.document_id in documents:
        document, span, style = documents[citation.document_id], (citation.start, citation.end), "quote current"
        others = [Mark(start=c.start, end=c.end, style="quote") for c in given.citations if c.document_id == document.id]
        steps = _steps(given, citation, turn, view, strings)
    elif passage:
        document, span, style, others = passage.document, (passage.chunk.start, passage.chunk.end), "near current", []
        steps = f'<p class="hint">{escape(strings.refused_hint)}</p>' if given.refused else ""
    else:
        return ""
    marks = [Mark(start=span[0], end=span[1], style=style), *others]
    if view == "document":
        body = _whole(document, marks, span, strings)
    else:
        body = _surroundings(document, marks, span) + _counterpart(document, documents, span, strings)
    return (
        f'<section class="evidence" data-turn="{turn}" data-target="{target}">'
        f"{_bar(strings, turn, target, view)}{steps}{_about(document, language)}{body}</section>"
    )


def of_document(document: Document, language: Language) -> str:
    """The pane for a document that no answer led to."""
    strings = STRINGS[language]
    body = _whole(document, [], (0, 0), strings)
    return f'<section class="evidence">{_bar(strings, 0, "", "")}{_about(document, language)}{body}</section>'


def of_link(link: str, documents: Documents, view: str, language: Language) -> str:
    """The pane for a span of a document, `?doc=ID&span=START-END`; empty if there is no such span."""
    asked = dict(parse_qsl(link.removeprefix("?")))
    document = documents.get(asked.get("doc", ""))
    found = re.fullmatch(r"(\d+)-(\d+)", asked.get("span", ""))
    if document is None or found is None or not 0 <= int(found[1]) < int(found[2]) <= len(document.text):
        return ""
    strings, span = STRINGS[language], (int(found[1]), int(found[2]))
    marks = [Mark(start=span[0], end=span[1], style="quote current")]
    if view == "document":
        body = _whole(document, marks, span, strings)
    else:
        body = _surroundings(document, marks, span) + _counterpart(document, documents, span, strings)
    return (
        f'<section class="evidence" data-turn="0" data-target="{escape(link)}">'
        f"{_bar(strings, 0, link, view)}{_about(document, language)}{body}</section>"
    )


def _bar(strings: Strings, turn: int, target: str, view: str) -> str:
    def tab(name: str, label: str) -> str:
        chosen = "true" if name == view else "false"
        return f'<button role="tab" aria-selected="{chosen}" data-pick="{_pick(turn, target, name)}">{escape(label)}</button>'

    tabs = tab("quote", strings.evidence) + tab("document", strings.document) if target else ""
    home = f'<button class="home" data-pick="{_pick(0, "", "")}">{escape(strings.corpus)}</button>'
    return f'<div class="bar"><div role="tablist">{tabs}</div>{home}{_close(strings)}</div>'


def _close(strings: Strings) -> str:
    return f'<button class="close" aria-label="{escape(strings.close)}" title="{escape(strings.close)}">✕</button>'


def _steps(given: Answer, citation: Citation, turn: int, view: str, strings: Strings) -> str:
    """Previous and next quote of the same answer."""
    markers = [c.marker for c in given.citations]
    here = markers.index(citation.marker)

    def step(label: str, arrow: str, to: int) -> str:
        there = 0 <= to < len(markers)
        pick = f'data-pick="{_pick(turn, f"c{markers[to]}", view)}"' if there else "disabled"
        return f'<button aria-label="{escape(label)}" title="{escape(label)}" {pick}>{arrow}</button>'

    of = escape(strings.of.format(marker=citation.marker, total=len(markers)))
    back, on = step(strings.previous, "‹", here - 1), step(strings.next, "›", here + 1)
    return f'<div class="steps">{back}<span>{of}</span>{on}</div>'


def _about(document: Document, language: Language) -> str:
    """Who says it, what it is, and as of when."""
    strings = STRINGS[language]
    links = [(title, url) for title, url in document.sources if _is_web(url)] or [(document.url, document.url)]
    listed = "".join(
        f'<li><a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{escape(title or url)}</a></li>'
        for title, url in links
        if _is_web(url)
    )
    sources = f"<details><summary>{escape(strings.sources)} {len(links)}</summary><ul>{listed}</ul></details>" if listed else ""
    brief = f'<p class="brief">{escape(strings.brief)}</p>' if document.author == "Jiphyeon" else ""
    meta = " · ".join(escape(part) for part in (document.issuer, as_of_label(document, language)) if part)
    status = f'<p class="status"><b>{escape(strings.status)}</b> {escape(document.status)}</p>' if document.status else ""
    return (
        f'<header><p class="meta">{kind(document, language)}<span>{meta}</span></p>'
        f'<h2 lang="{escape(document.language)}">{escape(document.title)}</h2>{status}{brief}{sources}</header>'
    )


def _surroundings(document: Document, marks: Sequence[Mark], span: Span) -> str:
    """The section of the span, or as many of its paragraphs around the span as a pane holds."""
    start, end = sections(document.text)[section_of(document.text, span[0])]
    whole = list(blocks(document.text, start, max(end, span[1])))
    inside = [n for n, (left, right) in enumerate(whole) if left < span[1] and right > span[0]] or [0]
    first, last = inside[0], inside[-1]
    while True:
        size = whole[last][1] - whole[first][0]
        fitting = [n for n in (first - 1, last + 1) if 0 <= n < len(whole) and size + _length(whole[n]) <= SURROUNDINGS]
        if not fitting:
            break
        nearest = min(fitting, key=lambda n: max(inside[0] - n, n - inside[-1]))
        first, last = min(first, nearest), max(last, nearest)
    before = '<p class="gap">⋯</p>' if first > 0 else ""
    after = '<p class="gap">⋯</p>' if last + 1 < len(whole) else ""
    text = _text(document.text, whole[first : last + 1], marks)
    return f'<div class="text" lang="{escape(document.language)}">{before}{text}{after}</div>'


def _counterpart(document: Document, documents: Documents, span: Span, strings: Strings) -> str:
    """The same section of the same text in the other language: the n-th of as many; empty if there is none."""
    pair = documents.get(document.pair)
    if pair is None:
        return ""
    here, there = sections(document.text), sections(pair.text)
    if len(here) != len(there):
        return ""
    number = section_of(document.text, span[0])
    own, other = list(blocks(document.text, *here[number])), list(blocks(pair.text, *there[number]))
    marks: list[Mark] = []
    if len(own) == len(other):  # paragraph for paragraph: the one that answers the quote's can be pointed out
        marks = [
            Mark(start=theirs[0], end=theirs[1], style="near")
            for ours, theirs in zip(own, other, strict=True)
            if ours[0] < span[1] and ours[1] > span[0]
        ]
    label = strings.counterpart.format(language=strings.languages.get(pair.language, pair.language))
    return (
        f'<aside class="counterpart"><h3>{escape(label)}</h3>'
        f'<div class="text" lang="{escape(pair.language)}">{_text(pair.text, other, marks)}</div></aside>'
    )


def _whole(document: Document, marks: Sequence[Mark], span: Span, strings: Strings) -> str:
    left = max(0, span[0] - DOCUMENT_LIMIT // 2)
    start = 0 if left == 0 else max(0, document.text.rfind("\n", 0, left))
    shown = list(blocks(document.text, start, min(len(document.text), start + DOCUMENT_LIMIT)))
    cut = f'<p class="hint">{escape(strings.cut)}</p>' if len(document.text) > DOCUMENT_LIMIT else ""
    headings = [(begin, document.text[begin:end]) for begin, end in shown if document.text.startswith("##", begin)]
    listed = "".join(f'<li><button data-jump="at-{begin}">{escape(plain(text))}</button></li>' for begin, text in headings)
    outline = (
        f'<details class="outline"><summary>{escape(strings.sections)}</summary><ul>{listed}</ul></details>' if listed else ""
    )
    return f'{outline}{cut}<div class="text" lang="{escape(document.language)}">{_text(document.text, shown, marks)}</div>'


def sections(text: str) -> list[Span]:
    """Spans of the sections: each from one heading to the next; one for a text without headings."""
    starts = [match.start() for match in _HEADING.finditer(text)]
    starts = starts if starts[:1] == [0] else [0, *starts]
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


def section_of(text: str, position: int) -> int:
    """The number of the section that holds `position`, from 0."""
    return max(n for n, (start, _) in enumerate(sections(text)) if start <= position or n == 0)


def _length(span: Span) -> int:
    return span[1] - span[0]


def _text(text: str, shown: Sequence[Span], marks: Sequence[Mark]) -> str:
    """Blocks of a text as HTML. A list's or heading's own marks stay in it, hidden, so that a quote is whole when copied."""
    parts: list[str] = []
    for is_item, group in groupby(shown, key=lambda span: bool(_ITEM.match(text, *span))):
        html = "".join(_block(text, start, end, marks) for start, end in group)
        parts.append(f"<ul>{html}</ul>" if is_item else html)
    return "".join(parts)


def _block(text: str, start: int, end: int, marks: Sequence[Mark]) -> str:
    prefix = _HEADING.match(text, start, end) or _ITEM.match(text, start, end)
    tag = "p" if not prefix else "h4" if text[start] == "#" else "li"
    body = prefix.end() if prefix else start
    raw = f'<span class="raw">{_marked(text, start, body, marks)}</span>' if prefix else ""
    return f'<{tag} id="at-{start}">{raw}{_marked(text, body, end, marks)}</{tag}>'


def _marked(text: str, start: int, end: int, marks: Sequence[Mark]) -> str:
    """`text[start:end]` escaped, with the marks around their parts; of two marks on one place the first wins."""
    cuts = sorted({start, end, *(p for m in marks for p in (m.start, m.end) if start < p < end)})
    parts = []
    for left, right in pairwise(cuts):
        style = next((mark.style for mark in marks if mark.start <= left and right <= mark.end), "")
        piece = escape(text[left:right])
        parts.append(f'<mark class="{style}">{piece}</mark>' if style else piece)
    return "".join(parts)


def kind(document: Document, language: Language) -> str:
    """The kind in a word, with a colour of its own; our own text about an instrument is called that."""
    kind = document.kind if document.kind in KINDS["en"] else "other"
    label = kind_label(document, language)
    return f'<span class="kind kind-{kind}">{escape(label)}</span>' if label else ""


def _pick(turn: int, target: str, view: str) -> str:
    return escape(json.dumps([turn, target, view]))


def _is_web(url: str) -> bool:
    return url.startswith(("https://", "http://"))
