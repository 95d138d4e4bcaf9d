"""The corpus's four views as HTML: list, timeline, map, comparison. Pure functions; all that comes from a document is escaped."""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from rag.answer.frame import KINDS, as_of_label, kind_label
from rag.explore.catalogue import STATUSES, Entry, counts
from rag.text import plain
from rag.types import Answer, Citation, Document, Language, Passage
from rag.ui.evidence import Documents, kind
from rag.ui.explore_strings import EXPLORE_STRINGS, ExploreStrings
from rag.ui.strings import STRINGS

if TYPE_CHECKING:  # they bring the index along, which the page does not wait for
    from rag.explore.compare import Cell
    from rag.explore.map import Point
    from rag.explore.timeline import Event

LISTED = 1000  # topics in the list: a browser filters so many at once
SNIPPET = 160  # characters of a passage that was found
MOST_PLACES = 4  # side by side
MARKS = ("circle", "square", "up", "diamond", "down", "plus", "bar", "ring")  # the map's shapes; the last is for all others
SHAPES = {
    "circle": '<circle r="8"/>',
    "square": '<rect x="-7.5" y="-7.5" width="15" height="15"/>',
    "up": '<path d="M0-10 9 6.5-9 6.5z"/>',
    "diamond": '<path d="M0-11 10 0 0 11-10 0z"/>',
    "down": '<path d="M0 10 9-6.5-9-6.5z"/>',
    "plus": '<path d="M-3-9h6v6h6v6h-6v6h-6v-6h-6v-6h6z"/>',
    "bar": '<rect x="-10" y="-4.5" width="20" height="9"/>',
    "ring": '<circle r="6.5" fill="none" stroke-width="3.5"/>',
}
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


class Wanted(BaseModel):
    """What a visitor asks to see of the corpus, as the page's buttons carry it."""

    view: Literal["list", "timeline", "map", "compare"] = "list"
    query: str = Field(default="", max_length=500)
    places: tuple[str, ...] = Field(default=(), max_length=MOST_PLACES)
    aspect: str = Field(default="dates", max_length=40)


def page(view: str, body: str, language: Language, back: str = "") -> str:
    """The pane with one of the views. `back` is the pick of the answer's evidence, if there is an answer."""
    strings, words = STRINGS[language], EXPLORE_STRINGS[language]
    evidence = f'<button data-pick="{escape(back)}">{escape(strings.evidence)}</button>' if back else ""

    def tab(name: str, label: str) -> str:
        chosen = f' aria-current="{"page" if name == view else "false"}"'
        return f'<button data-explore="{_wanted(view=name)}"{chosen}>{escape(label)}</button>'

    tabs = "".join(tab(name, label) for name, label in words.views.items())
    return (
        f'<section class="corpus explore" data-view="{escape(view)}" lang="{language}"><div class="bar"><h2>{escape(strings.corpus)}</h2>'
        f'{evidence}<button class="close" aria-label="{escape(strings.close)}" title="{escape(strings.close)}">✕</button></div>'
        f'<nav class="views" aria-label="{escape(strings.corpus)}">{tabs}</nav>{body}</section>'
    )


def waiting(language: Language) -> str:
    """What is shown while a view is drawn for the first time: its outline, and why it takes a while."""
    said = escape(EXPLORE_STRINGS[language].preparing)
    return f'<p class="hint" role="status">{said}</p><div class="outlined" aria-hidden="true"></div>'


# --- the list -----------------------------------------------------------------------------------------------------


def catalogue(entries: Sequence[Entry], found: Sequence[Passage], query: str, language: Language) -> str:
    """The list of topics with its filters; above it the passages that a search found."""
    strings, words = STRINGS[language], EXPLORE_STRINGS[language]
    documents = [entry.document for entry in entries]
    languages = [d.language for entry in entries for d in (entry.document, entry.counterpart) if d]
    filters = (
        _select("place", words.place, {p: place_name(p, language) for p in counts(entry.place for entry in entries)}, words)
        + _select("kind", words.kind, {k: KINDS[language].get(k, k) for k in counts(d.kind for d in documents)}, words)
        + _select("tongue", words.language, {c: strings.languages.get(c, c) for c in counts(languages)}, words)
        + _select("status", words.status, {s: words.statuses[s] for s in (*STATUSES, "other")}, words)
    )
    dated = "".join(
        f'<option value="{name}">{escape(label)}</option>'
        for name, label in (("published", words.published), ("asof", words.as_of))
    )
    rows = "".join(_row(entry, language) for entry in entries[:LISTED])
    rest = strings.more.format(count=len(entries) - LISTED) if len(entries) > LISTED else ""
    return (
        f'<p class="hint">{escape(strings.corpus_hint)}</p><form class="find" role="search">'
        f'<input type="search" name="query" value="{escape(query)}" maxlength="500" aria-label="{escape(words.find)}" '
        f'placeholder="{escape(words.find)}" autocomplete="off"><button>{escape(words.search)}</button></form>'
        f'<details class="filters"><summary>{escape(words.filters)} <span class="count"></span></summary><div>{filters}'
        f'<label>{escape(words.dated)}<select name="dated">{dated}</select></label>'
        f'<label>{escape(words.since)}<input type="date" name="since"></label>'
        f'<label>{escape(words.until)}<input type="date" name="until"></label>'
        f'<button class="clear">{escape(words.clear)}</button></div></details>'
        f"{_found(found, query, language)}"
        f'<p class="shown hint" role="status" data-form="{escape(words.shown)}"></p>'
        f'<ul class="topics">{rows}</ul><p class="hint none" hidden>{escape(words.none)}</p><p class="hint">{rest}</p>'
    )


def _select(name: str, label: str, values: Mapping[str, str], words: ExploreStrings) -> str:
    """A filter; the page's script writes the counts behind the names."""
    options = "".join(f'<option value="{escape(value)}">{escape(shown)}</option>' for value, shown in values.items())
    every = f'<option value="">{escape(words.everything)}</option>'
    return f'<label>{escape(label)}<select name="{name}">{every}{options}</select></label>'


def _row(entry: Entry, language: Language) -> str:
    document, other = entry.document, entry.counterpart
    data = _data(entry, [d.language for d in (document, other) if d])
    also = ""
    if other:
        name = STRINGS[language].languages.get(other.language, other.language)
        label = EXPLORE_STRINGS[language].other_language.format(language=name)
        also = (
            f'<button class="other" lang="{escape(language)}" title="{escape(label)}" aria-label="{escape(f"{document.title}: {label}")}" '
            f'data-pick="{_document_pick(other)}">{escape(name)}</button>'
        )
    place = place_name(entry.place, language)
    meta = "".join(f"<span>{escape(part)}</span>" for part in (place, as_of_label(document, language)) if part)
    return (
        f'<li {data}><button data-pick="{_document_pick(document)}"><span class="title" lang="{escape(document.language)}">'
        f'{escape(document.title)}</span><span class="meta">{kind(document, language)}{meta}</span></button>{also}</li>'
    )


def _data(entry: Entry, languages: Sequence[str]) -> str:
    """What the script filters by, as attributes."""
    document = entry.document
    values = {
        "place": entry.place,
        "kind": document.kind,
        "tongue": " ".join(languages),
        "status": entry.status,
        "published": document.published,
        "asof": document.as_of,
    }
    return " ".join(f'data-{name}="{escape(value)}"' for name, value in values.items())


def _found(found: Sequence[Passage], query: str, language: Language) -> str:
    if not query:
        return ""
    rows = "".join(
        f'<li><button data-pick="{passage_pick(passage)}"><span class="title" lang="{escape(passage.document.language)}">'
        f'{escape(heading(passage.document, passage.chunk.headings))}</span><span class="snippet" lang="{escape(passage.chunk.language)}">'
        f"{escape(_shortened(plain(passage.chunk.text)))}</span></button></li>"
        for passage in found
    )
    label = EXPLORE_STRINGS[language].found.format(query=query)
    return f'<section class="found"><h3>{escape(label)}</h3><ol>{rows}</ol></section>'


# --- the timeline -------------------------------------------------------------------------------------------------


def timeline(events: "Sequence[Event]", newest: str, language: Language) -> str:
    """The events by year, with what was still to come on `newest`, the date as of which the newest text speaks."""
    words = EXPLORE_STRINGS[language]
    named = counts(_country(event.jurisdiction) for event in events)
    years = list(dict.fromkeys(event.when[:4] for event in events))
    jumps = "".join(f'<button data-jump="year-{year}">{year}</button>' for year in years)
    body = ""
    ahead = False
    for year, of_year in groupby(events, key=lambda event: event.when[:4]):
        rows = ""
        for event in of_year:
            if newest and not ahead and event.when > newest:
                ahead = True
                rows += f'<li class="ahead">{escape(words.ahead.format(date=newest))}</li>'
            rows += _event(event, language)
        body += f'<section><h3 id="year-{year}">{year}</h3><ol>{rows}</ol></section>'
    return (
        f'<form class="narrow">{_select("place", words.place, {p: place_name(p, language) for p in named}, words)}</form>'
        f'<nav class="years" aria-label="{escape(words.year)}">{jumps}</nav>'
        f'<p class="shown hint" role="status" data-form="{escape(words.events)}"></p><div class="timeline">{body}</div>'
    )


def _event(event: "Event", language: Language) -> str:
    also = ""
    if event.also:
        rows = "".join(f"<li>{_event_button(other)}</li>" for other in event.also)
        label = EXPLORE_STRINGS[language].also.format(count=len(event.also))
        also = f"<details><summary>{escape(label)}</summary><ul>{rows}</ul></details>"
    place = _country(event.jurisdiction)
    return (
        f'<li class="event" data-place="{escape(place)}"><p class="meta"><time datetime="{event.when}">{_day(event.when, language)}</time>'
        f"<span>{escape(place_name(place, language))}</span></p>{_event_button(event)}{also}</li>"
    )


def _event_button(event: "Event") -> str:
    """The sentence with its date in bold, which opens it where it stands, and whose it is."""
    text, document = event.document.text, event.document
    before, date, after = (
        escape(" ".join(text[left:right].split("\n")))
        for left, right in ((event.start, event.date_start), (event.date_start, event.date_end), (event.date_end, event.end))
    )
    return (
        f'<button data-pick="{_span_pick(document, event.start, event.end)}" lang="{escape(document.language)}">'
        f"<span>{before}<b>{date}</b>{after}</span><small>{escape(document.title)}</small></button>"
    )


def _day(when: str, language: Language) -> str:
    """The date within its year, as the language writes it."""
    _, month, *day = (int(part) for part in when.split("-"))
    if language == "ko":
        return f"{month}월" + "".join(f" {number}일" for number in day)
    return "".join(f"{number} " for number in day) + MONTHS[month - 1]


# --- the map ------------------------------------------------------------------------------------------------------


def corpus_map(points: "Sequence[Point]", retrieved: Sequence[Passage], language: Language) -> str:
    """The map: a point for each chunk in the reader's language, or without a counterpart in it; retrieved ones ringed and listed.

    Of a text and its counterpart the points lie on each other: one is enough. Every point has a shape as well as a colour,
    by jurisdiction and by kind, between which the script switches.
    """
    words = EXPLORE_STRINGS[language]
    ranks = {passage.chunk.id: passage.rank for passage in retrieved}
    languages = {point.document.id: point.document.language for point in points}
    shown = [
        point
        for point in points
        if point.document.language == language or languages.get(point.document.pair) != language or point.chunk.id in ranks
    ]
    groups = {
        "place": _groups(_country(point.document.jurisdiction) for point in points),
        "kind": _groups(point.document.kind for point in points),
    }
    drawn = "".join(
        _point(point, groups, ranks.get(point.chunk.id, 0)) for point in sorted(shown, key=lambda p: p.chunk.id in ranks)
    )
    shapes = "".join(f'<symbol id="mark-{name}" overflow="visible">{shape}</symbol>' for name, shape in SHAPES.items())
    names = {
        "place": {value: place_name(value, language) for value in groups["place"]},
        "kind": {value: KINDS[language].get(value, value) for value in groups["kind"]},
    }
    legends = "".join(_legend(by, groups[by], names[by], words) for by in groups)
    switch = "".join(
        f'<button data-by="{by}" aria-pressed="{"true" if by == "place" else "false"}">{escape(label)}</button>'
        for by, label in (("place", words.place), ("kind", words.kind))
    )
    label = escape(words.points.format(count=len(shown)))
    return (
        f'<p class="hint" id="map-hint">{escape(words.map_hint)}</p>'
        f'<div class="switch" role="group" aria-label="{escape(words.colour)}"><span>{escape(words.colour)}</span>{switch}</div>'
        f'<div class="map" data-by="place"><svg viewBox="-20 -20 1040 1040" role="group" aria-label="{label}" aria-describedby="map-hint">'
        f'<defs>{shapes}</defs>{drawn}</svg><p class="named" aria-hidden="true">&nbsp;</p></div>{legends}{_retrieved(retrieved, words)}'
    )


def _groups(values: Iterable[str]) -> dict[str, str]:
    """The shape of each value, the most frequent first; all beyond the shapes share the last."""
    names = counts(values)
    return {name: MARKS[min(number, len(MARKS) - 1)] for number, name in enumerate(names)}


def _point(point: "Point", groups: Mapping[str, Mapping[str, str]], rank: int) -> str:
    document = point.document
    place, sort = _country(document.jurisdiction), document.kind
    marks = {by: groups[by].get(value, MARKS[-1]) for by, value in (("place", place), ("kind", sort))}
    x, y = round(1000 * point.x), round(1000 * point.y)
    name = heading(document, point.chunk.headings)
    ring = f'<circle class="found" cx="{x}" cy="{y}" r="19"/>' if rank else ""
    pick = _span_pick(document, point.chunk.start, point.chunk.end)
    return (
        f'{ring}<use href="#mark-{marks["place"]}" x="{x}" y="{y}" role="button" tabindex="-1" aria-label="{escape(f"{rank}. " if rank else "")}'
        f'{escape(name)}" data-place="{marks["place"]}" data-kind="{marks["kind"]}" data-pick="{pick}"/>'
    )


def _legend(by: str, groups: Mapping[str, str], names: Mapping[str, str], words: ExploreStrings) -> str:
    rows = ""
    for mark, of_mark in groupby(groups, key=lambda value: groups[value]):
        values = list(of_mark)
        label = names[values[0]] if len(values) == 1 else f"{words.others}: {', '.join(names[value] for value in values)}"
        rows += (
            f'<li><button aria-pressed="false" data-mark="{mark}"><svg viewBox="-12 -12 24 24" aria-hidden="true">'
            f'<use href="#mark-{mark}" data-place="{mark}"/></svg>{escape(label)}</button></li>'
        )
    return f'<ul class="legend" data-by="{by}">{rows}</ul>'


def _retrieved(retrieved: Sequence[Passage], words: ExploreStrings) -> str:
    rows = "".join(
        f'<li><button data-pick="{passage_pick(passage)}" lang="{escape(passage.document.language)}">'
        f"{escape(heading(passage.document, passage.chunk.headings))}</button></li>"
        for passage in retrieved
    )
    return f'<section class="found"><h3>{escape(words.retrieved)}</h3><ol>{rows}</ol></section>' if rows else ""


# --- the comparison -----------------------------------------------------------------------------------------------


def comparison(cells: "Sequence[Cell]", offered: Sequence[str], aspect: str, documents: Documents, language: Language) -> str:
    """The places and aspects to choose from, and the table of what was chosen."""
    from rag.explore.compare import ASPECTS

    words = EXPLORE_STRINGS[language]
    chosen = {cell.place for cell in cells}
    boxes = "".join(
        f'<label><input type="checkbox" name="place" value="{escape(place)}"{" checked" if place in chosen else ""}>'
        f"{escape(place_name(place, language))}</label>"
        for place in offered
    )
    options = "".join(
        f'<option value="{key}"{" selected" if key == aspect else ""}>{escape(value.name[language])}</option>'
        for key, value in ASPECTS.items()
    )
    rows = "".join(
        f'<tr role="row"><th scope="row" role="rowheader">{escape(place_name(cell.place, language))}</th>{_cell(cell.quote, documents, language)}</tr>'
        for cell in cells
    )
    caption = words.caption.format(aspect=ASPECTS[aspect].name[language])
    return (
        f'<form class="compared" data-most="{MOST_PLACES}"><label>{escape(words.aspect)}<select name="aspect">{options}</select></label>'
        f"<fieldset><legend>{escape(words.places)}</legend>{boxes}</fieldset></form>"
        f'<table class="comparison" role="table"><caption>{escape(caption)}</caption><thead><tr role="row"><th scope="col" role="columnheader">{escape(words.place)}</th>'
        f'<th scope="col" role="columnheader">{escape(words.quote)}</th></tr></thead><tbody>{rows}</tbody></table>'
        f'<p class="hint">{escape(words.compare_hint)}</p>'
    )


def _cell(quote: Citation | None, documents: Documents, language: Language) -> str:
    if quote is None:
        return f'<td class="none" role="cell">{escape(EXPLORE_STRINGS[language].no_source)}</td>'
    document = documents[quote.document_id]
    lines = "<br>".join(escape(line) for line in f"“{quote.quote}”".split("\n") if line.strip())
    meta = " · ".join(escape(part) for part in (kind_label(document, language), as_of_label(document, language)) if part)
    return (
        f'<td role="cell"><blockquote lang="{escape(quote.language)}">{lines}</blockquote>'
        f'<button data-pick="{_span_pick(document, quote.start, quote.end)}"><span lang="{escape(document.language)}">'
        f"{escape(document.title)}</span></button><small>{meta}</small></td>"
    )


# --- what they share ----------------------------------------------------------------------------------------------


def place_name(place: str, language: Language) -> str:
    """What a jurisdiction is called on a label; its code where no name is known."""
    from rag.answer.coverage import PLACES

    if place in ("", "INT"):
        return EXPLORE_STRINGS[language].several
    return PLACES[language].get(place, place).removeprefix("the ")


def heading(document: Document, headings: Sequence[str]) -> str:
    """The title and the headings below it, in one line."""
    return " › ".join(dict.fromkeys((document.title, *map(plain, headings))))


def evidence_pick(answers: Sequence[Answer]) -> str:
    """The pick that leads back to the evidence of the last answer; empty if there is none."""
    if not answers:
        return ""
    target = "c1" if answers[-1].citations else "p1"
    return json.dumps([len(answers) - 1, target, "quote"])


def passage_pick(passage: Passage) -> str:
    """The pick of a passage where it stands."""
    return _span_pick(passage.document, passage.chunk.start, passage.chunk.end)


def _span_pick(document: Document, start: int, end: int) -> str:
    link = "?" + urlencode({"doc": document.id, "span": f"{start}-{end}"})
    return escape(json.dumps([0, link, "quote"]))


def _document_pick(document: Document) -> str:
    return escape(json.dumps([0, f"d{document.id}", "document"]))


def _wanted(**values: str) -> str:
    return escape(json.dumps(values))


def _country(jurisdiction: str) -> str:
    """A state's country; one name for what is of no one jurisdiction."""
    return jurisdiction.split("-")[0] or "INT"


def _shortened(text: str) -> str:
    return text if len(text) <= SNIPPET else f"{text[:SNIPPET].rstrip()} …"
