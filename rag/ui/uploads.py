"""A visitor's own documents on the page: adding, listing, removing. They live in the visit's state, in memory, and go with it."""

import json
import logging
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.answer.frame import OWN
from rag.errors import DocumentError, JiphyeonError
from rag.types import Document
from rag.ui import handlers
from rag.ui.handlers import Opening, Progress, Stage
from rag.ui.strings import OWN_STRINGS, STRINGS, OwnStrings

if TYPE_CHECKING:
    from rag.index import Index
    from rag.pipeline import Pipeline

logger = logging.getLogger(__name__)

DOCUMENTS = 10  # of one visitor
AT_ONCE, WAITING = 2, 16  # visitors whose documents are read at one time, and who may wait for it
VISITORS = 20  # who may hold as much as the limit lets them at one time; a document beyond that is refused
POLL = 0.3  # seconds between two looks at the work


@dataclass(frozen=True, kw_only=True)
class Ingest:
    """What the page cannot do itself: reading a file and indexing what was read, both `ingest`'s."""

    read: Callable[[Path], Iterator[Document | DocumentError]]
    index: "Callable[[Sequence[Document], Pipeline, Index | None, Progress], Index]"
    suffixes: Sequence[str]
    characters: int  # of all documents of one visitor


@dataclass(frozen=True, kw_only=True, eq=False)
class Own:
    """What a visitor has added: the documents alone, and the corpus with them beside it."""

    alone: "Index"
    joined: "Index"

    @property
    def documents(self) -> list[Document]:
        return list(self.alone.documents.values())


class Beside:
    """An `Opening` whose pipeline answers from the corpus and a visitor's own documents."""

    def __init__(self, opening: Opening, own: Own) -> None:
        self._opening, self._own = opening, own
        self.start, self.state = opening.start, opening.state

    @property
    def failed(self) -> Exception | None:
        return self._opening.failed

    @property
    def pipeline(self) -> "Pipeline | None":
        return self._opening.pipeline and self._opening.pipeline.over(self._own.joined)

    def wait(self, seconds: float) -> "Pipeline | None":
        pipeline = self._opening.wait(seconds)
        return pipeline and pipeline.over(self._own.joined)


def beside(opening: Opening, own: Own | None) -> Opening:
    """The opening as it is for this visitor."""
    return opening if own is None else Beside(opening, own)  # type: ignore[return-value]  # all that handlers use of it


class Uploads:
    """What the attach button and the list over the input do."""

    def __init__(self, opening: Opening, ingest: Ingest) -> None:
        self._opening, self._ingest = opening, ingest
        self._turn = threading.BoundedSemaphore(AT_ONCE)
        self._held: weakref.WeakSet[Own] = weakref.WeakSet()  # of all visitors

    def draw(self, language: gr.Textbox) -> gr.State:
        """The list and the button, where this is called in the page; the state that holds a visitor's `Own`, or None."""
        own = gr.State(None)
        shown = gr.HTML("", elem_id="own", apply_default_css=False, padding=False)
        picked = gr.Textbox(visible="hidden", elem_id="remove")
        attach = gr.UploadButton(OWN_STRINGS["en"].attach, elem_id="attach", file_count="multiple", interactive=True)
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        attach.upload(self.add, [attach, own, language, shown], [own, shown, attach], concurrency_limit=WAITING, **quiet)
        picked.change(self.remove, [picked, own, language], [own, shown], **quiet)
        language.change(self.show, [own, language, shown], [shown, attach], **quiet)
        return own

    def show(self, own: Own | None, language: str, shown: str) -> tuple[Any, Any]:
        """The list and the button in the page's language."""
        strings = OWN_STRINGS[handlers.spoken(language)]
        return listed(own, strings, problems=_lost(own, shown, strings)), gr.UploadButton(strings.attach)

    def add(self, paths: Sequence[str], own: Own | None, language: str, shown: str = "") -> Iterator[tuple[Any, Any, Any]]:
        """States of (own documents, list, button) while files are read and indexed. No file outlives this."""
        name = handlers.spoken(language)
        strings = OWN_STRINGS[name]
        problems = _lost(own, shown, strings)
        documents = {document.id: document for document in own.documents} if own else {}
        before = set(documents.values())
        try:
            with tempfile.TemporaryDirectory(prefix="jiphyeon-own-") as folder:
                files = [_taken(Path(path), Path(folder) / str(number)) for number, path in enumerate(paths)]
                while not self._turn.acquire(timeout=POLL):
                    yield gr.skip(), listed(own, strings, working=strings.queued), gr.skip()
                try:
                    for number, path in enumerate(files, start=1):
                        working = strings.reading.format(name=path.name, done=number, total=len(files))
                        yield gr.skip(), listed(own, strings, working=working), gr.skip()
                        try:
                            document = self._read(path, documents)
                            documents[document.id] = document
                        except DocumentError as error:
                            told = strings.reasons.get(error.reason, strings.reasons["unreadable"])
                            problems.append(told.format(name=path.name, **self._limits()))
                    for state in self._indexed(list(documents.values()), own) if set(documents.values()) != before else ():
                        if isinstance(state, Own):
                            own = state
                        else:
                            working = state.shown(STRINGS[name]) if state and state.done < state.total else strings.indexing
                            yield gr.skip(), listed(own, strings, working=working), gr.skip()
                finally:
                    self._turn.release()
        except JiphyeonError as error:
            problems.append(str(error))
        except Exception:  # the door: a visitor must never see a stack trace, nor nothing
            logger.exception("Own documents could not be added")
            problems.append(STRINGS[name].unexpected)
        yield own, listed(own, strings, problems=problems), gr.UploadButton(strings.attach, value=None)

    def remove(self, picked: str, own: Own | None, language: str) -> tuple[Any, Any]:
        """(own documents, list) without the document whose id the page's script wrote; it writes none to ask whether they are still here."""
        strings = OWN_STRINGS[handlers.spoken(language)]
        try:
            identifier = json.loads(picked)[0]
        except (ValueError, TypeError, LookupError):
            return gr.skip(), gr.skip()
        if own is None:  # only where the page lists some is this asked
            return None, listed(None, strings, problems=[strings.lost])
        left = [document for document in own.documents if document.id != identifier]
        if len(left) == len(own.documents):
            return gr.skip(), gr.skip()
        if not left:
            return None, listed(None, strings)
        *_, rest = self._indexed(left, own)
        assert isinstance(rest, Own)  # the last of its states is the whole
        return rest, listed(rest, strings)

    def _read(self, path: Path, held: dict[str, Document]) -> Document:
        """The document of one file. Raises DocumentError if it cannot be read or breaks a limit."""
        identifier = f"{OWN}/{path.name}"
        if path.suffix.lower() not in self._ingest.suffixes:
            raise DocumentError("", "suffix")
        if len(held) >= DOCUMENTS and identifier not in held:
            raise DocumentError("", "many")
        found = next(self._ingest.read(path))
        if isinstance(found, DocumentError):
            raise found
        others = sum(len(document.text) for document in held.values() if document.id != identifier)
        if others + len(found.text) > self._ingest.characters:
            raise DocumentError("", "long")
        here = sum(len(document.text) for visitor in self._held for document in visitor.documents)
        if here + len(found.text) > VISITORS * self._ingest.characters:
            raise DocumentError("", "full")
        return replace(found, id=identifier, kind=OWN, pair="", author="")

    def _indexed(self, documents: Sequence[Document], before: Own | None) -> Iterator[Stage | Own | None]:
        """How far it is, until the index is there."""
        stage: Stage | None = None

        def progress(what: str, done: int, total: int) -> None:
            nonlocal stage
            stage = Stage(what, done, total, stage.begun if stage and stage.what == what else time.monotonic())

        self._opening.start()
        deadline = time.monotonic() + handlers.PATIENCE
        while (pipeline := self._opening.wait(0.5)) is None:
            if time.monotonic() > deadline:
                raise DocumentError(STRINGS["ko"].loading + " / " + STRINGS["en"].loading)
            yield None
        with ThreadPoolExecutor(1) as worker:
            work = worker.submit(self._ingest.index, documents, pipeline, before.alone if before else None, progress)
            while not work.done():
                yield stage
                time.sleep(POLL)
            alone = work.result()
        own = Own(alone=alone, joined=pipeline.index.with_own(alone))
        self._held.add(own)
        yield own

    def _limits(self) -> dict[str, object]:
        return {
            "documents": DOCUMENTS,
            "characters": self._ingest.characters,
            "pages": self._ingest.characters // 2000,
            "suffixes": ", ".join(suffix[1:].upper() for suffix in self._ingest.suffixes),
        }


def _taken(path: Path, folder: Path) -> Path:
    """The file, moved into a new folder. Gradio lays equal files of two visitors in one place, where neither could delete it."""
    folder.mkdir()
    with suppress(FileNotFoundError):  # taken by the other of the two, an instant ago: reading tells
        shutil.move(path, folder / path.name)
    with suppress(OSError):  # not empty: another is coming
        path.parent.rmdir()
    return folder / path.name


def _lost(own: Own | None, shown: str, strings: OwnStrings) -> list[str]:
    """What to say where the page still lists documents that are gone.

    Gradio counts the hour after a dropped connection from the last change of the state, and goes on counting when the connection is back.
    """
    return [strings.lost] if own is None and "<li>" in shown else []


def listed(own: Own | None, strings: OwnStrings, working: str = "", problems: Sequence[str] = ()) -> str:
    """The list over the input as HTML: what was added, what is being done, what could not be read."""
    rows = "".join(_row(document, strings, removable=not working) for document in (own.documents if own else ()))
    documents = f'<ul aria-label="{escape(strings.title)}">{rows}</ul><p class="note">{escape(strings.note)}</p>' if rows else ""
    status = f'<p class="status" role="status">{escape(working)}</p>' if working else ""
    told = "".join(f"<p>{escape(problem)}</p>" for problem in problems)
    alert = f'<div class="problems" role="alert">{told}</div>' if told else ""
    return f'<section class="own">{documents}{status}{alert}</section>' if documents or status or alert else ""


def _row(document: Document, strings: OwnStrings, *, removable: bool) -> str:
    name = document.id.removeprefix(f"{OWN}/")
    pick = escape(json.dumps([0, f"d{document.id}", "document"]))
    label = escape(strings.remove.format(name=name))
    button = f'<button data-remove="{escape(document.id)}" aria-label="{label}" title="{label}">✕</button>' if removable else ""
    return f'<li><button class="open" data-pick="{pick}" title="{escape(document.title)}">{escape(name)}</button>{button}</li>'
