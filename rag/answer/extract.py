"""An answer without a model: the sentences that answer, word for word, grouped by who says them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from rag.answer import cues
from rag.answer.frame import LANGUAGE_NAMES, header
from rag.answer.lists import leads_in, list_around
from rag.index import Index, Vectors, embedded_text
from rag.places import is_about, located, names_any, places
from rag.provisions import provisions
from rag.retrieve import Query, Scored, share_held, weighed_words
from rag.types import Citation, Document, Language

PASSAGES = 10  # read for sentences
MAX_QUOTES = 4  # sentences; with the lead-ins of list items up to
MAX_SHOWN = 6
EACH_PART = 2  # sentences for each part of a question that asks several things
# Fitted on the development questions; the first, of one standard deviation of a sentence's cosine, chosen by reading answers too.
NEARNESS_WEIGHT, COVERAGE_WEIGHT, PASSAGE_WEIGHT, CUE_WEIGHT, HEADING_CUE_WEIGHT = 0.6, 1.6, 0.8, 0.85, 0.25
ELSEWHERE, ITEM_WEIGHT = 0.65, 0.25
# Chosen by reading answers: a fit to single facts sees no use in the head of a list or in a section's first sentence, nor harm
# in what an article does not say, or in a list's line on another country ("India: ...").
LEAD_IN_WEIGHT, HEADING_DENIES, OPENING_WEIGHT, OF_ANOTHER, PROVISION_WEIGHT, NAME_WEIGHT = 0.9, 0.8, 0.3, 1.3, 0.6, 4.0
OF_PLACE = 0.5  # for a text of the country asked about, before those that compare countries
LIST_DENIES = 0.8  # asked which, a sentence on what not is none; asked otherwise, it may correct a false premise
BEGINNING = 10  # characters
SHOWN = 1.0
MARGIN = 1.5  # a sentence this far behind the best does not answer
SAME = 0.985  # cosine from which two documents say the same; sentences of one are as near, and say different things
MAX_LIST = 1600  # characters of a list that is quoted whole; of a longer one so many items
ITEMS_OF_LONG = 2


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A sentence that may answer. `start` and `end` are its span in `document.text`."""

    document: Document
    chunk_id: str
    start: int
    end: int
    vector: Vectors
    cosine: float  # of its vector to the question's
    nearness: float  # the same, in standard deviations above all sentences of its pool
    score: float
    denies: bool = False  # what the question does not deny


def candidates(index: Index, query: Query, scored: Sequence[Scored], shown: str = "") -> list[Candidate]:
    """The sentences of the first passages, best first.

    Where the question names a country, a text of another country is no answer, but for its sentences that name it. What was
    `shown` before a follow-up is hardly what it asks for.
    """
    asked = places(query.text)
    told = (
        entry
        for entry in scored
        if not asked or is_about(index.documents[entry.chunk.document_id], embedded_text(entry.chunk), asked)
    )
    readable = list(islice(told, PASSAGES))
    if not readable:
        return []
    best_passage = readable[0].score
    named_provisions = [one for one in query.provisions if not any(other.startswith(f"{one}:") for other in query.provisions)]
    defined = _defined(query)
    lists = cues.asks_for_a_list(query.asked)
    words = {pool: weighed_words(pool, query) for pool in dict.fromkeys(entry.pool for entry in readable)}
    found: list[Candidate] = []
    for entry in readable:
        document = index.documents[entry.chunk.document_id]
        spans, vectors = entry.pool.sentences(entry.row)
        telling = query.telling_towards(entry.pool.language)
        mean, deviation = entry.pool.standardise(telling, "sentences")
        heading = entry.chunk.headings[-1] if entry.chunk.headings else ""
        about = not asked or is_about(document, "", asked)
        of_place = bool(document.jurisdiction) and names_any(asked, {document.jurisdiction})
        opens = document.text[: entry.chunk.start].rstrip().rpartition("\n")[2].startswith("#")
        for (start, end), vector, held in zip(spans, vectors, entry.pool.sentence_tokens(entry.row), strict=True):
            text = document.text[start:end]
            named = located(text) if asked else []
            tells = names_any(asked, {code for _, code in named})
            if not (about or tells):
                continue
            elsewhere = bool(named) and not tells
            of_another = elsewhere and named[0][0] < BEGINNING
            covered = share_held(words[entry.pool], held)
            cosine = float(vector @ telling)
            nearness = (cosine - mean) / deviation
            score = (
                NEARNESS_WEIGHT * nearness
                + COVERAGE_WEIGHT * covered
                + NAME_WEIGHT * bool(defined.search(text))
                + PASSAGE_WEIGHT * (entry.score - best_passage)
                + PROVISION_WEIGHT * _names(text, named_provisions)
                + OPENING_WEIGHT * (opens and start == entry.chunk.start)
                + CUE_WEIGHT * cues.given(query.asked, text)
                + HEADING_CUE_WEIGHT * cues.asked_too(query.asked, heading)
                - HEADING_DENIES * cues.denied(query.asked, heading)
                - LIST_DENIES * (lists and cues.denied(query.asked, text))
                - ELSEWHERE * elsewhere
                - OF_ANOTHER * of_another
                + OF_PLACE * of_place
                - SHOWN * (text in shown)
                + ITEM_WEIGHT * document.text.startswith(("- ", "* "), max(start - 2, 0))
                + LEAD_IN_WEIGHT * (lists and leads_in(text))
            )
            found.append(
                Candidate(
                    document=document,
                    chunk_id=entry.chunk.id,
                    start=start,
                    end=end,
                    vector=vector,
                    cosine=cosine,
                    nearness=nearness,
                    score=score,
                    denies=cues.denied(query.asked, text),
                )
            )
    return sorted(found, key=lambda candidate: -candidate.score)


def _defined(query: Query) -> re.Pattern[str]:
    """The names of the one term that the question asks about, if it asks no more than what that is; else nothing matches.

    "What is the AI Office?" asks what is said of it by name, whatever else is like the words of the name.
    """
    if len(query.terms) != 1 or cues.asks_for(query.asked) or any(token not in query.terms[0].tokens for token, _ in query.words):
        return re.compile(r"(?!)")
    names = map(re.escape, query.terms[0].names)
    return re.compile(rf"(?<![a-z])(?:{'|'.join(names)})(?:e?s)?(?![a-z])", re.IGNORECASE)


def _names(text: str, addresses: Sequence[str]) -> float:
    """The share of the provisions that the text itself names: its heading may name all of its section's."""
    named = provisions(text) if addresses else []
    return sum(address in named for address in addresses) / len(addresses) if addresses else 0.0


def choose(found: Sequence[Candidate], *of_parts: Sequence[Candidate]) -> list[Candidate]:
    """The sentences to quote, best first: near the best in score, and no two that say the same.

    Where the best leads in a list, that is the answer, and what is not on the list is none.
    Where the question has parts, the best of the whole and of each part come first.
    """
    listed = bool(found) and _leads_in(found[0])
    firsts = [sentences[:1] for sentences in (found, *of_parts)] if of_parts else []
    chosen: list[Candidate] = []
    for sentences in (*firsts, *(part[:EACH_PART] for part in of_parts), found[:MAX_QUOTES]):
        for candidate in sentences:
            said = any(_say_the_same(candidate, other) for other in chosen)
            off_list = listed and candidate.denies and candidate is not found[0]
            if candidate.score >= sentences[0].score - MARGIN and not said and not off_list:
                chosen.append(candidate)
    return _whole_lists(chosen, found)[:MAX_SHOWN]


def _say_the_same(one: Candidate, other: Candidate) -> bool:
    if one.document is other.document:
        return one.start == other.start
    return float(one.vector @ other.vector) >= SAME


def _leads_in(candidate: Candidate) -> bool:
    block = list_around(candidate.document.text, candidate.start, candidate.end)
    return block is not None and candidate.start < block[1]


def compose(chosen: Sequence[Candidate], language: Language) -> tuple[list[str], list[Citation]]:
    """Blocks of the answer's text, one a document, and their citations; markers count from 1 in reading order."""
    blocks: list[str] = []
    citations: list[Citation] = []
    for document in dict.fromkeys(candidate.document.id for candidate in chosen):
        group = [candidate for candidate in chosen if candidate.document.id == document]
        lines = [header(group[0].document, language)]
        for candidate in group:
            citation = cite(candidate.document, candidate.chunk_id, candidate.start, candidate.end, len(citations) + 1)
            citations.append(citation)
            lines.append(quote_line(citation, language))
        blocks.append("\n".join(lines))
    return blocks, citations


def cite(document: Document, chunk_id: str, start: int, end: int, marker: int) -> Citation:
    """The citation of a span of a document."""
    return Citation(
        marker=marker,
        document_id=document.id,
        chunk_id=chunk_id,
        title=document.title,
        url=document.url,
        language=document.language,
        kind=document.kind,
        issuer=document.issuer,
        status=document.status,
        as_of=document.as_of,
        quote=document.text[start:end],
        start=start,
        end=end,
    )


def quote_line(citation: Citation, language: Language) -> str:
    """`> “quote” [n]`, with the quote's language where it is not the asker's; a list keeps its lines."""
    tag = "" if citation.language == language else f" ({LANGUAGE_NAMES[language].get(citation.language, citation.language)})"
    lines = re.sub(r"\n{2,}", "\n", citation.quote).split("\n")
    return "\n> ".join(f"> “{line}" if number == 0 else line for number, line in enumerate(lines)) + f"” [{citation.marker}]{tag}"


def _whole_lists(chosen: Sequence[Candidate], found: Sequence[Candidate]) -> list[Candidate]:
    """A lead-in is quoted with its items, of a long list with the best; an item is preceded by its lead-in; many items of a
    list become the list."""
    result: list[Candidate] = []
    for candidate in chosen:
        text = candidate.document.text
        if any(other.document is candidate.document and other.start <= candidate.start < other.end for other in result):
            continue  # inside a list that is quoted already
        block = list_around(text, candidate.start, candidate.end)
        if block is None:
            result.append(candidate)
            continue
        lead_start, lead_end, list_end = block
        siblings = sum(other.document is candidate.document and lead_end <= other.start < list_end for other in chosen)
        if (candidate.start < lead_end or siblings > 1) and list_end - lead_start <= MAX_LIST:
            whole = replace(candidate, start=lead_start, end=list_end)
            result = [
                other for other in result if not (other.document is candidate.document and lead_start <= other.start < list_end)
            ]
            result.append(whole)
        elif candidate.start >= lead_end:
            if not any(other.document is candidate.document and other.start == lead_start for other in result):
                result.append(replace(candidate, start=lead_start, end=lead_end))
            result.append(candidate)
        else:
            items = (other for other in found if other.document is candidate.document and lead_end <= other.start < list_end)
            result += [candidate, *sorted(islice(items, ITEMS_OF_LONG), key=lambda item: item.start)]
    return result
