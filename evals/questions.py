"""Questions and qrels from files that anybody may have written."""

import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from rag.errors import JiphyeonError, QuestionError
from rag.pipeline import check
from rag.text import language_of, normalise
from rag.types import Language, Turn

Qrels = dict[str, dict[str, int]]  # question id -> key of a passage -> relevance

PAIRS = ("ko-ko", "en-en", "ko-en", "en-ko")  # language of the question, language of the evidence
KINDS = (
    "direct",
    "paraphrase",
    "spoken",
    "misspelt",
    "provision",
    "multi-part",
    "false-premise",
    "disagreement",
    "follow-up",
    "unanswerable-near",
    "unanswerable-far",
)
LINE = 'a line is {"id": ..., "question": ...} and, optionally, history, lang, kind, pair, split, topic, nuggets, must_not, sides'


class EvalQuestion(BaseModel):
    """A line of a question file. Only `id` and `question` are needed; each further field opens metrics.

    A nugget, and a side of a disagreement, is a list of forms: any one of them will do. Forms are compared literally.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)

    id: str = Field(min_length=1, pattern=r"^\S+$")
    question: str
    history: tuple[Turn, ...] = ()
    lang: Language = "en"  # where it is not given, that of the pair or by detection
    kind: str = "direct"
    pair: str = Field(default="", pattern=r"^$|^(ko|en)-(ko|en)$")
    split: Literal["dev", "test"] = "test"
    topic: str = ""
    nuggets: tuple[tuple[str, ...], ...] = ()
    must_not: tuple[str, ...] = ()
    sides: tuple[tuple[str, ...], ...] = ()
    why: str = ""  # what an unanswerable question asks for that the corpus does not say

    @model_validator(mode="before")
    @classmethod
    def _languages(cls, values: object) -> object:
        if isinstance(values, dict) and isinstance(values.get("question"), str):
            pair = values.get("pair") or ""
            lang = values.get("lang") or str(pair).partition("-")[0] or language_of(values["question"])
            return {**values, "lang": lang, "pair": pair or f"{lang}-{lang}"}
        return values

    @field_validator("question")
    @classmethod
    def _askable(cls, question: str) -> str:
        try:
            return check(question)
        except JiphyeonError as error:
            raise ValueError(str(error)) from error

    @field_validator("nuggets", "sides")
    @classmethod
    def _forms(cls, found: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        if any(not forms or not all(map(str.strip, forms)) for forms in found):
            raise ValueError("each is a list of forms, none of them empty")
        return tuple(tuple(map(normalise, forms)) for forms in found)

    @field_validator("must_not")
    @classmethod
    def _normalised(cls, forms: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(str.strip, forms)):
            raise ValueError("a form is empty")
        return tuple(map(normalise, forms))

    @model_validator(mode="after")
    def _consistent(self) -> "EvalQuestion":
        if not self.pair.startswith(self.lang):
            raise ValueError(f"the pair {self.pair!r} does not begin with the question's language, {self.lang!r}")
        if not self.answerable and (self.nuggets or self.sides):
            raise ValueError("an unanswerable question has nuggets or sides; remove them or change its kind")
        return self

    @property
    def answerable(self) -> bool:
        """Whether the corpus answers it, which its kind tells."""
        return not self.kind.startswith("unanswerable")

    @property
    def evidence(self) -> Language:
        """The language of the evidence."""
        return "ko" if self.pair.endswith("ko") else "en"


def read_questions(path: Path) -> list[EvalQuestion]:
    """The questions of a JSONL file, in order. Raises QuestionError naming file, line and what mends it."""
    found: dict[str, EvalQuestion] = {}
    for number, line in _lines(path, "questions", "UTF-8 JSON, one object a line"):
        try:
            question = EvalQuestion.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            reason = first["msg"].removeprefix("Value error, ")
            raise QuestionError(f"{path}:{number}: {where + ': ' if where else ''}{reason}; {LINE}") from error
        if question.id in found:
            raise QuestionError(f"{path}:{number}: the id {question.id!r} is there twice; give every question its own")
        found[question.id] = question
    if not found:
        raise QuestionError(f"{str(path)!r} holds no question; {LINE}")
    return list(found.values())


def read_qrels(path: Path) -> Qrels:
    """TREC qrels, `question 0 key relevance` a line; relevance 0 is as good as no line. Raises QuestionError."""
    found: Qrels = {}
    for number, line in _lines(path, "qrels", "UTF-8 lines of `question 0 key relevance`"):
        parts = line.split()
        if len(parts) != 4 or not re.fullmatch(r"-?\d+", parts[3]):
            raise QuestionError(
                f"{path}:{number}: {line.strip()!r} is no qrel; a line is `question 0 key relevance`, the relevance a whole number"
            )
        question, _, key, relevance = parts
        if int(relevance) > 0:
            found.setdefault(question, {})[normalise(key)] = int(relevance)
    return found


def check_qrels(path: Path, questions: list[EvalQuestion], qrels: Qrels, known: Callable[[str], bool]) -> None:
    """Raises QuestionError if qrels name a passage that the index lacks, or an unanswerable question."""
    for question in questions:
        if not question.answerable and question.id in qrels:
            raise QuestionError(
                f"{path}: the question {question.id!r} is {question.kind} and has qrels; remove them or change its kind"
            )
        for key in qrels.get(question.id, ()):
            if not known(key):
                raise QuestionError(
                    f"{path}: the qrels of {question.id!r} name {key!r}, which is no passage of the index. A key is a document's id, "
                    "or `id#n` for what follows its n-th heading `## `; python -m ingest show ID prints a document"
                )


def subset(questions: list[EvalQuestion], every: int) -> list[EvalQuestion]:
    """One question in `every`, in order. Which ones is told by their ids alone: a question more or less moves no other."""
    return [question for question in questions if int(sha256(question.id.encode()).hexdigest(), 16) % every == 0]


def _lines(path: Path, what: str, form: str) -> list[tuple[int, str]]:
    """(number, line) of the lines that are not blank."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionError(f"Cannot read the {what} in {str(path)!r}: {error}. It must be {form}.") from error
    return [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
