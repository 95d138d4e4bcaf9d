"""Documents from files: Markdown, plain text and JSONL here, the other formats by `ingest.formats`."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ingest.decode import decode
from ingest.formats import FORMATS, read
from rag.errors import DocumentError
from rag.text import language_of, normalise, plain
from rag.types import Document

MAX_TITLE = 200  # characters: it stands over every quote, and is embedded with every chunk


def _as_text(value: object) -> object:
    """YAML reads 2026-01-22 as a date and 42 as a number; titles and ids want their text."""
    if isinstance(value, date):
        return value.isoformat()[:10]
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _as_day(value: object) -> object:
    text = _as_text(value)
    if text is None or text == "":
        return ""
    match = re.fullmatch(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", str(text))
    if not match:
        raise ValueError(f"{value!r} is not a date; write YYYY-MM-DD, YYYY-MM or YYYY")
    date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    return text


def _line(text: str) -> str:
    """One line without invisible characters: what a document says of itself must not look like a line of the page's own."""
    return " ".join(normalise(text).split())


Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else _as_text(value)), AfterValidator(_line)]
Day = Annotated[str, BeforeValidator(_as_day)]


class Source(BaseModel):
    title: Text = ""
    url: Text = ""
    published: Day = ""


class FrontMatter(BaseModel):
    """What a file or record says of itself. Unknown keys are ignored: people bring their own files."""

    model_config = ConfigDict(extra="ignore")

    id: Text = ""
    title: Text = ""
    lang: Annotated[str, Field(pattern=r"^$|^[a-z]{2,3}$"), BeforeValidator(lambda v: str(v or "").lower().split("-")[0])] = ""
    kind: Text = ""
    issuer: Text = ""
    jurisdiction: Text = ""
    status: Text = ""
    published: Day = ""
    as_of: Day = ""
    url: Text = ""
    author: Text = ""
    sources: list[Source] = []
    pair: Text = ""
    license: Text = ""


def load_file(path: Path, max_bytes: int) -> Iterator[Document | DocumentError]:
    """The documents of one file; a DocumentError in place of each one that cannot be read, naming it and why."""
    suffix = path.suffix.lower()
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise DocumentError(
                f"{size:,} bytes, over the limit of {max_bytes:,}; split it or raise JIPHYEON_MAX_FILE_BYTES", "large"
            )
        if suffix in FORMATS:
            yield make_document(*read(path), path.stem)
        else:
            yield from LOADERS[suffix](decode(path.read_bytes()), path)
    except DocumentError as error:
        yield DocumentError(f"{path}: {error}", error.reason)
    except OSError as error:
        yield DocumentError(f"{path}: {error.strerror or error}; check the file and its permissions")


def load_markdown(text: str, path: Path) -> Iterator[Document | DocumentError]:
    """One document: optional YAML front matter between `---` lines, then the text."""
    front, body = split_front_matter(text.replace("\r\n", "\n"))
    yield make_document(front, body, path.stem)


def load_jsonl(text: str, path: Path) -> Iterator[Document | DocumentError]:
    """One document a line: `{"id", "title", "text"}` and any of the front matter."""
    records = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        records += 1
        try:
            record = json.loads(line)
            if not isinstance(record, dict) or not isinstance(record.get("text"), str):
                raise DocumentError('not an object with a "text"; write {"id": ..., "title": ..., "text": ...}')
            record["text"].encode()
            yield make_document(record, record.pop("text"), f"{path.stem}-{number}")
        except UnicodeEncodeError:
            yield DocumentError(f"{path}:{number}: holds a lone surrogate, which is no character; write it again as UTF-8")
        except json.JSONDecodeError as error:
            yield DocumentError(f"{path}:{number}: not JSON ({error.msg}, column {error.colno})")
        except DocumentError as error:
            yield DocumentError(f"{path}:{number}: {error}")
    if not records:
        raise DocumentError("empty: there is no text to read", "empty")


LOADERS: dict[str, Callable[[str, Path], Iterator[Document | DocumentError]]] = {
    ".md": load_markdown,
    ".markdown": load_markdown,
    ".txt": load_markdown,
    ".jsonl": load_jsonl,
}
SUFFIXES = (*LOADERS, *FORMATS)


def split_front_matter(text: str) -> tuple[dict[str, Any], str]:
    """The YAML mapping at the head of a text, empty if there is none, and the rest.

    Raises DocumentError if a head is opened and cannot be read.
    """
    text = text.lstrip("\ufeff \n")
    if not text.startswith("---\n"):
        return {}, text
    close = re.search(r"^(?:---|\.\.\.)[ \t]*$", text[4:], re.MULTILINE)
    if close is None:
        if re.match(r"---\n[A-Za-z_]+:", text):
            raise DocumentError("its front matter is opened by --- and never closed; close it with a line ---")
        return {}, text  # a horizontal rule
    head, body = text[4 : 4 + close.start()], text[4 + close.end() :]
    try:
        front = yaml.safe_load(head)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2026-13-45
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 2}" if mark else "its head"
        reason = getattr(error, "problem", None) or str(error)
        raise DocumentError(f"broken front matter ({where}: {reason}); mend it or remove it") from error
    if front is None:
        return {}, body
    if not isinstance(front, dict):
        if ":" not in head:
            return {}, text  # prose between two horizontal rules
        raise DocumentError("broken front matter (it is no list of `key: value` lines); mend it or remove it")
    return front, body


def without_comments(text: str) -> str:
    """The text without its HTML comments, which no reader of the document sees: quoted, they would look like its prose.

    A comment that is never closed stays: it would take the rest of the text with it. Linear in the length of the text.
    """
    parts: list[str] = []
    position = 0
    while (start := text.find("<!--", position)) >= 0 and (end := text.find("-->", start + 2)) >= 0:
        parts.append(text[position:start])
        position = end + 3
    return "".join([*parts, text[position:]])


def make_document(front: dict[str, Any], body: str, name: str) -> Document:
    """A document from its front matter and raw text. Raises DocumentError if the text is empty or the head is wrong."""
    text = normalise(without_comments(body))
    if not text:
        raise DocumentError("empty: there is no text to read", "empty")
    try:
        known = FrontMatter.model_validate({key: value for key, value in front.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise DocumentError(f"broken front matter ({key}: {first['msg']}); mend it or remove it") from error
    heading = re.search(r"^#{1,6} +(.+)$", text, re.MULTILINE)
    url = known.url or next((source.url for source in known.sources if source.url), "")
    return Document(
        id=normalise(known.id) or name,
        title=plain(known.title or (heading[1] if heading else name))[:MAX_TITLE],
        text=text,
        language=known.lang or language_of(text),
        kind=known.kind,
        issuer=known.issuer,
        jurisdiction=known.jurisdiction,
        status=known.status,
        published=known.published,
        as_of=known.as_of,
        url=url if url.startswith(("https://", "http://")) else "",
        author=known.author,
        sources=tuple((source.title, source.url) for source in known.sources),
        pair=known.pair,
        license=known.license,
    )


def load_corpus(corpus: Path, max_bytes: int) -> tuple[list[Document], list[str], list[str]]:
    """All documents of a folder (read recursively) or one file; what was refused; what was passed over.

    Documents come in the order of their paths. Ids are unique: where two files share a name, each is called by its path.
    Raises DocumentError if `corpus` does not exist or is a file of a format that is not read.
    """
    if not corpus.exists():
        raise DocumentError(f"{str(corpus)!r} does not exist; name a folder or a file with --corpus")
    if corpus.is_file() and corpus.suffix.lower() not in SUFFIXES:
        raise DocumentError(f"{str(corpus)!r} is not in a format that is read ({', '.join(SUFFIXES)})")
    files = [corpus] if corpus.is_file() else sorted(path for path in corpus.rglob("*") if path.is_file())
    files = [path for path in files if not any(part.startswith(".") for part in path.relative_to(corpus).parts)]
    files = [path for path in files if path not in (corpus / "vectors.npz", corpus / "glossary.yaml")]  # about the texts
    readable = [path for path in files if path.suffix.lower() in SUFFIXES]
    skipped = [f"{path}: not a format that is read ({', '.join(SUFFIXES)})" for path in files if path not in set(readable)]
    stems = [path.stem for path in readable]
    found: dict[str, Document] = {}
    refused: list[str] = []
    for path in readable:
        for document in load_file(path, max_bytes):
            if isinstance(document, DocumentError):
                refused.append(str(document))
                continue
            if document.id == path.stem and stems.count(path.stem) > 1 and document.id in found:
                document = replace(document, id=path.relative_to(corpus).with_suffix("").as_posix())
            if document.id in found:
                refused.append(f"{path}: its id {document.id!r} is taken by another document; give it an id of its own")
            else:
                found[document.id] = document
    return list(found.values()), refused, skipped
