"""PDF, Word, web and Hangul files to Markdown, read in a process of their own.

A reader of a stranger's file can be made to run for hours or to ask for all memory there is. In a process of its own, with
limits that the kernel holds, it takes nothing down with it: the file is refused and the server goes on. No reader here runs
macros or scripts, resolves external entities or follows a link.
"""

import json
import re
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from rag.errors import DocumentError

if TYPE_CHECKING:
    from bs4 import BeautifulSoup
    from dochan import Dochan

SECONDS = 60  # of the wall clock for one file, and of the processor
MEMORY = 1 << 30  # bytes of address space
UNPACKED = 200 << 20  # bytes that the parts of a zipped format may take together
CHARACTERS = 20_000_000  # of text out of one file

_FURNITURE = (
    "nav, footer, aside, form, script, style, noscript, template, iframe, svg, button, "
    "[hidden], [role=navigation], [role=banner], [role=contentinfo], [role=search]"
)
_SENTENCE_END = re.compile(r"[.!?:;。…][)\]\"'”’」』]*$")
_ITEM = re.compile(r"(?:[-•▪◦※○●□■]|제\s*\d+\s*[조항호장절]|[①-⑳]|(?:\(\w{1,3}\)|\w{1,3}[.)])(?=\s))")
_HYPHEN = re.compile(r"([a-z]+)[-\u2010\u00ad] (?!and\b|or\b|to\b)([a-z]+)")
_FULL = 0.8  # of the usual width: a line as long goes on in the next
_HINT = "save it again in the program that made it, or as PDF or plain text"


# --- the formats, one function each ------------------------------------------------------------------------------------


def from_pdf(path: Path) -> tuple[dict[str, str], str]:
    """Text in reading order, columns one after another, without running heads and page numbers; tables as rows.

    Words that a line's end divides are whole again, Korean ones by the reader's statistics of where spaces stand.
    """
    parsed = _parsed(path, "pdf")
    for section in parsed.doc.sections:
        section.elements = list(_rejoined(section.elements))
    return {}, _whole_words(_markdown(parsed))


def from_hwp(path: Path) -> tuple[dict[str, str], str]:
    """The text as last edited (tracked deletions left out), headings by their styles, tables as rows. HWP 5 and HWPX alike."""
    return {}, _markdown(_parsed(path, "hwp", "hwpx", revision_mode="final"))


def from_docx(path: Path) -> tuple[dict[str, str], str]:
    """Headings, lists and tables as Markdown, without comments, tracked deletions and running heads."""
    import mammoth

    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:  # Word packs a document with a password into the container of its older format
            old = file.read(4) == b"\xd0\xcf\x11\xe0"
        if old:
            raise DocumentError(
                "encrypted, or in Word's format from before 2007; save it as DOCX without a password", "encrypted"
            )
        raise DocumentError(f"not a Word file, whatever its name says; {_HINT}", "format")
    try:
        with path.open("rb") as file:
            converted = mammoth.convert_to_html(
                file,
                style_map="p[style-name='Title'] => h1:fresh",
                convert_image=mammoth.images.img_element(lambda image: {"src": ""}),
                external_file_access=False,
            )
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise DocumentError(f"broken ({error}); {_HINT}", "broken") from error
    return _of_html(converted.value)


def from_html(path: Path) -> tuple[dict[str, str], str]:
    """The main part of a page (`main`, a single `article`, or all of it) without menus, forms and scripts; its `title`."""
    from ingest.decode import decode

    data = path.read_bytes()
    declared = re.search(rb"<meta[^>]+charset=[\"']?([\w-]+)", data[:4096], re.IGNORECASE)
    try:
        text = decode(data)
    except DocumentError:
        if declared is None:
            raise
        try:
            text = data.decode(declared[1].decode())
        except (LookupError, UnicodeDecodeError) as error:
            raise DocumentError(
                f"its bytes are not the {declared[1].decode()} it declares; save it again as UTF-8", "broken"
            ) from error
    return _of_html(text)


FORMATS: dict[str, Callable[[Path], tuple[dict[str, str], str]]] = {
    ".pdf": from_pdf,
    ".docx": from_docx,
    ".html": from_html,
    ".htm": from_html,
    ".hwp": from_hwp,
    ".hwpx": from_hwp,
}


# --- what they share ---------------------------------------------------------------------------------------------------


def _parsed(path: Path, *formats: str, **options: Any) -> "Dochan":
    from dochan import Dochan

    try:
        parsed = Dochan(str(path), **options)
    except ValueError as error:  # the options are right: the bytes are of no format that they are for
        raise DocumentError(f"not a file of the format its name says; {_HINT}", "format") from error
    errors = " ".join(parsed.doc.errors)
    if "MemoryError" in errors:  # caught by the reader, which goes on with what it has
        raise MemoryError(errors)
    if "암호" in errors:
        raise DocumentError("encrypted; save it without a password", "encrypted")
    if parsed.doc.source_format not in formats:
        raise DocumentError(f"not a file of the format its name says; {_HINT}", "format")
    if "ERR:" in errors and not parsed.to_plain_text().strip():
        raise DocumentError(f"broken ({parsed.doc.errors[0][:200]}); {_HINT}", "broken")
    return parsed


def _markdown(parsed: "Dochan") -> str:
    """Markdown without emphasis, links, running heads, pictures and comments: what is quoted is bare text."""
    from dochan.model.header_footer import Comment, HeaderFooter
    from dochan.model.image import Image
    from dochan.model.table import Table

    for section in parsed.doc.sections:
        kept: list[Any] = []
        for element in section.elements:
            if isinstance(element, Table) and [len(row) for row in element.rows] == [1]:
                kept += element.rows[0][0].paragraphs  # a frame around text, as Korean offices like to draw
            elif not isinstance(element, HeaderFooter | Comment | Image):
                kept.append(element)
        section.elements = kept
    for paragraph in parsed.doc.find_all("paragraph"):
        for run in paragraph.runs:
            run.bold = run.italic = run.underline = run.strikeout = run.superscript = run.subscript = False
            run.link = ""
    return str(parsed.to_markdown())


def _rejoined(elements: list[Any]) -> Iterator[Any]:
    """The elements of a PDF's page with lines joined that the reader left apart, as it does in all columns but the last."""
    from dochan.model.document import Paragraph, TextRun
    from dochan.pdf.spacing import load_model

    widths = [_width(e.text) for e in elements if isinstance(e, Paragraph) and not e.heading_level and len(e.text) < 120]
    full = _FULL * median(widths) if widths else 0.0
    spacing = load_model()
    held: Any = None
    last = 0.0  # width of the last line that was joined
    for element in elements:
        body = isinstance(element, Paragraph) and not element.heading_level
        goes_on = body and held is not None and last >= full and not _SENTENCE_END.search(held.text.rstrip())
        if goes_on and not _ITEM.match(element.text.lstrip()):
            before, after = held.text[-1:], element.text[:1]
            hangul = all("가" <= letter <= "힣" for letter in (before, after))
            gap = "" if hangul and not spacing.joins_with_space(before, after) else " "
            held.runs = [*held.runs, TextRun(text=gap), *element.runs]
        else:
            if held is not None:
                yield held
            held = element if body else None
            if not body:
                yield element
        last = _width(element.text) if body else 0.0
    if held is not None:
        yield held


def _width(text: str) -> int:
    return sum(2 if letter >= "\u1100" else 1 for letter in text)


def _whole_words(text: str) -> str:
    """The text with words whole that a hyphen at a line's end divides; a compound that stands elsewhere keeps its hyphen."""

    def whole(match: re.Match[str]) -> str:
        compound = f"{match[1]}-{match[2]}"
        return compound if compound in text else match[1] + match[2]

    return _HYPHEN.sub(whole, text)


def _of_html(html: str) -> tuple[dict[str, str], str]:
    from bs4 import BeautifulSoup
    from markdownify import MarkdownConverter

    soup = BeautifulSoup(html, "html.parser")
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    for element in soup.select(_FURNITURE):
        element.decompose()
    converter = MarkdownConverter(
        heading_style="ATX",
        bullets="-",
        strip=["a", "b", "strong", "em", "i", "u", "img", "sub", "sup", "code", "del", "title"],
        table_infer_header=True,
        wrap=True,
        wrap_width=None,  # joins the lines of a paragraph
        escape_asterisks=False,
        escape_underscores=False,
        escape_misc=False,
    )
    return {"title": title} if title else {}, converter.convert_soup(_main_part(soup))


def _main_part(soup: "BeautifulSoup") -> Any:
    articles = soup.find_all("article")
    return soup.find("main") or (articles[0] if len(articles) == 1 else soup.body or soup)


# --- the process -------------------------------------------------------------------------------------------------------


def read(path: Path) -> tuple[dict[str, str], str]:
    """What the file says of itself, as front matter, and its text as Markdown.

    Raises DocumentError with the reason if it cannot be read, or not within `SECONDS` and `MEMORY`.
    """
    command = [sys.executable, "-m", "ingest.formats", str(path.absolute()), str(SECONDS), str(MEMORY)]
    limit = DocumentError(
        f"takes more than {SECONDS} seconds or {MEMORY >> 20} MB to read, as a hostile file would; split it, or save it as plain text",
        "slow",
    )
    try:
        done = subprocess.run(
            command,
            cwd=Path(__file__).parent.parent,
            capture_output=True,
            timeout=SECONDS + 5,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise limit from error
    if done.returncode == 0:
        told = json.loads(done.stdout)
        if "reason" in told:
            raise DocumentError(told["message"], told["reason"])
        return told["front"], told["text"]
    if done.returncode < 0 or b"MemoryError" in done.stderr:
        raise limit
    cause = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2][:200]
    raise DocumentError(f"broken ({cause}); {_HINT}", "broken")


def _check_unpacked(path: Path) -> None:
    """Raises DocumentError for a zip bomb. A lie about the sizes is caught by the limit of memory."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as packed:
        size = sum(part.file_size for part in packed.infolist())
    if size > UNPACKED:
        raise DocumentError(f"unpacks to {size >> 20} MB, over the limit of {UNPACKED >> 20} MB; split it", "large")


def _run(path: Path, seconds: int, memory: int) -> dict[str, Any]:
    """What the process tells: front matter and text, or reason and message."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        _check_unpacked(path)
        front, text = FORMATS[path.suffix.lower()](path)
        if not text.strip():
            raise DocumentError("holds no text: a scan, perhaps; recognise its text (OCR) and save it again", "empty")
        if len(text) > CHARACTERS:
            raise DocumentError(f"holds {len(text):,} characters of text, over the limit of {CHARACTERS:,}; split it", "long")
    except DocumentError as error:
        return {"reason": error.reason, "message": str(error)}
    return {"front": front, "text": text.encode("utf-8", "replace").decode()}  # a lone surrogate is no character


if __name__ == "__main__":
    told = _run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.buffer.write(json.dumps(told).encode())
