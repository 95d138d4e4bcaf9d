"""A visitor's own documents: searched beside the corpus, in that visit only; limits; the page in a real browser."""

import gc
import json
import time
import urllib.request
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
from hwp_converter_ai import HwpWriter
from playwright.sync_api import Browser, Page, expect

from ingest.load import SUFFIXES, load_file
from ingest.own import own_index
from rag.answer.coverage import sentence
from rag.index import Index
from rag.pipeline import Pipeline
from rag.types import Document
from rag.ui.handlers import Opening
from rag.ui.strings import LANGUAGES, OWN_STRINGS, STRINGS
from rag.ui.uploads import DOCUMENTS, Ingest, Own, Uploads
from tests.browser import SECONDS, ask, served

KOREAN_TEXT = (
    "# 달빛군 청사 주차 안내\n\n달빛군 청사의 주차 요금은 한 시간에 730원입니다.\n\n월요일에는 청사 주차장을 닫습니다.\n"
)
KOREAN_QUESTION, KOREAN_FACT = "달빛군 청사의 주차 요금은 얼마인가?", "730원"
ENGLISH_TEXT = (
    "# Harbour rules of Eastmere\n\nThe harbour of Eastmere charges 41 pounds a night.\n\nBoats with engines stay outside.\n"
)
ENGLISH_QUESTION, ENGLISH_FACT = "What does the harbour of Eastmere charge a night?", "41 pounds"


def documents(tmp_path: Path, **texts: str) -> list[Document]:
    for name, text in texts.items():
        (tmp_path / f"{name}.md").write_text(text, encoding="utf-8")
    found = [next(load_file(tmp_path / f"{name}.md", 10_000_000)) for name in texts]
    return [replace(document, id=f"own/{document.id}", kind="own") for document in found if isinstance(document, Document)]


@pytest.fixture(scope="module")
def own(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Index:
    found = documents(tmp_path_factory.mktemp("own"), parking=KOREAN_TEXT, harbour=ENGLISH_TEXT)
    return own_index(found, pipeline.index, pipeline.embedder, 400)


@pytest.mark.parametrize(
    ("question", "fact", "id"),
    [
        (KOREAN_QUESTION, KOREAN_FACT, "own/parking"),
        (ENGLISH_QUESTION, ENGLISH_FACT, "own/harbour"),
        ("이스트미어 항구(harbour of Eastmere)는 하룻밤에 얼마를 받나?", ENGLISH_FACT, "own/harbour"),
    ],
)
def test_own_documents_answer_beside_the_corpus(question: str, fact: str, id: str, pipeline: Pipeline, own: Index) -> None:
    joined = pipeline.over(pipeline.index.with_own(own))
    answer = joined.invoke({"question": question})
    assert answer.passages[0].document.id == id and not answer.refused
    cited = [citation for citation in answer.citations if citation.document_id == id]
    assert any(fact in citation.quote for citation in cited) and cited[0].kind == "own"
    for citation in answer.citations:
        assert joined.index.documents[citation.document_id].text[citation.start : citation.end] == citation.quote
    without = pipeline.invoke({"question": question})
    assert all(not passage.document.id.startswith("own/") for passage in without.passages)


def test_the_corpus_answers_its_own_questions_as_before(pipeline: Pipeline, own: Index) -> None:
    question = {"question": "왜 머스크는 소송을 냈나?"}
    before, after = pipeline.invoke(question), pipeline.over(pipeline.index.with_own(own)).invoke(question)  # type: ignore[arg-type]
    assert (after.text, after.confidence) == (before.text, before.confidence)
    assert sentence(pipeline.index.with_own(own), "ko") == sentence(pipeline.index, "ko")


def test_a_second_index_takes_the_vectors_of_the_first(
    pipeline: Pipeline, own: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded: list[str] = []
    encode = pipeline.embedder.encode_documents

    def counted(texts: list[str], **more: object) -> object:
        embedded.extend(texts)
        return encode(texts, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline.embedder, "encode_documents", counted)
    more = [*own.documents.values(), *documents(tmp_path, bread="# Bread\n\nBread is baked from flour.\n")]
    again = own_index(more, pipeline.index, pipeline.embedder, 400, own)
    assert embedded and all("Bread" in text for text in embedded)
    assert set(again.documents) == {"own/parking", "own/harbour", "own/bread"}


# --- what the page does with files --------------------------------------------------------------------------------


def uploads(pipeline: Pipeline, **limits: object) -> Uploads:
    ingest = Ingest(
        read=lambda path: load_file(path, 10_000_000),
        index=lambda documents, pipeline, before, progress: own_index(
            documents, pipeline.index, pipeline.embedder, 400, before, progress
        ),
        suffixes=[suffix for suffix in SUFFIXES if suffix != ".jsonl"],
        characters=300_000,
    )
    return Uploads(Opening(lambda progress: pipeline), replace(ingest, **limits))  # type: ignore[arg-type]


def put(tmp_path: Path, name: str, data: str | bytes) -> str:
    """Where Gradio lays an uploaded file: alone in a folder."""
    path = tmp_path / f"upload-{name}" / name
    path.parent.mkdir()
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return str(path)


def add(page: Uploads, paths: list[str], own: Own | None = None, language: str = "en") -> tuple[Own | None, str]:
    *_, (own, shown, _) = page.add(paths, own, language)
    return own, shown


def test_files_are_read_listed_replaced_removed_and_gone(pipeline: Pipeline, tmp_path: Path) -> None:
    page = uploads(pipeline)
    paths = [put(tmp_path, "parking.md", KOREAN_TEXT), put(tmp_path, "harbour <b>.txt", ENGLISH_TEXT)]
    own, shown = add(page, paths)
    assert own and list(own.alone.documents) == ["own/parking.md", "own/harbour <b>.txt"]
    assert shown.count("data-remove") == 2 and "<b>" not in shown
    assert list(tmp_path.iterdir()) == [], "no uploaded file may stay"
    own, _ = add(page, [put(tmp_path, "parking.md", KOREAN_TEXT.replace("730원", "910원"))], own)
    assert own and "910원" in own.alone.documents["own/parking.md"].text and len(own.documents) == 2
    own, shown = page.remove(json.dumps(["own/parking.md", 1]), own, "en")
    assert own and list(own.joined.documents.keys() - pipeline.index.documents.keys()) == ["own/harbour <b>.txt"]
    last = weakref.ref(own)
    own, shown = page.remove(json.dumps(["own/harbour <b>.txt", 2]), own, "en")
    gc.collect()
    assert own is None and shown == "" and last() is None, "what was removed must not stay in memory"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_list_whose_documents_are_gone_says_so(language: str, pipeline: Pipeline, own: Index, tmp_path: Path) -> None:
    page, lost = uploads(pipeline), OWN_STRINGS[language].lost  # type: ignore[index]
    held = Own(alone=own, joined=pipeline.index.with_own(own))
    shown, _ = page.show(held, language, "")
    for still in (page.show(None, language, shown)[0], page.remove(json.dumps(["", 1]), None, language)[1]):
        assert lost in still and 'role="alert"' in still and "<li>" not in still
        assert lost not in page.show(None, language, still)[0], "told once"
    assert page.remove(json.dumps(["", 1]), held, language) == (gr.skip(), gr.skip()), "nothing changes while they are there"
    *_, (added, again, _) = page.add([put(tmp_path, "parking.md", KOREAN_TEXT)], None, language, shown)
    assert lost in again and again.count("data-remove") == 1 and len(added.documents) == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.exe", b"MZ", "suffix"),
        ("a.jsonl", b"{}", "suffix"),
        ("a.pdf", b"%PDF-1.7\n", "empty"),
        ("a.docx", b"no zip", "format"),
        ("a.md", b"", "empty"),
        ("a.md", b"\xff\xff\xff", "unreadable"),
        ("a.md", b"x " * 20_000, "long"),
        ("a.txt", b"x" * 10_000_001, "large"),
    ],
)
def test_each_file_that_is_not_taken_is_told_with_a_reason(
    name: str, data: bytes, reason: str, language: str, pipeline: Pipeline, tmp_path: Path
) -> None:
    page = uploads(pipeline, characters=30_000)
    own, shown = add(page, [put(tmp_path, name, data)], language=language)
    told = OWN_STRINGS[language].reasons[reason].format(name=name, **page._limits())  # type: ignore[index]
    assert own is None and told in shown and 'role="alert"' in shown
    assert list(tmp_path.iterdir()) == []


def test_limits_of_number_of_one_visitor_and_of_all(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = uploads(pipeline, characters=200)
    many = [put(tmp_path, f"{number}.md", f"# {number}\n\nText.") for number in range(DOCUMENTS + 1)]
    own, shown = add(page, many)
    assert own and len(own.documents) == DOCUMENTS and f"{DOCUMENTS}.md: you may add" in shown
    monkeypatch.setattr("rag.ui.uploads.VISITORS", 1)
    another, shown = add(page, [put(tmp_path, "b.md", "Words of another visitor. " * 6)])
    assert another is None and "other visitors" in shown
    del own, another
    gc.collect()
    another, _ = add(page, [put(tmp_path, "c.md", "Words of another visitor. " * 6)])
    assert another, "room is free again when a visit ends"


def test_every_reason_has_its_words_in_both_languages() -> None:
    korean, english = (OWN_STRINGS[language].reasons for language in LANGUAGES)
    assert korean.keys() == english.keys()
    for words in (*korean.values(), *english.values()):
        assert words.startswith("{name}: ")
        words.format(name="a", documents=1, characters=1, pages=1, suffixes="")


def test_an_unexpected_failure_is_told_and_takes_nothing_with_it(pipeline: Pipeline, tmp_path: Path) -> None:
    def fails(*_: object) -> Index:
        raise RuntimeError("disk full")

    page = uploads(pipeline, index=fails)
    own, shown = add(page, [put(tmp_path, "parking.md", KOREAN_TEXT)])
    assert own is None and "unexpected" in shown and "disk full" not in shown
    assert list(tmp_path.iterdir()) == []
    assert isinstance(page._ingest, Ingest)


# --- in a real browser -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gradio_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gradio")


@pytest.fixture(scope="module")
def address(index_dir: Path, gradio_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(gradio_folder))
        with served(tmp_path_factory.mktemp("server") / "log", index=str(index_dir)) as url:
            yield url


def open_page(browser: Browser, address: str, locale: str, width: int = 1360) -> Page:
    page = browser.new_context(locale=locale, viewport={"width": width, "height": 800}, reduced_motion="reduce").new_page()
    page.goto(address)
    expect(page.locator(".welcome .chip")).to_have_count(6, timeout=60 * SECONDS)
    return page


def attach(page: Page, *paths: Path) -> None:
    page.locator("#conversation input[type=file]").set_input_files([str(path) for path in paths])


def test_documents_are_searched_in_one_visit_only(browser: Browser, address: str, gradio_folder: Path, tmp_path: Path) -> None:
    HwpWriter().from_markdown(KOREAN_TEXT, tmp_path / "주차.hwp")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing")
    one, other = open_page(browser, address, "ko-KR"), open_page(browser, address, "ko-KR")
    attach(one, tmp_path / "주차.hwp", tmp_path / "broken.pdf")
    expect(one.locator(".own [role=status]")).to_be_visible(timeout=20 * SECONDS)
    expect(one.locator(".own [data-remove]")).to_have_count(1, timeout=90 * SECONDS)
    expect(one.locator(".own [role=alert]")).to_contain_text("broken.pdf: 글자가 없습니다")
    left = [path for path in gradio_folder.rglob("*") if path.is_file() and path.stat().st_size]
    assert left == [], "the uploaded files must be gone from the disk"

    answer = ask(one, KOREAN_QUESTION)
    expect(answer.locator("blockquote").first).to_contain_text(KOREAN_FACT)
    expect(answer.locator(".source .kind").first).to_have_text("올린 문서")
    answer.locator("blockquote a.cite").first.click()
    expect(one.locator("#evidence mark.quote.current").first).to_contain_text(KOREAN_FACT)
    one.locator(".own .open").focus()
    one.keyboard.press("Enter")
    expect(one.locator("#evidence .text")).to_contain_text("월요일에는")

    foreign = ask(other, KOREAN_QUESTION)
    expect(foreign).not_to_contain_text(KOREAN_FACT)
    assert other.locator(".own").count() == 0

    one.locator(".own [data-remove]").focus()
    one.keyboard.press("Enter")
    expect(one.locator(".own")).to_have_count(0, timeout=20 * SECONDS)
    expect(one.locator("#question textarea")).to_be_focused()
    expect(ask(one, KOREAN_QUESTION)).not_to_contain_text(KOREAN_FACT)
    for page in (one, other):
        page.context.close()


# The page, in a process that tells how many visitors' documents it has made and still holds, wherever.
COUNTED = """
import gc, runpy, threading, time, weakref
from rag.ui.uploads import Own
kept, make = weakref.WeakSet(), Own.__init__
def made(own, **values):
    make(own, **values)
    kept.add(own)
Own.__init__ = made
def count():
    while True:
        gc.collect()
        print("held", len(kept), flush=True)
        time.sleep(2)
threading.Thread(target=count, daemon=True).start()
runpy.run_path("app.py", run_name="__main__")
"""


def held(log: Path) -> int:
    """How many visitors' documents the process holds by its log."""
    return int([line for line in log.read_text(encoding="utf-8").split("\n") if line.startswith("held ")][-1].split()[1])


def held_in(log: Path, count: int) -> None:
    deadline = time.monotonic() + 30
    while held(log) != count and time.monotonic() < deadline:
        time.sleep(0.5)
    assert held(log) == count


@pytest.fixture
def forgetful(index_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path, Path]]:
    """Where a page is served that keeps what a closed one held for a second, not an hour, as in Gradio's own tests; its log; a file."""
    monkeypatch.setenv("GRADIO_IS_E2E_TEST", "1")
    file, log = tmp_path / "harbour.md", tmp_path / "log"
    file.write_text(ENGLISH_TEXT, encoding="utf-8")
    with served(log, "-c", COUNTED, index=str(index_dir)) as url:
        yield url, log, file


def test_documents_go_when_the_visit_has_ended(browser: Browser, forgetful: tuple[str, Path, Path]) -> None:
    url, log, file = forgetful
    page = open_page(browser, url, "en-GB")
    attach(page, file)
    expect(page.locator(".own [data-remove]")).to_have_count(1, timeout=60 * SECONDS)
    expect(ask(page, ENGLISH_QUESTION).locator("blockquote").first).to_contain_text(ENGLISH_FACT)
    page.wait_for_timeout(5 * SECONDS)
    assert held(log) == 1, "as long as the page is open they stay"
    page.context.close()
    held_in(log, 0)


def test_a_page_whose_connection_dropped_says_what_is_gone(browser: Browser, forgetful: tuple[str, Path, Path]) -> None:
    """What a page held goes in the end even if its connection is back."""
    url, log, file = forgetful
    page = browser.new_context(locale="en-GB").new_page()
    with page.expect_request("**/heartbeat/**") as connection:
        page.goto(url)
    expect(page.locator(".welcome .chip")).to_have_count(6, timeout=60 * SECONDS)
    attach(page, file)
    expect(page.locator(".own [data-remove]")).to_have_count(1, timeout=60 * SECONDS)
    before = ask(page, ENGLISH_QUESTION)
    expect(before.locator("blockquote").first).to_contain_text(ENGLISH_FACT)
    page.wait_for_timeout(2 * SECONDS)  # the answer, too, is then older than that second
    urllib.request.urlopen(connection.value.url).close()  # as the server sees it, the connection of this visit has dropped
    held_in(log, 0)
    answer = ask(page, ENGLISH_QUESTION)
    expect(page.locator(".own [role=alert]")).to_have_text(OWN_STRINGS["en"].lost, timeout=20 * SECONDS)
    assert page.locator(".own li").count() == 0
    expect(answer).not_to_contain_text(ENGLISH_FACT)
    expect(answer.locator(".notice")).to_have_text(STRINGS["en"].gone)
    before.locator("blockquote a.cite").first.click()
    expect(page.locator("#evidence")).to_have_text(STRINGS["en"].gone)
    page.context.close()


def test_files_dropped_on_a_phone_sized_page(browser: Browser, address: str) -> None:
    page = open_page(browser, address, "en-GB", width=360)
    page.evaluate(
        """([text]) => { const carried = new DataTransfer(); carried.items.add(new File([text], "harbour-with-a-very-long-name-of-a-file.md"));
        dispatchEvent(new DragEvent("drop", {dataTransfer: carried, bubbles: true, cancelable: true})); }""",
        [ENGLISH_TEXT],
    )
    expect(page.locator(".own [data-remove]")).to_have_count(1, timeout=60 * SECONDS)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page must not scroll sideways"
    page.locator(".own .open").click()
    expect(page.locator("#pane")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#attach")).to_have_text(OWN_STRINGS["en"].attach, timeout=60 * SECONDS)
    page.locator(".switch").click()
    expect(page.locator("#attach")).to_have_text(OWN_STRINGS["ko"].attach, timeout=60 * SECONDS)
    expect(page.locator(".own .note")).to_have_text(OWN_STRINGS["ko"].note, timeout=60 * SECONDS)
    page.context.close()
