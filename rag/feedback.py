"""What visitors judged of answers, in a local file of one JSON object a line that belongs to whoever runs the page.

A line is there because a visitor pressed a button that says so, and goes when the visitor takes it back. It holds no address,
no cookie, nothing that tells visits apart, and nothing of a visitor's own documents.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from filelock import FileLock
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from rag.answer.frame import OWN
from rag.errors import FeedbackError
from rag.export import Cited
from rag.text import normalise
from rag.types import Answer, Language

Verdict = Literal["helpful", "not-helpful", "wrong-citation"]
COMMENT = 500  # characters
HISTORY = 10  # questions before the judged one, the latest: what a follow-up can lean on
MAX_BYTES = 10_000_000
_CITED = ("marker", "document_id", "quote", "start", "end", "title")
_EXCLUDED = {"citations": {"__all__": {"document_sha256"}}}
PATIENCE = 5  # seconds for the file's lock


class Judgement(BaseModel):
    """A line of the file. `citations` lacks those from the visitor's own documents, `own` of them."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    time: AwareDatetime
    verdict: Verdict
    marker: int | None = None  # of the citation that is wrong
    comment: str = Field(default="", max_length=COMMENT)
    question: str = Field(min_length=1)
    language: Language
    history: tuple[str, ...] = ()  # the questions before
    mode: Literal["extractive", "generative"] = "extractive"
    model: str = ""
    index: str = ""  # fingerprint
    refused: bool = False
    citations: tuple[Cited, ...] = ()
    own: int = 0

    @model_validator(mode="after")
    def _consistent(self) -> "Judgement":
        if (self.verdict == "wrong-citation") != (self.marker is not None):
            raise ValueError("a marker belongs to the verdict 'wrong-citation', and only to it")
        return self


def judgement(
    answer: Answer, before: Sequence[Answer], verdict: Verdict, marker: int | None, comment: str, *, id: str, now: datetime
) -> Judgement:
    """The judgement of an answer that came after those of `before`. `now` carries its time zone."""
    public = [citation for citation in answer.citations if citation.kind != OWN]
    return Judgement(
        id=id,
        time=now.replace(microsecond=0),
        verdict=verdict,
        marker=marker if verdict == "wrong-citation" else None,
        comment=normalise(comment)[:COMMENT],
        question=normalise(answer.question),
        language=answer.language,
        history=tuple(normalise(earlier.question) for earlier in before[-HISTORY:]),
        mode=answer.mode,
        model=answer.model,
        index=answer.index.get("fingerprint", ""),
        refused=answer.refused,
        citations=tuple(Cited(**{name: getattr(found, name) for name in _CITED}) for found in public),
        own=len(answer.citations) - len(public),
    )


def keep(path: Path, judged: Judgement) -> None:
    """Write the judgement, in place of the one with its id if there is one. Raises FeedbackError."""
    _rewrite(path, judged.id, judged.model_dump_json(exclude=_EXCLUDED) + "\n")


def take_back(path: Path, id: str) -> None:
    """Delete the judgement. Raises FeedbackError."""
    _rewrite(path, id, "")


def _rewrite(path: Path, id: str, line: str) -> None:
    """Replace the file by one without the judgement `id`, with `line` at its end: at every moment it holds whole lines."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock", timeout=PATIENCE):
            before = path.read_bytes() if path.exists() else b""
            begins = f'{{"id":"{id}"'.encode()
            kept = b"".join(old for old in before.splitlines(keepends=True) if not old.startswith(begins))
            end = b"" if not kept or kept.endswith(b"\n") else b"\n"  # an editor may have left none
            after = kept + end + line.encode()
            if line and len(after) > MAX_BYTES:
                raise FeedbackError(
                    f"The feedback in {str(path)!r} would be over {MAX_BYTES:,} bytes; move the file away, or delete it.", "full"
                )
            new = path.with_name(path.name + ".new")
            new.touch(mode=0o600)
            new.write_bytes(after)
            new.replace(path)
    except OSError as error:  # filelock's Timeout is one
        raise FeedbackError(
            f"Cannot write the feedback to {str(path)!r}: {error}. JIPHYEON_FEEDBACK names a file in a folder that can be written to.",
            "unwritable",
        ) from error


def read(path: Path) -> list[Judgement]:
    """The judgements of a file, in order. Raises FeedbackError naming file, line and what is wrong there."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FeedbackError(
            f"Cannot read the feedback in {str(path)!r}: {error}. It must be UTF-8 JSON, one object a line."
        ) from error
    found: dict[str, Judgement] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            judged = Judgement.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise FeedbackError(
                f"{path}:{number}: {where + ': ' if where else ''}{first['msg'].removeprefix('Value error, ')}; "
                "a line is what the page wrote of one judgement. Mend it or delete it."
            ) from error
        if judged.id in found:
            raise FeedbackError(f"{path}:{number}: the id {judged.id!r} is there twice; delete one of the two lines.")
        found[judged.id] = judged
    return list(found.values())
