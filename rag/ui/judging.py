"""What a visitor judges an answer with, as HTML: the buttons under it and the dialog for a wrong citation. Pure functions."""

import json
from dataclasses import dataclass
from hashlib import sha256
from html import escape

from rag.feedback import COMMENT, Verdict
from rag.types import Answer, Language


@dataclass(frozen=True, kw_only=True)
class JudgingStrings:
    """One language of the judging. Braces are filled by `str.format`. `problems`: by `FeedbackError.reason`, and too many presses."""

    group: str
    note: str
    verdicts: dict[Verdict, str]
    thanks: str
    taken_back: str
    title: str
    which: str
    comment: str
    send: str
    cancel: str
    problems: dict[str, str]


JUDGING_STRINGS: dict[Language, JudgingStrings] = {
    "ko": JudgingStrings(
        group="이 답의 평가",
        note="평가하면 이 대화의 질문도 서버에 함께 남습니다.",
        verdicts={"helpful": "도움이 됨", "not-helpful": "도움이 안 됨", "wrong-citation": "인용이 틀림"},
        thanks="평가해 주셔서 고맙습니다. 한 번 더 누르면 지웁니다.",
        taken_back="평가를 지웠습니다.",
        title="어느 인용이 틀렸나요?",
        which="인용 번호",
        comment="무엇이 틀렸는지 (적지 않아도 됩니다, {limit}자까지)",
        send="보내기",
        cancel="취소",
        problems={
            "full": "평가를 적을 자리가 다 차서 남기지 못했습니다. 답은 그대로 쓸 수 있습니다.",
            "unwritable": "서버가 파일을 쓸 수 없어 평가를 남기거나 지우지 못했습니다. 답은 그대로 쓸 수 있습니다.",
            "often": "평가를 너무 많이 하셔서 더 남기지 못합니다. 새로 고치면 다시 할 수 있습니다.",
            "gone": "이 답이 서버에 남아 있지 않아 평가를 남기지 못했습니다. 질문을 다시 보내 주세요.",
        },
    ),
    "en": JudgingStrings(
        group="Your judgement of this answer",
        note="A judgement is kept on the server with the questions of this chat.",
        verdicts={"helpful": "Helpful", "not-helpful": "Not helpful", "wrong-citation": "Wrong citation"},
        thanks="Thank you. Press again to take it back.",
        taken_back="Your judgement was deleted.",
        title="Which citation is wrong?",
        which="Number",
        comment="What is wrong with it (optional, up to {limit} characters)",
        send="Send",
        cancel="Cancel",
        problems={
            "full": "Your judgement was not kept: there is no room left for it. The answer is not affected.",
            "unwritable": "Your judgement was not kept or deleted: the server cannot write its file. The answer is not affected.",
            "often": "Your judgement was not kept: there were too many in this visit. Reload the page to go on.",
            "gone": "Your judgement was not kept: the server no longer holds this answer. Please ask again.",
        },
    ),
}


def key(given: Answer) -> str:
    """What tells this answer from every other, one to the same question as well: their times differ."""
    parts = (given.question, given.text, given.index, given.timings_ms)
    return sha256(json.dumps(parts).encode()).hexdigest()[:16]


def buttons(given: Answer, turn: int) -> str:
    """The buttons under a complete answer. What is pressed, and what was said to it, is feedback.js's.

    Gradio drops `data-*` and `aria-*` from the conversation, so the id says which answer is judged: `judge-TURN-KEY`.
    """
    strings = JUDGING_STRINGS[given.language]
    offered = "".join(
        f'<button class="{verdict}">{escape(label)}</button>'
        for verdict, label in strings.verdicts.items()
        if given.citations or verdict != "wrong-citation"
    )
    return (
        f'<div class="judge" id="judge-{turn}-{key(given)}" role="group" title="{escape(strings.group)}">{offered}'
        f'<p class="said">{escape(strings.note)}</p></div>'
    )


def dialog(language: Language) -> str:
    """Asks which citation is wrong; feedback.js opens it with the numbers of the answer."""
    strings = JUDGING_STRINGS[language]
    return (
        f'<dialog class="wrong" lang="{language}" aria-labelledby="wrong-title"><form method="dialog">'
        f'<h2 id="wrong-title">{escape(strings.title)}</h2><label>{escape(strings.which)} <select name="marker"></select></label>'
        f'<label>{escape(strings.comment.format(limit=COMMENT))}<textarea name="comment" rows="3" maxlength="{COMMENT}"></textarea></label>'
        f'<div class="ways"><button type="button" class="cancel">{escape(strings.cancel)}</button>'
        f'<button class="send">{escape(strings.send)}</button></div></form></dialog>'
    )
