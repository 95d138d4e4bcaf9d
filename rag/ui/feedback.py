"""What happens when a visitor judges an answer."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import gradio as gr
from pydantic import BaseModel, Field, ValidationError

from rag import feedback
from rag.errors import FeedbackError
from rag.types import Answer
from rag.ui.handlers import spoken
from rag.ui.judging import JUDGING_STRINGS, dialog, key

logger = logging.getLogger(__name__)

PRESSES = 60  # of one visit: nobody judges so much, and a script fills the file no faster


class Press(BaseModel):
    """What the page's script says of a press. Without a verdict it takes the judgement back."""

    turn: int = Field(ge=0)
    key: str
    verdict: feedback.Verdict | None
    marker: int | None = None
    comment: str = Field(default="", max_length=feedback.COMMENT)


@dataclass(frozen=True, kw_only=True)
class Given:
    """What one visit has judged: the ids of its judgements by the keys of their answers."""

    ids: Mapping[str, str] = field(default_factory=dict)
    presses: int = 0


def draw(path: Path, answers: gr.State, language: gr.Textbox) -> None:
    """The dialog and the events, where this is called in the page; the buttons are part of the answers."""
    given = gr.State(Given())
    asked = gr.HTML(elem_id="judging", apply_default_css=False, padding=False)  # page.css shows the buttons where this is
    pressed, told = (gr.Textbox(visible="hidden", elem_id=name) for name in ("judge", "judged"))
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    language.change(lambda name: dialog(spoken(name)), language, asked, **quiet)
    judged = pressed.change(
        partial(judge, path),
        [pressed, answers, given, language],
        [given, told],
        trigger_mode="multiple",
        concurrency_limit=1,  # two quick presses of one visit would each not know of the other's judgement
        **quiet,
    )
    judged.then(None, told, None, js="(told) => window.jiphyeon.judged(told)", **quiet)


def judge(path: Path, pressed: str, answers: Sequence[Answer], given: Given, page_language: str) -> tuple[Any, Any]:
    """(what the visit has judged, what to show of it) after a press. The second is JSON: the answer's key, the verdict, a sentence.

    A verdict that could not be kept, or taken back, is not in it.
    """
    try:
        press = Press.model_validate_json(pressed)
    except ValidationError:
        return gr.skip(), gr.skip()
    answer = answers[press.turn] if press.turn < len(answers) else None
    if answer is None or key(answer) != press.key:
        said = JUDGING_STRINGS[spoken(page_language)].problems["gone"]
        return gr.skip(), json.dumps({"key": press.key, "problem": said})
    strings = JUDGING_STRINGS[answer.language]
    wrong = press.verdict == "wrong-citation"
    if wrong and press.marker not in {citation.marker for citation in answer.citations}:
        return gr.skip(), gr.skip()
    if given.presses >= PRESSES and press.verdict:
        return gr.skip(), json.dumps({"key": press.key, "problem": strings.problems["often"]})
    id = given.ids.get(press.key, "")
    given = replace(given, presses=given.presses + 1)
    try:
        if press.verdict:
            id = id or uuid4().hex
            judged = feedback.judgement(
                answer,
                answers[: press.turn],
                press.verdict,
                press.marker,
                press.comment if wrong else "",
                id=id,
                now=datetime.now().astimezone(),
            )
            feedback.keep(path, judged)
            said = strings.thanks
        else:
            if id:
                feedback.take_back(path, id)
            said = strings.taken_back
    except FeedbackError as error:
        logger.warning("%s", error)
        return given, json.dumps({"key": press.key, "problem": strings.problems[error.reason]})
    ids = {**given.ids, press.key: id}
    return replace(given, ids=ids), json.dumps({"key": press.key, "verdict": press.verdict, "said": said, "press": given.presses})
