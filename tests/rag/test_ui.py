"""Rendering: what documents and askers write is shown as text, markers are links only where they are ours."""

import re
import threading
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from typing import Literal

import pytest

from rag.answer.frame import UNVERIFIED, kind_label
from rag.errors import IndexMissingError
from rag.pipeline import Pipeline
from rag.types import Answer, Chunk, Citation, Document, Passage, Unsupported
from rag.ui import evidence, handlers, page, render
from rag.ui.cite import link_to
from rag.ui.strings import ENGLISH, EXAMPLES, KOREAN, STRINGS, Example

HOSTILE = '<script>alert(1)</script> <img src=x onerror="alert(2)"> [a](javascript:b) **b** [9] “so” [1] & $$x$$'
HOSTILE_SENTENCE = '<img src=x onerror="alert(2)"> [a](javascript:b) **b** $$x$$ & “so”'
TEXT = f"# A title\n\nAn opening.\n\n## First\n\n{HOSTILE}\n\n- One item.\n- Another item.\n\n## Second\n\nThe end."
DOCUMENT = Document(
    id="a-en", title="A <b>title</b>", text=TEXT, language="en", kind="law", issuer="I & J", as_of="2026-09-24", pair="a-ko"
)
KOREAN_TEXT = "# 제목\n\n여는 글.\n\n## 첫째\n\n원문.\n\n- 하나.\n- 둘.\n\n## 둘째\n\n끝."
PAIR = Document(id="a-ko", title="제목", text=KOREAN_TEXT, language="ko", pair="a-en")
DOCUMENTS = {DOCUMENT.id: DOCUMENT, PAIR.id: PAIR}
TAGS = (
    *("a", "aside", "b", "blockquote", "br", "button", "details", "div", "h1", "h2", "h3", "h4", "header", "li", "mark", "ol"),
    *("p", "pre", "section", "small", "span", "summary", "ul"),
)


def cite(marker: int, quote: str, document: Document = DOCUMENT) -> Citation:
    start = document.text.index(quote)
    return Citation(
        marker=marker,
        document_id=document.id,
        chunk_id="c",
        title=document.title,
        url="",
        language=document.language,
        kind=document.kind,
        issuer=document.issuer,
        status="",
        as_of=document.as_of,
        quote=quote,
        start=start,
        end=start + len(quote),
    )


def answer_with(*citations: Citation) -> Answer:
    lines = [f"**{citations[0].title}** · law · as of 2026-09-24"]
    lines += ["> “" + citation.quote.replace("\n", "\n> ") + f"” [{citation.marker}]" for citation in citations]
    return Answer(question="Why?", language="en", text="\n".join(lines), citations=citations, timings_ms={"total": 80.0})


class Reader(HTMLParser):
    """Tags, attributes and visible text of a page's part; the text of each mark."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.marked = "", ""
        self._marks: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "mark":
            self._marks.append(dict(attrs).get("class") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "mark":
            self._marks.pop()

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._marks and "current" in self._marks[-1]:
            self.marked += data

    def links(self) -> list[str | None]:
        return [attributes.get("href") for tag, attributes in self.tags if tag == "a"]


def assert_harmless(html: str) -> Reader:
    found = Reader(html)
    assert {tag for tag, _ in found.tags} <= {*TAGS}
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert not [link for link in found.links() if link and not link.startswith(("#", "https://", "http://"))]
    return found


def test_a_hostile_quote_is_text() -> None:
    html = render.answer(answer_with(cite(1, HOSTILE)), DOCUMENTS, 0, "")
    found = assert_harmless(html)
    assert f"“{HOSTILE}”" in found.text
    assert found.links() == ["#c1"]  # neither [9] nor the quote's own [1]
    assert "A <b>title</b>" in found.text
    assert "\n" not in html, "a blank line would end the HTML for the Markdown around it"


def test_a_quoted_list_keeps_its_lines_and_its_marker() -> None:
    html = render.answer(answer_with(cite(1, "- One item.\n- Another item.")), DOCUMENTS, 0, "")
    assert '“- One item.<span class="item">- Another item.” <a class="cite turn-0" href="#c1"' in html


def test_hostile_questions_and_errors_are_text() -> None:
    assert HOSTILE in assert_harmless(render.asked(HOSTILE, "en")).text
    assert HOSTILE in assert_harmless(render.problem(ENGLISH, HOSTILE)).text
    refusal = Answer(question="?", language="en", text="", refused=True, refusal_reason=HOSTILE)
    assert HOSTILE in assert_harmless(render.answer(refusal, DOCUMENTS, 0, HOSTILE)).text


@pytest.mark.parametrize("view", ["quote", "document"])
@pytest.mark.parametrize("quote", [HOSTILE, "One item.", "- One item.\n- Another item.", "An opening."])
def test_the_evidence_marks_exactly_the_quote(view: str, quote: str) -> None:
    html = evidence.of_answer(answer_with(cite(1, quote)), DOCUMENTS, 0, "c1", view, "en")
    found = assert_harmless(html)
    assert " ".join(found.marked.split()) == " ".join(quote.replace("\n", "").split())


def test_the_counterpart_is_the_same_section() -> None:
    html = evidence.of_answer(answer_with(cite(1, "One item.")), DOCUMENTS, 0, "c1", "quote", "ko")
    assert "첫째" in html and "둘째" not in html and "여는 글" not in html
    alone = {DOCUMENT.id: DOCUMENT}
    assert "counterpart" not in evidence.of_answer(answer_with(cite(1, "One item.")), alone, 0, "c1", "quote", "ko")


@pytest.mark.parametrize(
    ("quote", "answering"), [("It may. ", ["할 수 있다."]), ("It may. It must.", ["할 수 있다.", "해야 한다."])]
)
def test_the_counterpart_is_marked_sentence_for_sentence(quote: str, answering: list[str]) -> None:
    ours = replace(DOCUMENT, text="# A\n\nIt may. It must. It ends.")
    pair = replace(PAIR, text="# 가\n\n할 수 있다. 해야 한다. 끝난다.")
    both = {ours.id: ours, pair.id: pair}
    html = evidence.of_answer(answer_with(cite(1, quote.strip(), ours)), both, 0, "c1", "quote", "en")
    assert re.findall('<mark class="pair">(.+?)</mark>', html) == answering
    both[pair.id] = replace(pair, text="# 가\n\n할 수 있고 해야 한다. 끝난다.")  # one sentence for two: the paragraph answers
    html = evidence.of_answer(answer_with(cite(1, quote.strip(), ours)), both, 0, "c1", "quote", "en")
    assert re.findall('<mark class="pair">(.+?)</mark>', html) == ["할 수 있고 해야 한다. 끝난다."]


def test_links_and_cards_of_hostile_documents_are_text() -> None:
    hostile = replace(DOCUMENT, id=HOSTILE, title=HOSTILE, issuer=HOSTILE, status=HOSTILE, kind=HOSTILE, url=HOSTILE)
    start = TEXT.index(HOSTILE)
    link = link_to(hostile, (start, start + len(HOSTILE)))
    for view in ("quote", "document"):
        found = assert_harmless(evidence.of_link(link, {HOSTILE: hostile}, view, "en"))
        assert found.marked == HOSTILE
    assert "not in the corpus" in assert_harmless(evidence.of_link(link, {}, "quote", "en")).text
    assert_harmless(evidence.of_link("?doc=a-en&span=<b>", DOCUMENTS, "quote", "en"))
    citation = replace(cite(1, HOSTILE), title=HOSTILE, issuer=HOSTILE)
    assert f"“{HOSTILE}”" in assert_harmless(evidence.card(citation, hostile, 0, "ko")).text


def test_steps_lead_to_the_other_quotes() -> None:
    given = answer_with(cite(1, "An opening."), cite(2, "The end."))
    html = evidence.of_answer(given, DOCUMENTS, 3, "c1", "quote", "en")
    assert "Quote 1 of 2" in html and "[3, &quot;c2&quot;, &quot;quote&quot;]" in html
    assert evidence.of_answer(given, DOCUMENTS, 3, "c7", "quote", "en") == ""


def test_an_unknown_marker_is_no_link() -> None:
    given = replace(answer_with(cite(1, "An opening.")), text="Sources differ: [1] and [2]. [1](javascript:alert)")
    found = assert_harmless(render.answer(given, DOCUMENTS, 0, ""))
    assert found.links() == ["#c1", "#c1"] and "[2]" in found.text


def test_each_source_line_is_of_the_document_below_it() -> None:
    """Another document may have given itself the title of a law."""
    fake = replace(DOCUMENT, id="fake", issuer="Mallory", kind="letter")
    blocks = [answer_with(cite(1, "An opening.", fake)), answer_with(cite(2, "The end."))]
    given = replace(blocks[0], text="\n\n".join(b.text for b in blocks), citations=tuple(c for b in blocks for c in b.citations))
    html = render.answer(given, {**DOCUMENTS, fake.id: fake}, 0, "")
    assert 0 < html.index("Mallory") < html.index("An opening.") < html.index("I &amp; J") < html.index("The end.")


def test_a_kind_is_a_word_and_no_sentence_in_our_name() -> None:
    assert kind_label(replace(DOCUMENT, kind="blog post"), "en") == "blog post"
    assert kind_label(replace(DOCUMENT, kind="law, checked by Jiphyeon"), "en") == ""


def test_a_long_section_is_cut_around_the_quote() -> None:
    text = "\n\n".join(f"Paragraph {number}. " + "word " * 60 for number in range(80))
    document = Document(id="long", title="Long", text=text, language="en")
    html = evidence.of_answer(answer_with(cite(1, "Paragraph 40.", document)), {"long": document}, 0, "c1", "quote", "en")
    assert "Paragraph 39." in html and "Paragraph 41." in html and "Paragraph 2." not in html
    assert html.count('class="gap"') == 2


def test_our_own_text_is_not_taken_for_the_statute() -> None:
    ours = replace(DOCUMENT, author="Jiphyeon")
    html = evidence.of_answer(answer_with(cite(1, "An opening.")), {ours.id: ours}, 0, "c1", "quote", "ko")
    assert "집현 해설" in html and KOREAN.brief in html


def test_footers() -> None:
    given = answer_with(cite(1, "An opening."))
    assert "1 quote from 1 document" in Reader(render.answer(given, DOCUMENTS, 0, "")).text
    korean = replace(given, language="ko", citations=(cite(1, "An opening."), cite(2, "The end.")))
    text = Reader(render.answer(korean, DOCUMENTS, 0, "")).text
    assert "문서 1건에서 인용 2개" in text and "0.08초" in text


def test_a_refusal_offers_passages_and_questions_of_this_corpus() -> None:
    chunk = Chunk(id="c", document_id="a-en", language="en", start=0, end=9, text="A passage", headings=("First",))
    passages = tuple(Passage(rank=rank, score=1.0, chunk=chunk, document=DOCUMENT) for rank in range(1, 6))
    given = Answer(question="?", language="en", text="", refused=True, refusal_reason="No.", passages=passages)
    found = Reader(render.answer(given, DOCUMENTS, 2, "Covers this."))
    assert found.links() == ["#p1", "#p2", "#p3"] and "Covers this." in found.text
    assert "button" not in {tag for tag, _ in found.tags}, "no question of ours is answered by this corpus"
    musk = Document(id="musk-v-openai-ko", title="머스크", text="…", language="ko")
    assert EXAMPLES["ko"][0].question in render.answer(replace(given, language="ko"), {musk.id: musk}, 2, "")


@pytest.mark.parametrize(
    ("accept", "stored", "language"),
    [
        ("ko-KR,ko;q=0.9,en;q=0.8", "", "ko"),
        ("de,en;q=0.8,ko;q=0.5", "", "en"),
        ("", "", "en"),
        ("ko", "en", "en"),
        ("ko", "xx", "ko"),
    ],
)
def test_the_language_of_the_page(accept: str, stored: str, language: str) -> None:
    assert handlers.preferred_language(accept, stored) == language


def test_both_languages_fill_the_same_forms() -> None:
    for name, text in vars(ENGLISH).items():
        if isinstance(text, str):
            assert set(re.findall(r"{\w+", text)) == set(re.findall(r"{\w+", getattr(KOREAN, name))), name
    assert ENGLISH.stages.keys() == KOREAN.stages.keys()


def test_examples_cross_languages_and_one_is_refused() -> None:
    for language in STRINGS:
        assert len(EXAMPLES[language]) == 6
        assert sum(example.across for example in EXAMPLES[language]) == 2
        assert sum(not example.topic for example in EXAMPLES[language]) == 1


@pytest.mark.parametrize("example", [example for language in EXAMPLES.values() for example in language], ids=lambda e: e.question)
def test_the_examples_are_answered_from_the_text_they_are_about(example: Example, pipeline: Pipeline) -> None:
    given = pipeline.invoke({"question": example.question})
    assert given.refused == (not example.topic)
    assert all(citation.document_id.startswith(example.topic) for citation in given.citations[:1])


def test_a_question_sent_before_the_page_knows_its_language_is_answered(pipeline: Pipeline) -> None:
    opening = handlers.Opening(lambda progress: pipeline)
    *_, (_, chat, answers, pane) = handlers.ask("왜 머스크는 소송을 냈나?", [], [], "", opening)
    assert "blockquote" in chat[-1]["content"][0]["text"] and len(answers) == 1
    assert KOREAN.counterpart.split(",")[0] in pane


@pytest.mark.parametrize(
    "pick", ["", "1", "{}", "[]", '[9, "c1", "quote"]', '["x", "c1", ""]', '[0, {"a": 1}, []]', "[0, null, 1]"]
)
def test_a_pick_that_means_nothing_does_no_harm(pick: str, pipeline: Pipeline) -> None:
    handlers.show(pick, [pipeline.invoke({"question": "왜?"})], "xx", handlers.Opening(lambda progress: pipeline))


def test_a_pick_of_no_known_view_shows_the_quote(pipeline: Pipeline) -> None:
    answers, opening = [pipeline.invoke({"question": "왜 머스크는 소송을 냈나?"})], handlers.Opening(lambda progress: pipeline)
    opening.start()
    opening.wait(10)
    shown = [handlers.show(f'[0, "c1", "{view}"]', answers, "ko", opening) for view in ("quote", "<b>", "document")]
    assert shown[0] == shown[1] != shown[2]


@pytest.mark.parametrize(("mode", "given"), [("generative", ["0", "49"]), ("extractive", ["49"])])
def test_states_that_come_too_soon_are_left_out_but_never_the_last(
    mode: Literal["generative", "extractive"], given: list[str]
) -> None:
    states = [Answer(question="?", language="en", text=str(number), mode=mode) for number in range(50)]
    assert [state.text for state in handlers.throttled(iter(states))] == given


def test_progress_is_shown_and_a_failure_is_tried_again() -> None:
    go, tries = threading.Event(), 0

    def fails(progress: handlers.Progress) -> None:
        nonlocal tries
        tries += 1
        progress("words, ko", 3, 12)
        go.wait(10)
        raise IndexMissingError("There is no index. Build one.")

    opening = handlers.Opening(fails)  # type: ignore[arg-type]
    opening.start()
    assert opening.wait(0.2) is None
    assert opening.state(KOREAN) == "형태소 분석 (한국어) 3/12"
    go.set()
    with pytest.raises(IndexMissingError):
        opening.wait(10)
    states = list(handlers.ask("Why?", [], [], "", opening))
    assert tries == 2
    last = states[-1][1][-1]["content"][0]["text"]
    assert "Build one." in last and "Traceback" not in last


def test_an_unexpected_error_is_told_without_a_stack_trace(caplog: pytest.LogCaptureFixture) -> None:
    def breaks(progress: handlers.Progress) -> None:
        raise RuntimeError("secret")

    states = list(handlers.ask("왜?", [], [], "ko", handlers.Opening(breaks)))  # type: ignore[arg-type]
    last = states[-1][1][-1]["content"][0]["text"]
    assert KOREAN.unexpected in last and "secret" not in last and "secret" in caplog.text


def written(**others: object) -> Answer:
    """An answer that a model wrote: one sentence verified, one marked, one left out; all of them hostile."""
    marked = Unsupported(claim=f"It costs 9 {HOSTILE_SENTENCE}", reason="number", explanation='no "9" <b>there</b>', kept=True)
    gone = Unsupported(claim="Apples.", reason="no-marker", explanation="it cites nothing", kept=False)
    text = f"> **It** opens. [1]\n\n{marked.claim} {UNVERIFIED['en']}"
    given = Answer(
        question="Why?",
        language="en",
        text=text,
        mode="generative",
        model="openai:<i>x</i>",
        citations=(cite(1, "An opening."),),
        unsupported=(marked, gone),
        timings_ms={"total": 2500.0},
    )
    return replace(given, **others)  # type: ignore[arg-type]


def test_what_a_model_wrote_is_text_with_its_doubts() -> None:
    html = render.answer(written(), DOCUMENTS, 0, "")
    found = assert_harmless(html)
    assert found.links() == ["#c1"] and "blockquote" not in html and "<b>" not in html
    assert (
        f'<span class="unverified">It costs 9 {escape(HOSTILE_SENTENCE)} <small' in html and 'no "9" <b>there</b>' in found.text
    )
    assert "Apples" not in html
    assert "written by openai:<i>x</i>" in found.text and "2.50 s" in found.text and "2 not verified" in found.text
    assert "\n" not in html


def test_a_growing_answer_says_who_writes() -> None:
    begun = Reader(render.answer(written(text="", citations=(), unsupported=(), timings_ms={}), DOCUMENTS, 0, "")).text
    assert begun == ENGLISH.writing.format(model="openai:<i>x</i>")
    assert ENGLISH.writing.split("{model}")[1] in Reader(render.answer(written(timings_ms={}), DOCUMENTS, 0, "")).text
    assert "copied" not in render.answer(written(timings_ms={}), DOCUMENTS, 0, "")


def test_a_notice_stands_before_the_quotes() -> None:
    html = render.answer(replace(answer_with(cite(1, "An opening.")), notice="<b>It</b> failed."), DOCUMENTS, 0, "")
    assert Reader(html).text.startswith("<b>It</b> failed.") and ENGLISH.footer.split(" · ")[1] in Reader(html).text


def test_the_choice_of_models_has_quotes_alone() -> None:
    choices = {language: page.choices(["openai:a", "ollama:b"], language) for language in STRINGS}
    assert choices["ko"] == [("openai:a", "openai:a"), ("ollama:b", "ollama:b"), ("모델 없이 인용만", "none")]
    assert [value for _, value in choices["en"]] == [value for _, value in choices["ko"]]
