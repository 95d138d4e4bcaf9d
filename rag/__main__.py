"""python -m rag ask | verify | mcp"""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, Field, ValidationError
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from rag import export
from rag.chat import QUOTES
from rag.config import Settings
from rag.errors import QuestionError
from rag.index import read_texts
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


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A conversation exported from the page, or answers that `ask` wrote as JSON.")],
    index: Annotated[Path | None, typer.Option("--index", help="Folder of the index.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print the outcomes as JSON.")] = False,
) -> None:
    """Check every quote of a file against the index. Exit code 1 if one does not stand word for word at its place."""
    answers = export.read(file)
    manifest, documents = read_texts((Settings(index=index) if index else Settings()).index)
    found = list(export.verify(answers, documents))
    bad = sum(not quote.good for quote in found)
    if json_output:
        outcomes = [{**asdict(quote), "good": quote.good} for quote in found]
        summary = {"file": str(file), "index": manifest.fingerprint, "answers": len(answers), "quotes": len(found), "bad": bad}
        print(json.dumps({**summary, "outcomes": outcomes}, ensure_ascii=False, indent=1))
    else:
        _print_outcomes(found)
        print(
            f"{len(found) - bad} of {len(found)} quotes of {len(answers)} answers stand at their places (index {manifest.fingerprint})."
        )
    raise typer.Exit(1 if bad else 0)


def _print_outcomes(found: Sequence[export.Verified]) -> None:
    table = Table("answer", "quote", "document", "characters", "outcome", box=None, pad_edge=False)
    for quote in found:
        place = f"{quote.start}-{quote.end}" + (f" → {quote.now[0]}-{quote.now[1]}" if quote.now else "")
        row = (quote.answer, f"[{quote.marker}]", quote.document_id, place, export.OUTCOMES[quote.outcome])
        table.add_row(*(Text(cell, overflow="fold") for cell in row), style="" if quote.good else "red")
    Console().print(table)


@app.command()
def mcp(index: Annotated[Path | None, typer.Option("--index", help="Folder of the index.")] = None) -> None:
    """Serve search, ask and document to an agent by the Model Context Protocol on standard input and output."""
    from rag.mcp_server import over_stdio

    settings = Settings(index=index) if index else Settings()
    with ThreadPoolExecutor(1) as opening:  # agents expect the greeting long before the model is loaded
        over_stdio(opening.submit(open_pipeline, settings).result)


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
