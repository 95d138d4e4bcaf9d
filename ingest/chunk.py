"""Documents to chunks that follow headings, provisions, paragraphs and list items."""

import re
from collections.abc import Callable, Iterator

from langchain_text_splitters import RecursiveCharacterTextSplitter

from rag.text import count_tokens, plain
from rag.types import Chunk, Document

_HEADING = re.compile(r"^(#{1,6}) +(.+?) *#*$", re.MULTILINE)
# A statute as plain text: each article opens a section and names it, and stays part of the text.
_ARTICLE = re.compile(
    r"^(제\d+조(?:의\d+)?(?:\([^)\n]{1,60}\))|(?:Article|Section|Recital) \d+[a-z]?\b[^\n.]{0,60})", re.MULTILINE
)
# From the coarsest break to the finest: paragraph, list item or numbered line, line, sentence, word, character.
_SEPARATORS = [r"\n\n", r"\n(?=[ ]*(?:[-*+•]|\d+[.)]|[a-zA-Z가-하][.)]|[①-⑳])[ ]?)", r"\n", r"(?<=[.!?。])\s+", r" ", r""]


def chunks(document: Document, *, chunk_tokens: int, embedder_tokens: Callable[[str], int], embedder_limit: int) -> list[Chunk]:
    """The document's chunks in order, none over `chunk_tokens` (of cl100k_base), without overlap.

    Together with its context (title and headings) each is within the embedder's limit, in the embedder's own tokens.
    """
    found: list[Chunk] = []
    for start, end, headings in _sections(document):
        context = "\n".join(dict.fromkeys((document.title, *headings)))
        for left, right in _split(document.text, start, end, chunk_tokens):
            spans = [(left, right)]
            size = chunk_tokens
            while any(embedder_tokens(f"{context}\n{document.text[a:b]}") > embedder_limit for a, b in spans) and size > 32:
                size //= 2
                spans = _split(document.text, left, right, size)
            found.extend(
                Chunk(
                    id=f"{document.id}:{a}-{b}",
                    document_id=document.id,
                    language=document.language,
                    start=a,
                    end=b,
                    text=document.text[a:b],
                    headings=headings,
                    context=context,
                )
                for a, b in spans
            )
    return found


def _sections(document: Document) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Spans of the text under each heading, with the path of headings that leads there; a title is no heading."""
    text = document.text
    path: dict[int, str] = {}
    body_start = 0
    sections: list[tuple[int, int, tuple[str, ...]]] = []
    for match in [*_HEADING.finditer(text), None]:
        body_end = match.start() if match else len(text)
        if text[body_start:body_end].strip():
            headings = tuple(path[level] for level in sorted(path) if path[level] != document.title)
            sections.extend(_articles(text, body_start, body_end, headings))
        if match:
            level = len(match[1])
            path = {key: heading for key, heading in path.items() if key < level} | {level: plain(match[2])}
            body_start = match.end()
    # A text of nothing but headings is still a text.
    yield from sections or [(0, len(text), ())]


def _articles(text: str, start: int, end: int, headings: tuple[str, ...]) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    articles = list(_ARTICLE.finditer(text, start, end))
    if len(articles) < 2:
        yield start, end, headings
        return
    if text[start : articles[0].start()].strip():
        yield start, articles[0].start(), headings
    ends = [match.start() for match in articles[1:]] + [end]
    for match, article_end in zip(articles, ends, strict=True):
        yield match.start(), article_end, (*headings, match[1].strip())


def _split(text: str, start: int, end: int, size: int) -> list[tuple[int, int]]:
    splitter = RecursiveCharacterTextSplitter(
        separators=_SEPARATORS,
        is_separator_regex=True,
        keep_separator="end",
        chunk_size=size,
        chunk_overlap=0,
        length_function=count_tokens,
        add_start_index=True,
    )
    pieces = splitter.create_documents([text[start:end]])
    spans = [(start + piece.metadata["start_index"], piece.page_content) for piece in pieces]
    assert all(text.startswith(piece, left) for left, piece in spans), "the splitter must not change the text"
    return [(left, left + len(piece)) for left, piece in spans]
