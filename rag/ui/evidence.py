"""The evidence pane as HTML: a quote in its section, a whole document, the list of documents. Pure functions; all is escaped."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise

from rag.answer.frame import KINDS, as_of_label, kind_label
from rag.text import blocks, language_of, plain, section_of, sections, sentences
from rag.types import Answer, Citation, Document, Language
from rag.ui import cite
from rag.ui.cite import Span
from rag.ui.strings import STRINGS, Strings

SURROUNDINGS = 2400  # characters of a section that are shown around a quote
DOCUMENT_LIMIT = 150_000  # characters of a document in one page: more makes a browser stutter

# Signs for private use, which page.js fills when a citation is copied: it knows the page's address and the reader's day.
LINK, TODAY = "\ue000", "\ue001"

_HEADING = re.compile(r"^(#{1,6}) +", re.MULTILINE)
_ITEM = re.compile(r"[-*+•·ㆍ‣◦▪○●□■] +")

Documents = Mapping[str, Document]


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
        steps, name = _steps(given, citation, turn, view, strings), _position(given, citation, strings)
    elif passage:
        document, span, style, others = passage.document, (passage.chunk.start, passage.chunk.end), "near current", []
        steps = f'<p class="hint">{escape(strings.refused_hint)}</p>' if given.refused else ""
        name = strings.nearest
    else:
        return ""
    marks = [Mark(start=span[0], end=span[1], style=style), *others]
    where = _Where(turn=turn, target=target, view=view)
    return _pane(where, name, steps, document, span, marks, documents, language)


def of_link(link: str, documents: Documents, view: str, language: Language) -> str:
    """The pane for a permanent link: its quote, or what is left of it and a word on what is not."""
    strings = STRINGS[language]
    found = cite.follow(link, documents)
    where = _Where(turn=0, target=link, view=view)
    if found.document is None:
        said = strings.link_unknown.format(document=found.asked[:80])
        return (
            f'<section class="evidence" tabindex="-1" aria-label="{escape(said)}">{_bar(strings, where, [], "")}'
            f'<p class="lost">{escape(said)}</p></section>'
        )
    if found.span is None:
        lost = f'<p class="lost">{escape(strings.link_lost)}</p>' if found.lost else ""
        name = strings.link_lost if found.lost else strings.document
        return _pane(_Where(), name, lost, found.document, (0, 0), [], documents, language)
    marks = [Mark(start=found.span[0], end=found.span[1], style="quote current")]
    return _pane(where, strings.linked, "", found.document, found.span, marks, documents, language)


def of_document(document: Document, language: Language) -> str:
    """The pane for a document that no answer led to."""
    return _pane(_Where(), STRINGS[language].document, "", document, (0, 0), [], {}, language)


@dataclass(frozen=True, kw_only=True)
class _Where:
    """What the pane shows, as the page's links carry it. Without a target: a document as a whole."""

    turn: int = 0
    target: str = ""
    view: str = "document"


def _pane(
    where: _Where,
    name: str,
    steps: str,
    document: Document,
    span: Span,
    marks: Sequence[Mark],
    documents: Documents,
    language: Language,
) -> str:
    """The pane: what to turn to, who says it, the text with its marks, beside it the counterpart's."""
    strings = STRINGS[language]
    counterpart = _counterpart(document, documents, span, where.view, strings) if where.target else ""
    body = _whole(document, marks, span, strings) if where.view == "document" else _surroundings(document, marks, span)
    said = f"{name}. {document.title}"
    quote = " ".join(document.text[slice(*span)].split())
    tabs = [("quote", strings.evidence), ("document", strings.document)] if where.target else []
    panel = f'id="shown" role="tabpanel" aria-labelledby="tab-{where.view}"' if tabs else 'id="shown"'
    return (
        f'<section class="evidence {where.view}" tabindex="-1" aria-label="{escape(said)}" data-turn="{where.turn}" '
        f'data-target="{escape(where.target)}" data-link="{escape(cite.link_to(document, span))}" '
        f'data-say="{escape(f"{said}. {quote}")}">{_bar(strings, where, tabs, counterpart)}'
        f'<div class="tools">{steps}{_cite_as(document, span, language)}</div>{_about(document, language)}<div class="pages" {panel}>'
        f"<div>{body}</div>{counterpart}</div></section>"
    )


def card(citation: Citation, document: Document, turn: int, language: Language) -> str:
    """What a marker shows before it is opened: the quote, who says it, its status, as of when."""
    meta = " · ".join(escape(part) for part in (document.issuer, as_of_label(document, language)) if part)
    label = f"<b>{escape(STRINGS[language].status)}</b> {escape(document.status)}"
    status = f'<p class="status" lang="{escape(document.language)}">{label}</p>' if document.status else ""
    return (
        f'<div class="card" id="card-{turn}-{citation.marker}"><p class="quoted" lang="{escape(citation.language)}">'
        f"“{'<br>'.join(escape(line) for line in citation.quote.split(chr(10)) if line.strip())}”</p>"
        f'<p class="title" lang="{escape(document.language)}">{escape(document.title)}</p>'
        f'<p class="meta">{kind(document, language)}<span>{meta}</span></p>{status}</div>'
    )


def _cite_as(document: Document, span: Span, language: Language) -> str:
    """Buttons that copy the link and the citation in each style."""
    strings = STRINGS[language]
    quoted = cite.Quoted(document=document, span=span, link=LINK, accessed=TODAY)
    styles = (
        (strings.cite_plain, cite.plain(quoted, language)),
        ("Markdown", cite.markdown(quoted, language)),
        ("BibTeX", cite.bibtex(quoted, language)),
        (strings.cite_korean, cite.korean(quoted)),
    )

    def button(label: str, text: str) -> str:
        copied = escape(text).replace("\n", "&#10;")
        return f'<button data-copy="{copied}" data-copied="{escape(strings.copied)}">{escape(label)}</button>'

    listed = "".join(f"<li>{button(label, text)}</li>" for label, text in styles)
    return (
        f'<div class="citing">{button(strings.copy_link, LINK)}<details><summary>{escape(strings.cite_as)}</summary>'
        f"<ul>{listed}</ul></details></div>"
    )


def _bar(strings: Strings, where: _Where, tabs: Sequence[tuple[str, str]], counterpart: str) -> str:
    def tab(view: str, label: str) -> str:
        chosen = view == where.view
        return (
            f'<button role="tab" id="tab-{view}" data-key="tab-{view}" aria-selected="{str(chosen).lower()}" '
            f'aria-controls="shown" tabindex="{0 if chosen else -1}" '
            f'data-pick="{_pick(where.turn, where.target, view)}">{escape(label)}</button>'
        )

    listed = "".join(tab(view, label) for view, label in tabs)
    tablist = (
        f'<div role="tablist" aria-label="{escape(strings.evidence)}">{listed}</div>' if tabs else '<div class="space"></div>'
    )
    wide = (
        f'<button class="wide" data-key="wide" aria-pressed="false">{escape(strings.side_by_side)}</button>'
        if counterpart
        else ""
    )
    # What was opened from the corpus, or by a link, leads back there.
    back = (
        "" if where.target[:1] in ("c", "p") else f'<button class="back" data-explore="{{}}">‹ {escape(strings.corpus)}</button>'
    )
    return f'<div class="bar">{back}{tablist}{wide}{_close(strings)}</div>'


def _close(strings: Strings) -> str:
    return f'<button class="close" aria-label="{escape(strings.close)}" title="{escape(strings.close)}">✕</button>'


def _position(given: Answer, citation: Citation, strings: Strings) -> str:
    return strings.of.format(marker=citation.marker, total=len(given.citations))


def _steps(given: Answer, citation: Citation, turn: int, view: str, strings: Strings) -> str:
    """Previous and next quote of the same answer. A step that leads nowhere keeps its place and the focus."""
    markers = [c.marker for c in given.citations]
    here = markers.index(citation.marker)

    def step(name: str, label: str, arrow: str, key: str, to: int) -> str:
        there = 0 <= to < len(markers)
        pick = f'data-pick="{_pick(turn, f"c{markers[to]}", view)}"' if there else 'aria-disabled="true"'
        return (
            f'<button data-key="{name}" aria-label="{escape(label)}" title="{escape(label)} ({arrow})" '
            f'aria-keyshortcuts="{key}" {pick}>{arrow}</button>'
        )

    of = escape(_position(given, citation, strings))
    back = step("previous", strings.previous, "←", "ArrowLeft", here - 1)
    return f'<div class="steps">{back}<span>{of}</span>{step("next", strings.next, "→", "ArrowRight", here + 1)}</div>'


def _about(document: Document, language: Language) -> str:
    """Who says it, what it is, and as of when."""
    strings = STRINGS[language]
    links = [(title, url) for title, url in document.sources if _is_web(url)] or [(document.url, document.url)]
    listed = "".join(
        f'<li lang="{language_of(title or url)}"><a href="{escape(url)}" target="_blank" rel="noopener noreferrer">'
        f"{escape(title or url)}</a></li>"
        for title, url in links
        if _is_web(url)
    )
    sources = f"<details><summary>{escape(strings.sources)} {len(links)}</summary><ul>{listed}</ul></details>" if listed else ""
    brief = f'<p class="brief">{escape(strings.brief)}</p>' if document.author == "Jiphyeon" else ""
    meta = " · ".join(escape(part) for part in (document.issuer, as_of_label(document, language)) if part)
    status = f'<span lang="{escape(document.language)}">{escape(document.status)}</span>'
    status = f'<p class="status"><b>{escape(strings.status)}</b> {status}</p>' if document.status else ""
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


def _counterpart(document: Document, documents: Documents, span: Span, view: str, strings: Strings) -> str:
    """The same section of the same text in the other language: the n-th of as many; empty if there is none.

    What answers the quote is marked where the two run alike: sentence for sentence, else paragraph for paragraph.
    """
    pair = documents.get(document.pair)
    if pair is None:
        return ""
    here, there = sections(document.text), sections(pair.text)
    if len(here) != len(there):
        return ""
    number = section_of(document.text, span[0])
    own, other = list(blocks(document.text, *here[number])), list(blocks(pair.text, *there[number]))
    marks: list[Mark] = []
    if len(own) == len(other):
        for ours, theirs in zip(own, other, strict=True):
            if not _overlap(ours, span):
                continue
            said, answering = sentences(document.text, *ours), sentences(pair.text, *theirs)
            alike = zip(said, answering, strict=True) if len(said) == len(answering) else [(ours, theirs)]
            marks += [Mark(start=there[0], end=there[1], style="pair") for one, there in alike if _overlap(one, span)]
    label = strings.counterpart.format(language=strings.languages.get(pair.language, pair.language))
    scrolls = ' tabindex="0"' if view == "document" else ""  # by itself, beside the whole document
    return (
        f'<aside class="counterpart" aria-label="{escape(label)}"{scrolls}><h3>{escape(label)}</h3>'
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
        f'<details class="outline"><summary>{escape(strings.sections)}</summary>'
        f'<ul lang="{escape(document.language)}">{listed}</ul></details>'
        if listed
        else ""
    )
    return f'{outline}{cut}<div class="text" lang="{escape(document.language)}">{_text(document.text, shown, marks)}</div>'


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and one[1] > other[0]


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
