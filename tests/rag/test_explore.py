"""The corpus's views: what is drawn from the real texts, and that it is shown as text."""

import math
import re
import threading
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError

from rag.explore import catalogue, compare, timeline
from rag.explore.map import Point, _plane, _points, corpus_map
from rag.pipeline import Pipeline
from rag.retrieve import make_query, rank
from rag.types import Document, Language
from rag.ui import explore, handlers
from rag.ui.explore_strings import EXPLORE_STRINGS, ExploreStrings
from tests.rag.test_ui import DOCUMENT, HOSTILE, Reader

BOTH: tuple[Language, ...] = ("ko", "en")


def topic(document: Document) -> str:
    return min(document.id, document.pair)


# --- the timeline -------------------------------------------------------------------------------------------------


def told(text: str, language: str = "en", **known: str) -> list[str]:
    document = Document(id="a", title="A", text=f"# A\n\n{text}", language=language, **known)  # type: ignore[arg-type]
    return [event.when for event in timeline.events({"a": document}, "en")]


@pytest.mark.parametrize(
    ("text", "language", "when"),
    [
        ("The Act was adopted on 21 May 2024 and has applied since 2 August 2026.", "en", ["2024-05-21", "2026-08-02"]),
        ("The Senate passed the bill on May 21, 2024.", "en", ["2024-05-21"]),
        ("The summit was held on 6 and 7 July 2026 in Geneva.", "en", ["2026-07-06"]),
        ("The institute was renamed in December 2025.", "en", ["2025-12"]),
        ("The court held on 23 June 2025 that training was fair use, but that keeping copies was not.", "en", ["2025-06-23"]),
        ("Providers must comply by 2 August 2027.", "en", ["2027-08-02"]),
        ("법은 2025년 1월 21일 공포되어 2026년 1월 22일부터 시행되고 있습니다.", "ko", ["2025-01-21", "2026-01-22"]),
        ("제공자는 2027년 8월 2일까지 의무를 지켜야 합니다.", "ko", ["2027-08-02"]),
        ("법원은 2025년 6월 23일, 학습은 공정이용이지만 보관은 아니라며 기각했습니다.", "ko", ["2025-06-23"]),
        # A date on which nothing happens.
        ("As of 24 September 2026 the Act is in force.", "en", []),
        ("The bill was signed and stood so on 24 September 2026.", "en", []),
        ("The declaration of 21 May 2024 was adopted by governments.", "en", []),
        ("Products sold before 2 August 2026 must be marked.", "en", []),
        ("The Act was first due to take effect on 1 February 2026.", "en", []),
        ("Some posts claim that the treaty entered into force on 1 November 2025.", "en", []),
        ("The bill had not been introduced on 12 September 2026.", "en", []),
        ("The sky was blue on 1 May 2024.", "en", []),
        ("The Act was adopted on 31 February 2024.", "en", []),
        ("The count was 868 by 30 April 2026.", "en", []),
        ("When was it adopted on 1 May 2024?", "en", []),
        ("2026년 9월 24일 현재 시행 중입니다.", "ko", []),
        ("2024년 5월 21일의 선언은 정부들이 채택했습니다.", "ko", []),
        ("법은 처음에 2026년 2월 1일 시행될 예정이었습니다.", "ko", []),
        ("협약은 2025년 11월 1일 발효되지 않았습니다.", "ko", []),
    ],
)
def test_a_date_counts_where_something_happens_on_it(text: str, language: str, when: list[str]) -> None:
    assert told(text, language, as_of="2026-09-24") == when


def test_both_languages_must_tell_a_date() -> None:
    english = Document(
        id="a-en", title="A", text="The Act was adopted on 1 May 2024. It was signed on 2 May 2024.", language="en", pair="a-ko"
    )
    korean = Document(id="a-ko", title="가", text="법은 2024년 5월 1일 채택되었습니다.", language="ko", pair="a-en")
    found = timeline.events({"a-en": english, "a-ko": korean}, "ko")
    assert [(event.when, event.document.id) for event in found] == [("2024-05-01", "a-ko")]


@pytest.mark.parametrize("language", BOTH)
def test_the_events_of_the_corpus(language: Language, pipeline: Pipeline) -> None:
    events = timeline.timeline(pipeline.index, language)
    assert len(events) > 180
    assert all(early.when <= late.when for early, late in pairwise(events))
    every = [event for lead in events for event in (lead, *lead.also)]
    assert len({(topic(event.document), event.when) for event in every}) == len(every), "one event a topic and date"
    for event in every:
        assert event.document.language == language and event.when != event.document.as_of
        assert event.quote == event.document.text[event.start : event.end] and not event.quote.startswith(("#", "-"))
        year, month, *day = map(int, event.when.split("-"))
        shown = event.document.text[event.date_start : event.date_end]
        assert str(year) in shown and (not day or str(day[0]) in re.findall(r"\d+", shown)), (event.when, shown)
        assert language == "en" or f"{month}월" in shown


def test_the_languages_tell_the_same_dates(pipeline: Pipeline) -> None:
    of = {
        language: {
            (topic(event.document), event.when)
            for lead in timeline.timeline(pipeline.index, language)
            for event in (lead, *lead.also)
        }
        for language in BOTH
    }
    assert of["ko"] == of["en"]


@pytest.mark.parametrize(
    ("when", "place", "told"),
    [
        ("2024-08-01", "EU", True),
        ("2026-01-22", "KR", True),
        ("2025-01-20", "US", True),  # EO 14110 revoked
        ("2023-11-01", "INT", True),  # Bletchley
        ("2027-12-02", "EU", True),  # still to come
        ("2026-02-01", "US-CO", False),  # was to take effect, and never did
        ("2025-11-01", "INT", False),  # the convention entered into force: a false claim that the text refutes
        ("2026-09-24", "CN", False),  # the text's own date
    ],
)
def test_known_events(when: str, place: str, told: bool, pipeline: Pipeline) -> None:
    assert ((when, place) in {(event.when, event.jurisdiction) for event in timeline.timeline(pipeline.index, "en")}) == told


# --- the comparison -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", BOTH)
def test_a_cell_quotes_its_own_jurisdiction_or_nothing(language: Language, pipeline: Pipeline) -> None:
    offered = compare.compared(pipeline.index.documents)
    assert set(offered) == {"US", "EU", "KR", "CN", "JP", "SG", "UK", "IN"}
    for aspect in ("fines", "prohibited"):
        for cell in compare.compare(pipeline.index, pipeline.embedder, language, offered, aspect):
            if cell.quote:
                document = pipeline.index.documents[cell.quote.document_id]
                assert document.text[cell.quote.start : cell.quote.end] == cell.quote.quote
                assert document.id in compare.own_documents(pipeline.index.documents, cell.place)
                assert document.language == language and compare.ASPECTS[aspect].says[language].search(cell.quote.quote)


@pytest.mark.parametrize(
    ("language", "place", "aspect", "said"),
    [
        ("en", "EU", "fines", "EUR 35 million"),
        ("ko", "KR", "fines", "3천만 원"),
        ("en", "JP", "fines", "no fine"),
        ("ko", "SG", "thresholds", "없습니다"),
        ("en", "KR", "prohibited", "bans no AI use"),
        ("en", "KR", "transparency", "Article 31"),
        ("ko", "CN", "transparency", "두 가지 표시"),
        ("en", "UK", "regulator", "Information Commissioner"),
        ("en", "US", "who", "frontier developer must"),
        ("ko", "US", "who", "프런티어 개발자는"),
        ("en", "JP", "thresholds", "which Japan's Act lacks"),  # told from another place's side
        ("ko", "JP", "thresholds", "없습니다"),
        ("en", "JP", "transparency", "no duty"),
        ("ko", "KR", "dates", "2026년 1월 22일부터"),  # the act's, not an amendment's
        ("en", "IN", "fines", None),
        ("ko", "SG", "prohibited", None),
        ("ko", "UK", "high-risk", None),
        ("en", "XX", "dates", None),  # a place without texts
    ],
)
def test_known_cells(language: Language, place: str, aspect: str, said: str | None, pipeline: Pipeline) -> None:
    (cell,) = compare.compare(pipeline.index, pipeline.embedder, language, [place], aspect)
    assert cell.quote is None if said is None else cell.quote is not None and said in cell.quote.quote


def test_a_ranking_among_documents_knows_no_others(pipeline: Pipeline) -> None:
    query = make_query("How high are the fines?", pipeline.embedder)
    scored = rank(pipeline.index, query, among={"japan-ai-promotion-act-en"})
    chunks = [chunk for chunk in pipeline.index.pools["en"].chunks if chunk.document_id == "japan-ai-promotion-act-en"]
    assert {entry.chunk.id for entry in scored} == {chunk.id for chunk in chunks}
    assert rank(pipeline.index, query, among=set()) == []


# --- the map and the catalogue ------------------------------------------------------------------------------------


def test_counterparts_lie_together_on_the_map(pipeline: Pipeline) -> None:
    points = corpus_map(pipeline.index)
    assert [point.chunk.id for point in points] == [chunk.id for chunk in pipeline.index.chunks]
    assert all(0 <= point.x <= 1 and 0 <= point.y <= 1 for point in points)
    of: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        of.setdefault(point.document.id, []).append((point.x, point.y))
    apart = [min(math.dist((point.x, point.y), other) for other in of[point.document.pair]) for point in points]
    strangers = [min(math.dist((point.x, point.y), other) for other in of["musk-v-openai-en"]) for point in points]
    assert float(np.median(apart)) < 0.02 < 10 * 0.02 < float(np.median(strangers))


def test_the_map_is_drawn_before_it_is_asked_for(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "QUIET", 0)
    opening = handlers.Opening(lambda progress: pipeline)
    opening.start()
    ahead = threading.Thread(target=handlers.draw_ahead, args=(opening,))  # its low priority stays with the thread
    ahead.start()
    ahead.join(120)
    drawn = _points.cache_info()
    corpus_map(pipeline.index)
    assert not ahead.is_alive() and _points.cache_info().hits == drawn.hits + 1


@pytest.mark.parametrize("count", [1, 2, 3, 11, 12, 30])
def test_a_small_corpus_has_a_map_too(count: int) -> None:
    vectors = np.random.default_rng(0).normal(size=(count, 8)).astype(np.float32)
    plane = _plane(vectors)
    assert plane.shape == (count, 2) and np.isfinite(plane).all() and plane.min() >= 0 and plane.max() <= 1


def test_a_topic_is_one_entry_with_one_status_in_both_languages(pipeline: Pipeline) -> None:
    of = {language: catalogue.catalogue(pipeline.index.documents, language) for language in BOTH}
    assert len(of["ko"]) == len(of["en"]) == len(pipeline.index.documents) / 2
    statuses = {language: {topic(entry.document): entry.status for entry in entries} for language, entries in of.items()}
    assert statuses["ko"] == statuses["en"]
    assert set(statuses["en"].values()) == {*catalogue.STATUSES, "other"}


@pytest.mark.parametrize(
    ("status", "as_of", "name"),
    [
        ("in force since 22 January 2026; fines on hold", "2026-09-24", "in force"),
        ("2026년 1월 22일 시행, 계도기간 중", "2026-09-24", "in force"),
        ("2025년 12월 19일 서명, 2027년 1월 1일 시행", "2026-09-24", "not in force"),
        ("not in force on 24 September 2026", "2026-09-24", "not in force"),
        ("voluntary; in use since 2025", "", "not binding"),
        ("2025년 1월 20일 행정명령으로 폐지", "", "ended"),
        ("", "", "other"),
    ],
)
def test_what_a_status_says(status: str, as_of: str, name: str) -> None:
    assert catalogue.status_of(replace(DOCUMENT, status=status, as_of=as_of)) == name


def test_a_search_finds_passages(pipeline: Pipeline) -> None:
    found = catalogue.search(pipeline.index, pipeline.embedder, "워터마크")
    assert len(found) == catalogue.FOUND and [passage.rank for passage in found] == list(range(1, catalogue.FOUND + 1))
    assert "워터마크" in found[0].chunk.text


# --- HTML ---------------------------------------------------------------------------------------------------------


def hostile() -> Mapping[str, Document]:
    text = f"# {HOSTILE}\n\n{HOSTILE} was adopted on 1 May 2024."
    document = replace(
        DOCUMENT, id='"><b>', title=HOSTILE, text=text, kind=HOSTILE, jurisdiction=HOSTILE, status=HOSTILE, pair=""
    )
    return {document.id: document}


@pytest.mark.parametrize("language", BOTH)
def test_a_hostile_document_is_text_in_every_view(language: Language, pipeline: Pipeline) -> None:
    documents = hostile()
    (document,) = documents.values()
    chunk = replace(pipeline.index.chunks[0], text=document.text, headings=(HOSTILE,), start=0, end=len(document.text))
    passage = replace(catalogue.search(pipeline.index, pipeline.embedder, "a")[0], chunk=chunk, document=document)
    quote = replace(
        pipeline.invoke({"question": "Which practices does Article 5 ban?"}).citations[0], quote=HOSTILE, document_id=document.id
    )
    views = {
        "list": explore.catalogue(catalogue.catalogue(documents, language), [passage], HOSTILE, language),
        "timeline": explore.timeline(timeline.events(documents, language), "2024-01-01", language),
        "map": explore.corpus_map([Point(chunk=chunk, document=document, x=0.5, y=0.5)], [passage], language),
        "compare": explore.comparison([compare.Cell(place=HOSTILE, quote=quote)], [HOSTILE], "fines", documents, language),
    }
    for view, body in views.items():
        found = Reader(explore.page(view, body, language))
        assert "alert(1)" in found.text or view == "map"
        assert not {tag for tag, _ in found.tags} & {"script", "img", "a"}, view
        assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert timeline.events(documents, language), "the event was there to be shown"


def test_what_a_visitor_asks_is_checked() -> None:
    assert explore.Wanted.model_validate_json('{"view": "compare", "places": ["KR", "EU"], "count": 3}').places == ("KR", "EU")
    for wrong in ('{"view": "secrets"}', '{"places": ["A", "B", "C", "D", "E"]}', f'{{"query": "{"a" * 501}"}}', "[]", "", "{"):
        with pytest.raises(ValidationError):
            explore.Wanted.model_validate_json(wrong)


def test_both_languages_fill_the_same_forms() -> None:
    for name in ExploreStrings.__dataclass_fields__:
        korean, english = (getattr(EXPLORE_STRINGS[language], name) for language in BOTH)
        if isinstance(korean, str):
            assert korean and set(re.findall(r"{\w+}", korean)) == set(re.findall(r"{\w+}", english)), name
        else:
            assert korean.keys() == english.keys() and all(korean.values()) and all(english.values()), name
    for aspect in compare.ASPECTS.values():
        assert all(aspect.name[language] and aspect.questions[language] for language in BOTH)
