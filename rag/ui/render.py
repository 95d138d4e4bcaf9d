"""The conversation and the page's first sight as HTML. Pure functions; all that comes from a document or an asker is escaped."""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape, unescape
from itertools import groupby

from rag.answer.frame import UNVERIFIED, as_of_label, kind_label
from rag.text import plain
from rag.types import Answer, Citation, Document, Language, Passage
from rag.ui.evidence import Documents, card, kind
from rag.ui.judging import buttons
from rag.ui.strings import EXAMPLES, LANGUAGES, STRINGS, Strings

_WAITING = '<div class="waiting">'
_HEADER = re.compile(r"\*\*(.+)\*\*(.*)")
_MARKER = re.compile(r"\[(\d+)\]")
_TURN = re.compile(r'(class="cite turn-|id="card-)(\d+)')
_QUOTE_END = re.compile(r"^(.*)” \[(\d+)\]((?: \(\w+\))?)$", re.DOTALL)


# --- the conversation ---------------------------------------------------------------------------------------------


def asked(question: str, language: Language) -> str:
    """The asker's own words."""
    return f'<div class="asked" lang="{language}">{_lines(question)}</div>'


def waiting(text: str) -> str:
    """What is being done while there is no answer yet; without a text, that something is."""
    return f"{_WAITING}{escape(text) or '…'}</div>"


def waits(pane: str | None) -> bool:
    """Whether a pane says that something is being done."""
    return (pane or "").startswith(_WAITING)


def problem(strings: Strings, what: str, lead: str = "") -> str:
    """What went wrong and what to do."""
    lead = f"<p>{escape(lead)}</p>" if lead else ""
    return f'<div class="problem"><p class="headline">{escape(strings.problem)}</p>{lead}<p>{_lines(what)}</p></div>'


def answer(given: Answer, documents: Documents, turn: int, coverage: str) -> str:
    """An answer, or the card of a refusal. One line of HTML: a blank line would end it for the Markdown around it."""
    told = f'<p class="notice" role="status">{escape(given.notice)}</p>' if given.notice else ""
    if given.refused:
        body = told + _refusal(given, documents, turn, coverage)
    else:
        said = _quotes(given, documents, turn) if given.mode == "extractive" else _written(given, turn)
        body = told + said + (_footer(given, documents) if "total" in given.timings_ms else "")
    held = [(citation, documents[citation.document_id]) for citation in given.citations if citation.document_id in documents]
    cards = "".join(card(citation, document, turn, given.language) for citation, document in held)
    growing, judge = ("", buttons(given, turn)) if "total" in given.timings_ms else (" growing", "")
    return f'<div class="answer{growing}" lang="{given.language}">{body}{judge}<div class="cards">{cards}</div></div>'


def _quotes(given: Answer, documents: Documents, turn: int) -> str:
    cited = {citation.marker: citation for citation in given.citations}
    sources = [documents[name] for name in dict.fromkeys(c.document_id for c in given.citations) if name in documents]
    parts: list[str] = []
    for is_quote, group in groupby(given.text.split("\n"), key=lambda line: line.startswith("> ")):
        if is_quote:
            parts += _quote_lines([line[2:] for line in group], cited, given.language, turn)
            continue
        for line in group:
            if header := _HEADER.fullmatch(line):
                parts.append(_source_line(header[1], header[2], sources, given.language))
            elif line.strip():
                parts.append(f"<p>{_with_links(line, cited, given.language, turn)}</p>")
    return "".join(parts)


def _written(given: Answer, turn: int) -> str:
    """A chat model's sentences as text; those that failed a check with the reason. Its own Markdown means nothing here."""
    cited = {citation.marker: citation for citation in given.citations}
    html = "".join(f"<p>{_with_links(paragraph, cited, given.language, turn)}</p>" for paragraph in given.text.split("\n\n"))
    label = UNVERIFIED[given.language]
    for failed in given.unsupported:
        why = f'{escape(failed.claim)} <small title="{escape(failed.explanation)}">{escape(label)} {escape(failed.explanation)}</small>'
        html = html.replace(escape(f"{failed.claim} {label}"), f'<span class="unverified">{why}</span>')
    if "total" in given.timings_ms:
        return html
    return (
        f'{html if given.text else ""}<p class="writing">{escape(STRINGS[given.language].writing.format(model=given.model))}</p>'
    )


def _source_line(title: str, rest: str, sources: list[Document], language: Language) -> str:
    """The line over the quotes of one document: its title, kind, issuer and date.

    `sources` are the cited documents in their order; the one named is taken out: another may have given itself the same title.
    """
    document = next((source for source in sources if source.title == title), None)
    if document is None:  # a frame line that names no document: "Where it stands"
        return f'<p class="source"><b>{escape(title)}</b>{escape(rest)}</p>'
    sources.remove(document)
    meta = " · ".join(escape(part) for part in (document.issuer, as_of_label(document, language)) if part)
    return (
        f'<div class="source"><p class="title" lang="{escape(document.language)}">{escape(document.title)}</p>'
        f'<p class="meta">{kind(document, language)}<span>{meta}</span></p></div>'
    )


def _quote_lines(lines: Iterable[str], cited: Mapping[int, Citation], language: Language, turn: int) -> list[str]:
    """Quotes with their markers. A marker counts only where the line holds the citation's words: quotes hold brackets too."""
    parts: list[str] = []
    held: list[str] = []
    for line in lines:
        held.append(line)
        end = _QUOTE_END.match("\n".join(held))
        citation = cited.get(int(end[2])) if end else None
        if end and citation and _flat(end[1].removeprefix("“")) == _flat(citation.quote):
            tag = f'<span class="tag">{escape(end[3].strip(" ()"))}</span>' if end[3] else ""
            quote = _quoted(citation.quote, _link(citation, language, turn) + tag)
            parts.append(f'<blockquote lang="{escape(citation.language)}">{quote}</blockquote>')
            held = []
    if held:
        parts.append(f"<blockquote>{_lines(chr(10).join(held))}</blockquote>")
    return parts


def _quoted(quote: str, marker: str) -> str:
    """The quote in quotation marks with its marker behind it; the items of a list each on their line."""
    first, *rest = [escape(line) for line in f"“{quote}”".split("\n") if line.strip()]
    if not rest:
        return f"{first} {marker}"
    rest[-1] += f" {marker}"
    return first + "".join(f'<span class="item">{line}</span>' for line in rest)


def _with_links(line: str, cited: Mapping[int, Citation], language: Language, turn: int) -> str:
    return _MARKER.sub(
        lambda match: _link(cited[int(match[1])], language, turn) if int(match[1]) in cited else match[0], escape(line)
    )


def _link(citation: Citation, language: Language, turn: int) -> str:
    """The marker. Its class says which answer of the conversation it belongs to, its address which citation.

    Gradio drops `aria-label`: page.js makes one of the title, in whose stead it shows the card.
    """
    title = escape(STRINGS[language].marker.format(marker=citation.marker))
    return f'<a class="cite turn-{turn}" href="#c{citation.marker}" title="{title}">[{citation.marker}]</a>'


def _footer(given: Answer, documents: Documents) -> str:
    strings = STRINGS[given.language]
    form = strings.footer if given.mode == "extractive" else strings.generated
    quotes, sources = len(given.citations), len({citation.document_id for citation in given.citations})
    said = form.format(quotes=quotes, documents=sources, model=given.model, seconds=f"{given.timings_ms['total'] / 1000:.2f}")
    if given.language == "en":
        said = re.sub(r"\b1 (quote|document)s\b", r"1 \1", said)
    if given.mode == "generative" and given.unsupported:
        said += " · " + strings.failed.format(count=len(given.unsupported))
    # What the copy button copies. `&#10;`, since a line end would end the HTML for Markdown.
    copied = escape(citations_text(given, documents)).replace("\n", "&#10;")
    return (
        f'<div class="footer"><span>{_dotted(said)}</span><button class="copy" title="{escape(strings.copied)}">'
        f'{escape(strings.copy)}</button><pre class="copied">{copied}</pre></div>'
    )


def citations_text(given: Answer, documents: Documents) -> str:
    """The question, the quotes and their sources, as plain text to paste into a report."""
    lines = [given.question, ""] if given.mode == "extractive" else [given.question, "", given.text, ""]
    lines += [f"[{citation.marker}] “{_flat(citation.quote)}”" for citation in given.citations] + [""]
    for citation in given.citations:
        document = documents.get(citation.document_id)
        known = (kind_label(document, given.language), citation.issuer, as_of_label(document, given.language)) if document else ()
        place = f"{citation.document_id}:{citation.start}-{citation.end}"
        lines.append(f"[{citation.marker}] " + ", ".join(part for part in (citation.title, *known, citation.url, place) if part))
    return "\n".join(lines)


def _refusal(given: Answer, documents: Documents, turn: int, coverage: str) -> str:
    strings = STRINGS[given.language]
    near_by = nearest(given, documents)
    links = "".join(
        f'<li lang="{escape(passage.chunk.language)}">'
        f'<a class="cite turn-{turn}" href="#p{passage.rank}">{escape(_place(passage))}</a>'
        f"<span>“{escape(_shortened(plain(passage.chunk.text)))}”</span></li>"
        for passage in near_by
    )
    near = f'<p class="label">{escape(strings.nearest)}</p><ol class="nearest">{links}</ol>' if near_by else ""
    offered = examples(documents, given.language, near=[passage.document.id for passage in near_by])[:2]
    chips = "".join(f'<button class="chip" lang="{given.language}">{escape(question)}</button>' for question in offered)
    ask = f'<p class="label">{escape(strings.answerable)}</p><div class="chips">{chips}</div>' if chips else ""
    return (
        f'<div class="refusal"><p class="headline">{escape(strings.refused)}</p><p>{_lines(given.refusal_reason)}</p>'
        f'{near}<p class="covers">{escape(coverage)}</p>{ask}</div>'
    )


def nearest(given: Answer, documents: Documents) -> list[Passage]:
    """The three passages to show with a refusal; of two counterparts the one in the asker's language."""
    return [p for p in given.passages if p.document.language == given.language or p.document.pair not in documents][:3]


def first_target(given: Answer, documents: Documents) -> str:
    """What the evidence pane shows before anything is picked."""
    return "c1" if given.citations else next((f"p{passage.rank}" for passage in nearest(given, documents)), "")


def _place(passage: Passage) -> str:
    return " › ".join((passage.document.title, *passage.chunk.headings[-1:]))


def _shortened(text: str, limit: int = 110) -> str:
    if len(text) <= limit:
        return text
    cut = text.rfind(" ", limit // 2, limit)
    return text[: cut if cut > 0 else limit] + " …"


def examples(documents: Documents, language: Language, near: Sequence[str] = ()) -> list[str]:
    """Questions in `language` that these documents answer; those on a document of `near` first."""
    held = [e for e in EXAMPLES[language] if not e.across and any(f"{e.topic}-{code}" in documents for code in LANGUAGES)]
    return [e.question for e in sorted(held, key=lambda e: not any(name.startswith(e.topic) for name in near))]


# --- the conversation's controls ----------------------------------------------------------------------------------


def controls(language: Language) -> str:
    """The buttons under the conversation; the page's style shows those that apply."""
    strings = STRINGS[language]

    def button(act: str, label: str, name: str = "") -> str:
        named = f' aria-label="{escape(name)}" title="{escape(name)}"' if name else ""
        return f'<button data-act="{act}"{named}>{escape(label)}</button>'

    saves = (button(act, kind, strings.save.format(kind=kind)) for act, kind in (("markdown", ".md"), ("json", ".json")))
    return (
        f'<div class="controls" role="group" aria-label="{escape(strings.controls)}" lang="{language}">'
        f"{button('stop', strings.stop)}{button('again', strings.again)}{button('edit', strings.edit)}"
        f"<span></span>{''.join(saves)}{button('new', strings.new)}</div>"
    )


def editing(strings: Strings) -> str:
    """That the question in the box will replace the last one, and the way out of that."""
    keep = f'<button data-act="keep">{escape(strings.keep)}</button>'
    return f'<div class="editing" role="status"><span>{escape(strings.editing)}</span>{keep}</div>'


def asked_text(html: str) -> str:
    """The words of which `asked` made this."""
    return unescape(re.sub("<[^>]*>", "", html.replace("<br>", "\n")))


def is_answer(html: str) -> bool:
    """Whether this came from `answer`, whole or still growing."""
    return html.startswith('<div class="answer')


def unheld(html: str) -> str:
    """The message of an answer that the server no longer holds, its markers apart from those of the answers to come."""
    return _TURN.sub(lambda match: f"{match[1]}{-1 - int(match[2])}", html)


def stopped(html: str, strings: Strings) -> str:
    """The message of the answer that was being given, as far as it came; one that is complete as it is."""
    note = f'<p class="stopped" role="status">{escape(strings.stopped)}</p>'
    if html.startswith('<div class="answer growing"'):
        return html.replace(" growing", "", 1).removesuffix("</div>") + note + "</div>"
    return note if html.startswith('<div class="waiting"') else html


# --- the page -----------------------------------------------------------------------------------------------------


def masthead(language: Language) -> str:
    """The name, which begins anew, and the switch to the other language."""
    other: Language = "en" if language == "ko" else "ko"
    return (
        f'<div class="masthead" lang="{language}" data-conversation="{escape(STRINGS[language].conversation)}"><a href="./" class="name"><b lang="ko">집현</b> Jiphyeon</a>'
        f'<button class="browse" data-explore="{{}}">{escape(STRINGS[language].corpus)}</button>'
        f'<button class="switch" lang="{other}" data-language="{other}">{escape(STRINGS[language].switch)}</button></div>'
    )


def welcome(documents: Documents, language: Language, state: str) -> str:
    """The first visit: what this is, what it covers (or what is being done until that is known), what to ask."""
    strings = STRINGS[language]
    if documents:
        newest = max(d.as_of or d.published for d in documents.values())
        codes = sorted({d.language for d in documents.values()}, key=lambda code: (code != language, code))
        names = ", ".join(strings.languages.get(code, code) for code in codes)
        state = strings.covers.format(documents=len(documents), languages=names, newest=newest or "–")
    other: Language = "en" if language == "ko" else "ko"
    chips = ""
    for example in EXAMPLES[language]:
        if documents and example.topic and not any(f"{example.topic}-{code}" in documents for code in LANGUAGES):
            continue
        note = strings.across if example.across else "" if example.topic else strings.beyond
        tongue = other if example.across else language
        chips += (
            f'<div><button class="chip" lang="{tongue}">{escape(example.question)}</button>'
            + (f"<small>{escape(note)}</small>" if note else "")
            + "</div>"
        )
    return (
        f'<div class="welcome" lang="{language}"><h1>{escape(strings.tagline)}</h1>'
        f'<p class="covers">{_dotted(state)}</p><p class="label">{escape(strings.try_one)}</p>'
        f'<div class="chips">{chips}</div></div>'
    )


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _dotted(text: str) -> str:
    """Escaped; a line breaks after a dot between parts, not before it."""
    return escape(text).replace(" · ", "&nbsp;· ")


def _flat(text: str) -> str:
    return " ".join(text.split())
