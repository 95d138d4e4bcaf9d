"""What happens on the page: the pipeline opening behind it, a question, a look at the evidence."""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr
from pydantic import ValidationError

from rag import export, tools
from rag.errors import JiphyeonError, QuestionError
from rag.text import language_of, normalise
from rag.types import Answer, Document, Language, Turn
from rag.ui import evidence, explore, render
from rag.ui.strings import STRINGS, Strings

if TYPE_CHECKING:
    from rag.pipeline import Pipeline

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]  # what is being done, how many steps are done, of how many
Message = dict[str, Any]

PAUSE = 0.08  # seconds between two states of a growing answer: a browser draws more of them no better
QUIET = 30  # seconds after the opening in which nothing is done that no visitor has asked for
PATIENCE = 900  # seconds that a question waits for the first build


@dataclass(frozen=True)
class Stage:
    """A step of the work behind the page, `done` of `total`."""

    what: str
    done: int
    total: int
    begun: float

    def shown(self, strings: Strings) -> str:
        """The step, how far it is, and how long it may take."""
        name, _, rest = self.what.partition(", ")
        what = strings.stages.get(name, name) + (f" ({strings.languages.get(rest, rest)})" if rest else "")
        text = strings.step.format(what=what, done=self.done, total=self.total)
        spent = time.monotonic() - self.begun
        if self.done and spent > 3:
            text += " · " + strings.left.format(seconds=round(spent / self.done * (self.total - self.done)) + 1)
        return text


class Opening:
    """The pipeline, opened in a thread behind the page, since the page must answer before the model is loaded."""

    def __init__(self, open_pipeline: Callable[[Progress], "Pipeline"]) -> None:
        self._open = open_pipeline
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None
        self._stage: Stage | None = None
        self.pipeline: Pipeline | None = None

    def start(self) -> None:
        """Begin, unless it is open or opening. After a failure this tries again."""
        with self._lock:
            if self.pipeline is None and (self._thread is None or not self._thread.is_alive()):
                self._error = None
                self._thread = threading.Thread(target=self._run, daemon=True, name="opening")
                self._thread.start()

    @property
    def failed(self) -> Exception | None:
        """Why the last try failed, if it did."""
        return self._error

    def state(self, strings: Strings) -> str:
        """What is being done, in a line."""
        stage = self._stage
        return stage.shown(strings) if stage and stage.done < stage.total else strings.loading

    def wait(self, seconds: float) -> "Pipeline | None":
        """The pipeline, or None if it is not open after so many seconds. Raises what opening it raised."""
        if self.pipeline is None and self._thread:
            self._thread.join(seconds)
        if self._error:
            raise self._error
        return self.pipeline

    def _progress(self, what: str, done: int, total: int) -> None:
        begun = self._stage.begun if self._stage and self._stage.what == what else time.monotonic()
        self._stage = Stage(what, done, total, begun)

    def _run(self) -> None:
        try:
            self.pipeline = self._open(self._progress)
        except Exception as error:  # kept for the asker: raised by `wait`, translated at the door below
            self._stage = None
            self._error = error
            if not isinstance(error, JiphyeonError):
                logger.exception("The pipeline could not be opened")


def ask(
    question: str, chat: Sequence[Message], answers: Sequence[Answer], page_language: str, opening: Opening, model: str = ""
) -> Iterator[tuple[Any, Any, Any, Any]]:
    """States of (input box, chat, answers, evidence) for a question, until its answer is complete. `model`: the one chosen."""
    keep = gr.skip()
    question = question.strip()
    if not question:
        yield keep, keep, keep, keep
        return
    forgotten = not answers and any(render.is_answer(_html(message)) for message in chat)
    if forgotten:  # as a lost connection's state is
        chat = [_message(message["role"], render.unheld(_html(message))) for message in chat]
    shown = [*chat, _message("user", render.asked(question, language_of(question)))]
    yield "", [*shown, _message("assistant", render.waiting(""))], keep, keep
    for html, answer, pane in _answered(question, answers, page_language, opening, model, forgotten):
        yield keep, [*shown, _message("assistant", html)], [*answers, answer] if answer else keep, pane or keep


def _answered(
    question: str, answers: Sequence[Answer], page_language: str, opening: Opening, model: str, forgotten: bool
) -> Iterator[tuple[str, Answer | None, str]]:
    """The growing answer as HTML, itself, and the evidence of its first quote; or what is waited for or went wrong."""
    language = language_of(question)
    strings = STRINGS[language]
    try:
        opening.start()
        deadline = time.monotonic() + PATIENCE
        while (pipeline := opening.wait(0.5)) is None and time.monotonic() < deadline:
            yield render.waiting(f"{strings.preparing} {opening.state(strings)}"), None, ""
        if pipeline is None:
            yield render.problem(strings, opening.state(strings), strings.problem_open), None, ""
            return
        documents = pipeline.index.documents
        turn, coverage = len(answers), coverage_of(pipeline, language)
        for answer in throttled(pipeline.stream({"question": question, "history": history(answers), "model": model})):
            if forgotten:
                answer = replace(answer, notice=answer.notice or strings.gone)
            target = render.first_target(answer, documents)
            pane = evidence.of_answer(answer, documents, turn, target, "quote", spoken(page_language, language))
            yield render.answer(answer, documents, turn, coverage), answer, pane
    except JiphyeonError as error:
        yield render.problem(strings, str(error), strings.problem_open if opening.failed else ""), None, ""
    except Exception:  # the door: an asker must never see a stack trace, nor nothing
        logger.exception("A question could not be answered")
        yield render.problem(strings, strings.unexpected), None, ""


def spoken(page_language: str, otherwise: Language = "en") -> Language:
    """The page's language; `otherwise` until the browser has told it: a question may be sent before that."""
    return next((language for language in STRINGS if language == page_language), otherwise)


def throttled(answers: Iterator[Answer]) -> Iterator[Answer]:
    """The answers without those that come too soon after another; the last one always.

    Of quotes only the last: their blocks are all there at once, and a state in between would be drawn only to be drawn again.
    """
    last: Answer | None = None
    given = -PAUSE
    for answer in answers:
        last = answer
        if answer.mode == "generative" and time.monotonic() - given >= PAUSE:
            given = time.monotonic()
            last = None
            yield answer
    if last is not None:
        yield last


def history(answers: Sequence[Answer]) -> list[Turn]:
    """The conversation so far, as the pipeline takes it."""
    turns: list[Turn] = []
    for answer in answers:
        turns += [{"role": "user", "content": answer.question}, {"role": "assistant", "content": answer.text}]
    return turns


def coverage_of(pipeline: "Pipeline", language: Language) -> str:
    """What the corpus covers, in a sentence."""
    from rag.answer.coverage import sentence

    return sentence(pipeline.index, language)


def again(
    chat: Sequence[Message], answers: Sequence[Answer], page_language: str, opening: Opening, model: str = ""
) -> Iterator[Any]:
    """As `ask`: the last question once more, its answer in place of the one it had."""
    if chat:
        yield from ask(last_question(chat), *without_last(chat, answers), page_language, opening, model)


def control(
    act: str, chat: Sequence[Message], answers: Sequence[Answer], page_language: str, opening: Opening
) -> tuple[Any, ...]:
    """(input box, chat, answers, evidence, note over the box, file to save) after one of the controls was pressed.

    The file is a JSON list [name, type, text] that the browser saves: it is the visitor's, no copy of it stays here.
    """
    keep, language = gr.skip(), spoken(page_language)
    strings = STRINGS[language]
    documents: Mapping[str, Document] = opening.pipeline.index.documents if opening.pipeline else {}
    name = act.partition(" ")[0]  # behind it is a number that makes each press new
    if name == "new":
        return "", [], [], explore_list(documents, [], language) if documents else "", "", ""
    if name == "edit" and chat:
        return last_question(chat), keep, keep, keep, render.editing(strings), ""
    if name == "keep":
        return "", keep, keep, keep, "", ""
    if name == "stop":
        return keep, stopped(act, chat, page_language), keep, keep, keep, ""
    if name in ("markdown", "json") and answers:
        now = datetime.now().astimezone()
        markdown = name == "markdown"
        text = export.as_markdown(answers, documents, language, now) if markdown else export.as_json(answers, documents, now)
        file = f"jiphyeon-{now:%Y-%m-%d-%H%M}.{'md' if markdown else 'json'}"
        return keep, keep, keep, keep, keep, json.dumps([file, "text/markdown" if markdown else "application/json", text])
    if name in ("markdown", "json") and chat:
        return keep, keep, keep, render.waiting(strings.gone), keep, ""
    return keep, keep, keep, keep, keep, ""


def stopped(act: str, chat: Sequence[Message], page_language: str) -> Any:
    """The conversation after Stop: what was under way says so. Asked twice, as a last word of what was stopped may come in between."""
    if act.partition(" ")[0] != "stop" or not chat:
        return gr.skip()
    return [*chat[:-1], _message("assistant", render.stopped(_html(chat[-1]), STRINGS[spoken(page_language)]))]


def last_question(chat: Sequence[Message]) -> str:
    """The last question, as it was asked."""
    return render.asked_text(_html(chat[-2]))


def without_last(chat: Sequence[Message], answers: Sequence[Answer]) -> tuple[Sequence[Message], Sequence[Answer]]:
    """The conversation without its last question. Where that was not answered, all answers stay."""
    return chat[:-2], answers[:-1] if render.is_answer(_html(chat[-1])) else answers


def show(pick: str, answers: Sequence[Answer], page_language: str, opening: Opening) -> Any:
    """The evidence pane for what was picked: a JSON list [turn, target, view], as the page's links carry it."""
    try:
        turn, target, view = json.loads(pick)[:3]
        turn = int(turn)
    except (ValueError, TypeError):
        return gr.skip()
    view = "document" if view == "document" else "quote"
    language = spoken(page_language)
    documents: Mapping[str, Document] = opening.pipeline.index.documents if opening.pipeline else {}
    if str(target).startswith("?"):  # a permanent link, which can come before the documents are open
        if not documents:
            return render.waiting(opening.state(STRINGS[language]))
        return evidence.of_link(target, documents, view, language)
    if str(target).startswith("d") and target[1:] in documents:
        return evidence.of_document(documents[target[1:]], language)
    if not 0 <= turn < len(answers):
        return render.waiting(STRINGS[language].gone)
    return evidence.of_answer(answers[turn], documents, turn, str(target), view, language) or gr.skip()


def explore_list(documents: Mapping[str, Document], answers: Sequence[Answer], language: Language) -> str:
    """The corpus as a list."""
    from rag.explore.catalogue import catalogue

    body = explore.catalogue(catalogue(documents, language), (), "", language)
    return explore.page("list", body, language, explore.evidence_pick(answers))


def explored(wanted: str, answers: Sequence[Answer], page_language: str, opening: Opening) -> Iterator[Any]:
    """States of the evidence pane for a view of the corpus that was asked for: that it is being drawn, then the view."""
    language = spoken(page_language)
    try:
        asked = explore.Wanted.model_validate_json(wanted)
    except ValidationError:
        yield gr.skip()
        return
    back = explore.evidence_pick(answers)
    pipeline = opening.pipeline
    if pipeline is None:
        yield explore.page(asked.view, render.waiting(opening.state(STRINGS[language])), language, back)
        return
    if asked.view != "list":
        yield explore.page(asked.view, explore.waiting(language), language, back)
    try:
        body = _view(asked, pipeline, answers, language)
    except JiphyeonError as error:
        body = render.problem(STRINGS[language], str(error))
    except Exception:  # the door, as for a question
        logger.exception("A view of the corpus could not be drawn")
        body = render.problem(STRINGS[language], STRINGS[language].unexpected)
    yield explore.page(asked.view, body, language, back)


def _view(asked: explore.Wanted, pipeline: "Pipeline", answers: Sequence[Answer], language: Language) -> str:
    """The body of a view. Each is computed when it is first asked for, and kept."""
    from rag.explore import catalogue, compare, timeline
    from rag.explore.map import corpus_map

    index, documents = pipeline.index, pipeline.index.documents
    if asked.view == "timeline":
        newest = max((document.as_of for document in documents.values()), default="")
        return explore.timeline(timeline.timeline(index, language), newest, language)
    if asked.view == "map":
        return explore.corpus_map(corpus_map(index), answers[-1].passages if answers else (), language)
    if asked.view == "compare":
        offered = compare.compared(documents)
        places = [place for place in asked.places if place in offered] or offered[: explore.MOST_PLACES]
        aspect = asked.aspect if asked.aspect in compare.ASPECTS else explore.Wanted().aspect
        cells = compare.compare(index, pipeline.embedder, language, places, aspect)
        return explore.comparison(cells, offered, aspect, documents, language)
    query = normalise(asked.query)
    found = catalogue.search(index, pipeline.embedder, query) if query else ()
    return explore.catalogue(catalogue.catalogue(documents, language), found, query, language)


def draw_ahead(opening: Opening) -> None:
    """Draw the map before it is asked for: when the first visitor has been served, and only with what power nobody else wants."""
    from rag.explore.map import corpus_map

    while (pipeline := opening.pipeline) is None:
        time.sleep(1)
    time.sleep(QUIET)
    if sys.platform == "linux":  # where a thread has a priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
    corpus_map(pipeline.index)


def first_visit(language: Language, opening: Opening) -> tuple[str, str, bool]:
    """The welcome, the evidence pane without an answer, and whether there is more to wait for."""
    strings = STRINGS[language]
    documents = opening.pipeline.index.documents if opening.pipeline else {}
    state = opening.state(strings)
    if opening.failed:
        known = isinstance(opening.failed, JiphyeonError)
        state = f"{strings.problem_open} {opening.failed if known else strings.unexpected}"
    pane = explore_list(documents, (), language) if documents else ""
    return render.welcome(documents, language, state), pane, not documents and not opening.failed


def preferred_language(accept: str, stored: str) -> Language:
    """The language chosen before; else Korean or English, whichever the browser names first; else English."""
    named = [stored, *(part.strip()[:2] for part in accept.lower().split(","))]
    return next((spoken(name) for name in named if name in STRINGS), "en")


def call(opening: Opening, tool: str, **arguments: Any) -> Any:
    """What a tool of `rag.tools` gives, for programs. Raises gr.Error with what is wrong and how to mend it."""
    try:
        return tools.call(partial(opened, opening), tool, arguments)
    except JiphyeonError as error:
        raise gr.Error(str(error), print_exception=False) from error


def opened(opening: Opening) -> "Pipeline":
    """The pipeline, awaited. Raises QuestionError if it takes too long, or what opening it raised."""
    opening.start()
    pipeline = opening.wait(PATIENCE)
    if pipeline is None:
        raise QuestionError("The documents are still being prepared; ask again in some minutes.")
    return pipeline


def _html(message: Message) -> str:
    return str(message["content"][0]["text"])


def _message(role: str, html: str) -> Message:
    return {"role": role, "content": [{"type": "text", "text": html}]}
