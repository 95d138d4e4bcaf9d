"""The same text in the other language, sentence beside sentence, for whatever is said of it in that language."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rag.text import blocks, section_of, sections, sentences
from rag.types import Document, Language, Passage


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A sentence of a counterpart. `start` and `end` span what it answers in the passage's own document."""

    text: str
    start: int
    end: int


def rendered(passage: Passage, documents: Mapping[str, Document], language: Language) -> tuple[str, list[Rendered]]:
    """The title and headings of a passage's counterpart in the language, and its sentences, in order.

    Nothing where the passage is in that language itself, has no counterpart, or does not run alike: section by section, and
    in its sections block by block. Of a block with more sentences on one side, those answer that stand as far into it.
    """
    document, chunk = passage.document, passage.chunk
    pair = documents.get(document.pair)
    if pair is None or document.language == language or pair.language != language:
        return "", []
    here, there = sections(document.text), sections(pair.text)
    if len(here) != len(there):
        return "", []
    first, last = section_of(document.text, chunk.start), section_of(document.text, max(chunk.start, chunk.end - 1))
    found: list[Rendered] = []
    for own, other in zip(here[first : last + 1], there[first : last + 1], strict=True):
        ours, theirs = list(blocks(document.text, *own)), list(blocks(pair.text, *other))
        if len(ours) != len(theirs):
            return "", []
        for block, answer in zip(ours, theirs, strict=True):
            found += [one for one in _beside(document, block, pair, answer) if chunk.start <= one.start and one.end <= chunk.end]
    heading = pair.text[there[first][0] :].partition("\n")[0].lstrip("# ")
    return f"{pair.title}\n{heading}", found


def _beside(document: Document, block: tuple[int, int], pair: Document, answer: tuple[int, int]) -> Iterator[Rendered]:
    said, answering = sentences(document.text, *block), sentences(pair.text, *answer)
    for number, (left, right) in enumerate(answering):
        start, end = said[number * len(said) // len(answering)] if said else block
        yield Rendered(text=pair.text[left:right], start=start, end=end)
