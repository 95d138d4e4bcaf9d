"""python -m rag ask"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, Field, ValidationError
from rich.progress import track

from rag.chat import QUOTES
from rag.config import Settings
from rag.errors import QuestionError
from rag.pipeline import open_pipeline
from rag.terminal import console, main
from rag.types import Question, Turn

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Questions in Korean and English, answered with quotes.",
)


class QuestionLine(BaseModel):
    """A line of a question file."""

    id: str | int
    question: str
    history: list[Turn] = Field(default_factory=list)


@app.callback()
def _commands() -> None:
    """Questions in Korean and English, answered with quotes."""


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="The question, in Korean or English.")] = None,
    index: Annotated[Path | None, typer.Option("--index", help="Folder of the index.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON.")] = False,
    batch: Annotated[Path | None, typer.Option("--batch", help="Questions, one JSON object a line.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where the answers go, one JSON object a line.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="Chat model, PROVIDER:MODEL; none for quotes alone.")] = None,
    passages: Annotated[int | None, typer.Option("--passages", min=1, help="How many passages each answer lists.")] = None,
) -> None:
    """Answer one question, or a file of them."""
    if (question is None) == (batch is None):
        raise QuestionError('Ask one question, python -m rag ask "...", or a file of them with --batch FILE --out FILE.')
    lines = list(read_questions(batch)) if batch else []
    if batch and out is None:
        raise QuestionError("--batch needs --out FILE for the answers.")
    settings = Settings(index=index) if index else Settings()
    if model is not None:
        settings = settings.model_copy(update={"chat_model": "" if model == QUOTES else model})
    pipeline = open_pipeline(settings)
    listed = passages or settings.passages
    if question is not None:
        answer = pipeline.invoke({"question": question, "passages": listed})
        if answer.notice and not json_output:
            console.print(answer.notice, style="yellow", markup=False, highlight=False, soft_wrap=True)
        print(json.dumps(answer.to_json(), ensure_ascii=False, indent=1) if json_output else answer.text)
        return
    assert out is not None
    out.parent.mkdir(parents=True, exist_ok=True)
    with open(out, "w", encoding="utf-8") as file:
        for line in track(lines, "answers", console=console, transient=True):
            asked: Question = {"question": line.question, "history": line.history, "passages": listed}
            record: dict[str, Any] = {"id": line.id, **pipeline.invoke(asked).to_json()}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    console.print(f"{len(lines)} answers in {out}")


def read_questions(path: Path) -> Iterator[QuestionLine]:
    """The questions of a JSONL file. Raises QuestionError naming the line that cannot be used."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionError(
            f"Cannot read the questions in {str(path)!r}: {error}. It must be UTF-8 JSON, one object a line."
        ) from error
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found = QuestionLine.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise QuestionError(
                f'{path}:{number}: {where + ": " if where else ""}{first["msg"]}; a line is {{"id": ..., "question": ...}}'
            ) from error
        if not found.question.strip():
            raise QuestionError(f"{path}:{number}: the question is empty")
        yield found


if __name__ == "__main__":
    main(app)
