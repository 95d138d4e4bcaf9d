"""What other programs may ask of a pipeline: `search`, `ask` and `document`. Stateless, typed both ways.

Each tool is a function of a pipeline and its validated arguments; its docstring is the description that programs see.
`rag.ui` offers them by HTTP, `rag.mcp_server` to agents.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from rag.errors import RequestError
from rag.text import plain
from rag.types import Citation, Document, Language, Passage, Turn, Unsupported

if TYPE_CHECKING:
    from rag.pipeline import Pipeline

PASSAGES, MOST_PASSAGES = 10, 50
MOST_TURNS = 100
MOST_CHARACTERS = 100_000  # of a document in one result: more floods a model's context and is rarely meant

_HEADING = re.compile(r"^(#{1,6}) +(.+?) *#*$", re.MULTILINE)

Start = Annotated[int, Field(description="First code point of the span in the document's normalised text.")]
End = Annotated[int, Field(description="The code point behind the span: text[start:end] is what is quoted.")]


class Source(TypedDict):
    """Where a document comes from."""

    title: str
    url: str


class Metadata(TypedDict):
    """What is known about a document; empty where it is not known."""

    document_id: Annotated[str, Field(description="What `document` takes as `id`.")]
    title: str
    language: str
    kind: Annotated[str, Field(description="law, decree, bill, treaty, order, case, letter, policy, commentary and the like.")]
    issuer: str
    jurisdiction: str
    status: str
    published: str
    as_of: Annotated[str, Field(description="The date as of which the document speaks.")]
    url: str
    counterpart: Annotated[str, Field(description="Id of the same text in the other language.")]


class Found(Metadata):
    """A passage with its place and its document."""

    rank: int
    score: Annotated[float, Field(description="Higher is better; comparable within one search only.")]
    chunk_id: str
    headings: list[str]
    start: Start
    end: End
    text: str


class IndexRecord(TypedDict):
    """What answered: the index and the model behind it."""

    fingerprint: str
    built_at: str
    embedding_model: str


class SearchResult(TypedDict):
    """Passages, best first."""

    query: str
    passages: list[Found]
    index: IndexRecord


class Listed(TypedDict):
    """A passage that was retrieved for an answer."""

    rank: int
    score: float
    document_id: str
    chunk_id: str
    start: Start
    end: End
    text: str


class Timings(TypedDict):
    """Milliseconds."""

    retrieve: float
    answer: float
    total: float


class AnswerRecord(TypedDict):
    """An answer: what `Answer.to_json` gives."""

    question: str
    language: Language
    text: Annotated[str, Field(description="The answer in Markdown with the markers [n] of its citations.")]
    mode: Annotated[str, Field(description='"extractive": quoted, not generated; "generative": written by `model`.')]
    model: str
    refused: Annotated[bool, Field(description="The documents do not answer the question; `text` says why, nothing is guessed.")]
    refusal_reason: str
    confidence: float
    citations: list[Citation]
    unsupported: Annotated[list[Unsupported], Field(description="What the model wrote and the checks did not pass.")]
    notice: Annotated[str, Field(description="Why the chat model's words are not there, or not all of them.")]
    passages: list[Listed]
    timings_ms: Timings
    index: IndexRecord


class Heading(TypedDict):
    """An entry of a document's outline."""

    level: int
    title: str
    start: Start


class DocumentRecord(Metadata):
    """A document, or a part of its text."""

    author: str
    license: str
    sources: list[Source]
    outline: list[Heading]
    characters: Annotated[int, Field(description="Length of the whole text in code points.")]
    start: Annotated[int, Field(description="First code point of `text` in the document.")]
    end: Annotated[int, Field(description="The code point behind `text`; below `characters` there is more to ask for.")]
    text: str
    index: IndexRecord


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SearchArguments(_Arguments):
    """What `search` takes."""

    query: str = Field(
        description="What to look for, in Korean or English: a question, words, or a provision (제31조제2항, Article 6(2))."
    )
    limit: int = Field(default=PASSAGES, ge=1, le=MOST_PASSAGES, description="How many passages.")
    language: Language | None = Field(
        default=None,
        description='Only passages in this language, "ko" or "en". Without it both are searched, and of a text that exists in both '
        "the one in the query's language is given.",
    )


class AskArguments(_Arguments):
    """What `ask` takes."""

    question: str = Field(description="The question, in Korean or English; it is answered in its language.")
    history: list[Turn] = Field(
        default_factory=list,
        max_length=MOST_TURNS,
        description='Earlier turns, oldest first, each {"role": "user" | "assistant", "content": ...}: a follow-up is understood by them.',
    )


class DocumentArguments(_Arguments):
    """What `document` takes."""

    id: str = Field(description="A `document_id` that `search` or `ask` gave.")
    start: int = Field(default=0, ge=0, description="First code point of the text to give.")
    end: int | None = Field(
        default=None,
        ge=0,
        description=f"The code point behind it. At most {MOST_CHARACTERS:,} are given at once.",
    )


def search(pipeline: "Pipeline", asked: SearchArguments) -> SearchResult:
    """Search the corpus on AI governance: passages in Korean and English, best first.

    Each passage comes with its exact place (`start` and `end` count code points of the document's text), its document's kind,
    issuer, status and the date as of which it speaks. A Korean query finds English passages and the reverse.
    """
    from rag.pipeline import check
    from rag.retrieve import make_query, passages, rank

    text = check(asked.query)
    scored = rank(pipeline.index, make_query(text, pipeline.embedder), asked.language)
    return {
        "query": text,
        "passages": [_found(passage) for passage in passages(pipeline.index, scored, asked.limit)],
        "index": _index(pipeline),
    }


def ask(pipeline: "Pipeline", asked: AskArguments) -> AnswerRecord:
    """Ask a question on AI governance in Korean or English: an answer whose statements are quoted word for word.

    Every citation carries its quote, the document and the span in which it stands. What the documents do not say is refused
    (`refused`, `refusal_reason`), with the nearest passages. Cite the quotes with their source, kind and `as_of` date.
    """
    return cast(AnswerRecord, pipeline.invoke({"question": asked.question, "history": asked.history}).to_json())


def document(pipeline: "Pipeline", asked: DocumentArguments) -> DocumentRecord:
    """Read a document: its text, outline, sources and what is known about it.

    The text is the one whose code points all spans count. A long document is given in parts: `end` below `characters` means
    that there is more, from `start` = that `end` on. The outline covers the whole document.
    """
    documents = pipeline.index.documents
    found = documents.get(asked.id)
    if found is None:
        near = ", ".join(sorted(documents)[:5])
        raise RequestError(f"There is no document {asked.id!r}. `search` gives the ids (`document_id`), for example: {near}")
    length = len(found.text)
    end = length if asked.end is None else asked.end
    if not asked.start <= end <= length:
        raise RequestError(
            f"The document {asked.id!r} has {length:,} characters, there is no part from {asked.start:,} to {end:,} in it; "
            f"ask for 0 <= start <= end <= {length}."
        )
    end = min(end, asked.start + MOST_CHARACTERS)
    return {
        **_metadata(found),
        "author": found.author,
        "license": found.license,
        "sources": [{"title": title, "url": url} for title, url in found.sources],
        "outline": outline(found.text),
        "characters": length,
        "start": asked.start,
        "end": end,
        "text": found.text[asked.start : end],
        "index": _index(pipeline),
    }


def outline(text: str) -> list[Heading]:
    """The headings of a text in their order, with their levels (1 is the highest) and places."""
    return [{"level": len(match[1]), "title": plain(match[2]), "start": match.start()} for match in _HEADING.finditer(text)]


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A function for other programs, with the types of what it takes and gives."""

    function: Callable[["Pipeline", Any], Any]
    arguments: type[BaseModel]
    result: Any

    @property
    def description(self) -> str:
        return "\n".join(line.strip() for line in (self.function.__doc__ or "").strip().splitlines())

    @property
    def input_schema(self) -> dict[str, Any]:
        return self.arguments.model_json_schema()

    @property
    def output_schema(self) -> dict[str, Any]:
        return TypeAdapter(self.result).json_schema()


TOOLS = {
    "search": Tool(function=search, arguments=SearchArguments, result=SearchResult),
    "ask": Tool(function=ask, arguments=AskArguments, result=AnswerRecord),
    "document": Tool(function=document, arguments=DocumentArguments, result=DocumentRecord),
}


def call(pipeline: Callable[[], "Pipeline"], name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What the tool gives, ready for JSON. `pipeline` is asked for once the arguments are known to be good: it may have to be awaited.

    Raises RequestError for a tool or arguments that do not exist, QuestionError for a question that cannot be asked.
    """
    tool = TOOLS.get(name)
    if tool is None:
        raise RequestError(f"There is no tool {name!r}. There are: {', '.join(TOOLS)}.")
    try:
        asked = tool.arguments.model_validate(dict(arguments))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()[:3])
        takes = ", ".join(name + ("" if field.is_required() else "?") for name, field in tool.arguments.model_fields.items())
        raise RequestError(f"{name}: {wrong}. It takes: {takes}.") from error
    result: dict[str, Any] = tool.function(pipeline(), asked)
    return result


def _metadata(document: Document) -> Metadata:
    return {
        "document_id": document.id,
        "title": document.title,
        "language": document.language,
        "kind": document.kind,
        "issuer": document.issuer,
        "jurisdiction": document.jurisdiction,
        "status": document.status,
        "published": document.published,
        "as_of": document.as_of,
        "url": document.url,
        "counterpart": document.pair,
    }


def _found(passage: Passage) -> Found:
    return {
        **_metadata(passage.document),
        "rank": passage.rank,
        "score": round(passage.score, 6),
        "chunk_id": passage.chunk.id,
        "headings": list(passage.chunk.headings),
        "start": passage.chunk.start,
        "end": passage.chunk.end,
        "text": passage.chunk.text,
    }


def _index(pipeline: "Pipeline") -> IndexRecord:
    manifest = pipeline.index.manifest
    return {"fingerprint": manifest.fingerprint, "built_at": manifest.built_at, "embedding_model": manifest.embedding_model}
