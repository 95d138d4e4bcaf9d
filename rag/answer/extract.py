"""An answer without a model: the sentences that answer, word for word, grouped by who says them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.answer.frame import LANGUAGE_NAMES, header
from rag.index import Index, Vectors, embedded_text
from rag.lexical import tokens
from rag.places import is_about, names_any, places
from rag.retrieve import Query, Scored
from rag.types import Citation, Document, Language

PASSAGES = 10  # read for sentences
MAX_QUOTES = 4
# Chosen on the development questions (benchmarks/answers.py): a sentence's cosine counts in standard deviations.
COVERAGE_WEIGHT, PASSAGE_WEIGHT, OPENING_WEIGHT = 2.0, 1.0, 0.6
CUE_WEIGHT, HEADING_CUE_WEIGHT, HEADING_DENIES, ELSEWHERE, LEAD_IN_WEIGHT = 1.0, 0.6, 1.2, 1.5, 0.7
MARGIN = 1.6  # a sentence this far behind the best does not answer
SAME = 0.985  # cosine from which two sentences say the same
FILLER = 60  # characters; a shorter sentence rarely says much
MAX_LIST = 1600  # characters of a list that is quoted whole

_CUES: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(asked, re.IGNORECASE), re.compile(said, re.IGNORECASE))
    for asked, said in (
        (
            r"언제|며칠|날짜|시점|기한|부터|\bwhen\b|\bsince\b|\bdate|how long|deadline|몇 년",
            r"\d{4}년|\d+월 \d+일|\d+(?:개월|년)|\b\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November|December)\b|\b(?:19|20)\d\d\b|\bmonths?\b|\byears?\b",
        ),
        (
            r"왜|이유|까닭|때문|\bwhy\b|\breasons?\b|because",
            r"때문|이유|위해|위하여|주장|근거|않도록|\bbecause\b|\breason|\bso that\b|\balleg|\bclaim|\bin order to\b|\bto (?:avoid|prevent)\b",
        ),
        (
            r"얼마|금액|액수|과태료|벌금|과징금|몇 (?:달러|원|유로|퍼센트|프로)|지분|how much|how big|\bfines?\b|penalt|amount|\bshare\b|\bstake\b|percent",
            r"\d[\d,.]*\s?(?:만|억|조|천)?\s?(?:원|달러|유로|퍼센트|%)|(?:US\$|€|EUR|KRW|\$)\s?\d|\d\s?%|million|billion|per cent",
        ),
        (
            r"몇 (?:명|개|가지|건)|how many|number of",
            r"\d|(?:두|세|네|다섯|여섯|일곱|여덟|아홉|열) ?(?:명|개|가지|건)|\b(?:two|three|four|five|six|seven|eight|nine|ten)\b",
        ),
        (r"누가|누구|\bwho\b|\bwhom\b|\bwhose\b", r"[가-힣]{2,4}(?:은|는|이|가)\s|[A-Z][a-z]+ [A-Z][a-z]+"),
        (
            r"결과|결국|어떻게 (?:됐|되었|끝)|끝났|이겼|이김|졌|누가 이|outcome|what happened|\bwon\b|\bwin\b|\bend(?:ed)? up|result",
            r"패소|승소|이겼|이긴|판결|평결|기각|취하|배척|\bwon\b|\blost\b|verdict|judgment|dismiss|dropped|withdr",
        ),
        (r"몇 ?조|어느 조|어떤 조항|which (?:article|section|provision)", r"제\d+조|\bArticle \d+"),
    )
)

_DENIAL = re.compile(r"\b(?:not?|neither|nor|never|without)\b|n't\b|않|없|못|아니|아닙", re.IGNORECASE)
_ASKS_FOR_A_LIST = re.compile(
    r"\bwhich\b|\bwhat (?:are|were|kinds?|counts)\b|\blist\b|어떤|무엇|무슨|뭐|뭘|종류|목록|누가|\bwho\b", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A sentence that may answer. `start` and `end` are its span in `document.text`."""

    document: Document
    chunk_id: str
    start: int
    end: int
    vector: Vectors
    coverage: float  # share of the question's idf that the sentence holds
    score: float


def candidates(index: Index, query: Query, scored: Sequence[Scored], language: Language) -> list[Candidate]:
    """The sentences of the first passages, best first.

    A passage in the other language is left out where the corpus has its counterpart in the asker's: the counterpart
    says the same, and is ranked too. Where the question names a country, a text of another country is no answer.
    """
    asked = places(query.text)
    readable = [
        entry
        for entry in scored
        if not _has_counterpart(index, entry, language)
        and (not asked or is_about(index.documents[entry.chunk.document_id], embedded_text(entry.chunk), asked))
    ][:PASSAGES]
    if not readable:
        return []
    best_passage = readable[0].score
    lists = bool(_ASKS_FOR_A_LIST.search(query.text))
    found: list[Candidate] = []
    for entry in readable:
        document = index.documents[entry.chunk.document_id]
        spans, vectors = entry.pool.sentences(entry.row)
        mean, deviation = entry.pool.standardise(query.vector, of_sentences=True)
        weights = entry.pool.lexical.weights(query.tokens)
        total = sum(weights.values()) or 1.0
        context = set(tokens(entry.chunk.context))
        asks_the_same = _heading_cue(query.text, entry.chunk.headings)
        # "What does Article 5 not ban?" shares every word with the question what it bans. Sentences are not judged so:
        # the one that corrects a false premise denies what was asked.
        denies = bool(entry.chunk.headings and _DENIAL.search(entry.chunk.headings[-1]) and not _DENIAL.search(query.text))
        opens_section = document.text[: entry.chunk.start].rstrip().rpartition("\n")[2].startswith("#")
        for (start, end), vector in zip(spans, vectors, strict=True):
            text = document.text[start:end]
            words = set(tokens(text))
            held = sum(weight for token, weight in weights.items() if token in words)
            told = sum(weight for token, weight in weights.items() if token in context and token not in words)
            z = (float(vector @ query.vector) - mean) / deviation
            score = (
                z
                + COVERAGE_WEIGHT * (held + told) / total
                + PASSAGE_WEIGHT * (entry.score - best_passage)
                + OPENING_WEIGHT * (opens_section and start == entry.chunk.start)
                + CUE_WEIGHT * _cue(query.text, text)
                + HEADING_CUE_WEIGHT * asks_the_same
                - HEADING_DENIES * denies
                - ELSEWHERE * bool(asked and places(text) and not names_any(asked, places(text)))
                + LEAD_IN_WEIGHT * (lists and text.endswith((":", "：")))
                + min(len(text), FILLER) / FILLER
            )
            found.append(
                Candidate(
                    document=document,
                    chunk_id=entry.chunk.id,
                    start=start,
                    end=end,
                    vector=vector,
                    coverage=held / total,
                    score=score,
                )
            )
    return sorted(found, key=lambda candidate: -candidate.score)


def choose(found: Sequence[Candidate]) -> list[Candidate]:
    """The sentences to quote, best first: near the best in score, and no two that say the same."""
    chosen: list[Candidate] = []
    for candidate in found:
        if len(chosen) == MAX_QUOTES or candidate.score < found[0].score - MARGIN:
            break
        if all(float(candidate.vector @ other.vector) < SAME for other in chosen):
            chosen.append(candidate)
    return _whole_lists(chosen)


def compose(chosen: Sequence[Candidate], language: Language) -> tuple[list[str], list[Citation]]:
    """Blocks of the answer's text, one a document, and their citations; markers count from 1 in reading order."""
    blocks: list[str] = []
    citations: list[Citation] = []
    for document in dict.fromkeys(candidate.document.id for candidate in chosen):
        group = [candidate for candidate in chosen if candidate.document.id == document]
        lines = [header(group[0].document, language)]
        for candidate in group:
            citation = cite(candidate, len(citations) + 1)
            citations.append(citation)
            lines.append(quote_line(citation, language))
        blocks.append("\n".join(lines))
    return blocks, citations


def cite(candidate: Candidate, marker: int) -> Citation:
    """The citation of a candidate's span."""
    document = candidate.document
    return Citation(
        marker=marker,
        document_id=document.id,
        chunk_id=candidate.chunk_id,
        title=document.title,
        url=document.url,
        language=document.language,
        kind=document.kind,
        issuer=document.issuer,
        status=document.status,
        as_of=document.as_of,
        quote=document.text[candidate.start : candidate.end],
        start=candidate.start,
        end=candidate.end,
    )


def quote_line(citation: Citation, language: Language) -> str:
    """`> “quote” [n]`, with the quote's language where it is not the asker's; a list keeps its lines."""
    tag = "" if citation.language == language else f" ({LANGUAGE_NAMES[language].get(citation.language, citation.language)})"
    lines = re.sub(r"\n{2,}", "\n", citation.quote).split("\n")
    return "\n> ".join(f"> “{line}" if number == 0 else line for number, line in enumerate(lines)) + f"” [{citation.marker}]{tag}"


def _has_counterpart(index: Index, entry: Scored, language: Language) -> bool:
    if entry.chunk.language == language:
        return False
    counterpart = index.counterpart(index.documents[entry.chunk.document_id])
    return counterpart is not None and counterpart.language == language


def _cue(question: str, sentence: str) -> float:
    """1 if the question asks for a kind of thing (a date, a reason, an amount...) and the sentence holds one; else 0."""
    asked = [said for asks, said in _CUES if asks.search(question)]
    return float(np.mean([bool(said.search(sentence)) for said in asked])) if asked else 0.0


def _heading_cue(question: str, headings: Sequence[str]) -> float:
    """Share of what the question asks for (why, when...) that the section's heading asks too: "왜 머스크는 소송했나"."""
    asked = [asks for asks, _ in _CUES if asks.search(question)]
    return float(np.mean([bool(asks.search(headings[-1])) for asks in asked])) if asked and headings else 0.0


def _whole_lists(chosen: Sequence[Candidate]) -> list[Candidate]:
    """A lead-in is quoted with its items; an item is preceded by its lead-in; many items of a list become the list."""
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
            result.append(candidate)
    return result


_ITEM = re.compile(r"[ ]*(?:[-*+•·ㆍ]|\d{1,2}[.)]|[a-z][.)]|\([a-z0-9]{1,2}\)|[가-하][.)]|[①-⑳])[ ]*\S")


def list_around(text: str, start: int, end: int) -> tuple[int, int, int] | None:
    """(start of the lead-in, its end, end of the list) if the span is a list's lead-in or one of its items."""
    line_start = text.rfind("\n", 0, start) + 1
    if text[start:end].rstrip().endswith((":", "：")):
        lead_start, lead_end = start, end
    elif _ITEM.match(text, line_start):
        above = line_start
        while above > 0:
            previous_start = text.rfind("\n", 0, above - 1) + 1
            line = text[previous_start : above - 1]
            if line.strip() and not _ITEM.match(line):
                break
            above = previous_start
        if above == 0:
            return None
        lead_end = previous_start + len(text[previous_start : above - 1].rstrip())
        line = text[previous_start:lead_end]
        if not line.endswith((":", "：", ".")) or line.startswith("#"):
            return None
        breaks = [match.end() for match in re.finditer(r"[.!?다요]\s+", line)]
        lead_start = previous_start + (breaks[-1] if breaks else 0)
    else:
        return None
    position = lead_end
    list_end = None
    while (newline := text.find("\n", position)) >= 0:
        line_end = text.find("\n", newline + 1)
        line_end = len(text) if line_end < 0 else line_end
        line = text[newline + 1 : line_end]
        if line.strip() and not _ITEM.match(line):
            break
        if line.strip():
            list_end = newline + 1 + len(line.rstrip())
        position = newline + 1
    return (lead_start, lead_end, list_end) if list_end else None
