"""ingest/formats.py: real files, each written by a library that writes its format, and hostile ones."""

import io
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import docx
import pytest
from hwp_converter_ai import HwpWriter, HwpxGenerator
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from ingest import formats
from ingest.load import load_corpus, load_file
from rag.errors import DocumentError
from rag.types import Document

LIMIT = 10_000_000
RULE = "고영향 인공지능을 쓰는 사업자는 이용자에게 그 사실을 미리 알려야 한다."
MARKDOWN = f"## 제1장 투명성\n\n{RULE}\n\n| 조항 | 과태료 |\n| --- | --- |\n| 제31조 | 3천만원 |\n\n- 첫째 항목입니다.\n- 둘째 항목입니다.\n"
HTML = """<!doctype html><html lang="ko"><head><title>AI 투명성 안내</title><style>p {}</style></head><body>
<nav><a href="/">메뉴의 글</a></nav><main><h2>제1장 투명성</h2><p>고영향 <b>인공지능</b>을 쓰는 <a href="https://example.org">사업자</a>는
이용자에게 그 사실을 미리 알려야 한다.</p><table><tr><th>조항</th><th>과태료</th></tr><tr><td>제31조</td><td>3천만원</td></tr></table>
<ul><li>첫째 항목입니다.</li><li>둘째 항목입니다.</li></ul><script>window.harm = 1</script></main><footer>맨 아래의 글</footer></body></html>"""


def write_docx(path: Path) -> None:
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "머리말의 글"
    document.add_heading("제1장 투명성", 2)
    paragraph = document.add_paragraph("고영향 ")
    paragraph.add_run("인공지능").bold = True
    paragraph.add_run("을 쓰는 사업자는 이용자에게 그 사실을 미리 알려야 한다.")
    document.add_comment(runs=paragraph.runs, text="덧붙인 말", author="x")
    table = document.add_table(2, 2)
    for cell, text in zip(table._cells, ("조항", "과태료", "제31조", "3천만원"), strict=True):
        cell.text = text
    for text in ("첫째 항목입니다.", "둘째 항목입니다."):
        document.add_paragraph(text, style="List Bullet")
    document.save(str(path))


WRITERS: dict[str, Callable[[Path], object]] = {
    "a.docx": write_docx,
    "a.html": lambda path: path.write_text(HTML, encoding="utf-8"),
    "b.html": lambda path: path.write_bytes(HTML.encode("cp949")),
    "a.hwp": lambda path: HwpWriter().from_markdown(MARKDOWN, path),
    "a.hwpx": lambda path: HwpxGenerator().from_markdown(MARKDOWN, output_path=path),
}


def load(path: Path) -> Document:
    documents, refused, skipped = load_corpus(path, LIMIT)
    assert refused == skipped == []
    return documents[0]


@pytest.mark.parametrize("name", WRITERS)
def test_headings_paragraphs_tables_and_lists(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name)
    document = load(tmp_path / name)
    lines = [line for line in document.text.split("\n") if line]
    assert lines == [
        lines[0],
        RULE,
        "| 조항 | 과태료 |",
        "| --- | --- |",
        "| 제31조 | 3천만원 |",
        "- 첫째 항목입니다.",
        "- 둘째 항목입니다.",
    ]
    assert lines[0].lstrip("# ") == "제1장 투명성" and lines[0][0] == "#"
    assert document.language == "ko"
    assert document.title == ("AI 투명성 안내" if name.endswith("html") else "제1장 투명성")


KOREAN = [  # as a program without knowledge of words breaks it: inside them
    "고영향 인공지능은 사람의 생명과 신체의 안전 및",
    "기본권에 중대한 영향을 미치는 인공지능이다. 사업자는 위험관",
    "리방안을 수립하여야 한다.",
]
ENGLISH = [
    "Providers of high-risk systems shall establish a risk manage-",
    "ment system and keep it up to date for the whole of its life,",
    "so that a high-risk system does not become a danger to people.",
]


def write_pdf(path: Path, **options: object) -> None:
    """Two pages of two columns under a running head, a Korean one and an English one, with page numbers."""
    pdfmetrics.registerFont(UnicodeCIDFont("HYSMyeongJo-Medium"))
    canvas = Canvas(str(path), pagesize=A4, **options)
    for page in (1, 2):
        canvas.setFont("HYSMyeongJo-Medium", 8)
        canvas.drawString(230, 815, "Ministry of Examples, report 7")
        canvas.drawString(290, 20, f"- {page} -")
        canvas.setFont("HYSMyeongJo-Medium", 18)
        canvas.drawString(50, 770, f"{page}장 투명성")
        canvas.setFont("HYSMyeongJo-Medium", 10)
        for left, lines in ((50, KOREAN), (310, ENGLISH)):
            for repeat in range(8):
                for number, line in enumerate(lines):
                    canvas.drawString(left, 740 - 70 * repeat - 13 * number, line)
        canvas.showPage()
    canvas.save()


def test_a_pdf_in_two_columns(tmp_path: Path) -> None:
    write_pdf(tmp_path / "보고서.pdf")
    text = load(tmp_path / "보고서.pdf").text
    korean = "고영향 인공지능은 사람의 생명과 신체의 안전 및 기본권에 중대한 영향을 미치는 인공지능이다. 사업자는 위험관리방안을 수립하여야 한다."
    english = (
        "Providers of high-risk systems shall establish a risk management system and keep it up to date for the whole of its life, "
        "so that a high-risk system does not become a danger to people."
    )
    assert (text.count(korean), text.count(english)) == (16, 16)
    assert text.index("1장 투명성") < text.index(korean) < text.index(english) < text.index("2장 투명성")
    assert "Ministry" not in text and "- 1 -" not in text


def packed(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return file.getvalue()


def docx_with(tmp_path: Path, body: bytes) -> bytes:
    """A Word file whose main part is `body`."""
    write_docx(tmp_path / "whole.docx")
    with zipfile.ZipFile(tmp_path / "whole.docx") as package:
        parts = {name: package.read(name) for name in package.namelist()}
    (tmp_path / "whole.docx").unlink()
    return packed(parts | {"word/document.xml": body})


ENTITIES = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a0 "ha">%s]><d>&a30;</d>' % b"".join(
    b'<!ENTITY a%d "&a%d;&a%d;">' % (n, n - 1, n - 1) for n in range(1, 31)
)


def pdf_bomb() -> bytes:
    """A page whose content unpacks to 330 MB of drawing."""
    packer = zlib.compressobj(9)
    stream = b"".join(packer.compress(b"BT /F1 9 Tf (x) Tj ET " * 50_000) for _ in range(300)) + packer.flush()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>",
        b"<< /Length %d /Filter /FlateDecode >> stream\n%b\nendstream" % (len(stream), stream),
    ]
    return (
        b"%PDF-1.7\n" + b"".join(b"%d 0 obj %b endobj\n" % pair for pair in enumerate(objects, 1)) + b"trailer << /Root 1 0 R >>"
    )


def encrypted_pdf(tmp_path: Path) -> bytes:
    write_pdf(tmp_path / "open.pdf", encrypt="secret")
    data = (tmp_path / "open.pdf").read_bytes()
    (tmp_path / "open.pdf").unlink()
    return data


def scan(tmp_path: Path) -> bytes:
    canvas = Canvas(str(tmp_path / "open.pdf"))
    canvas.rect(100, 100, 200, 200, fill=1)
    canvas.save()
    data = (tmp_path / "open.pdf").read_bytes()
    (tmp_path / "open.pdf").unlink()
    return data


HOSTILE: dict[str, tuple[str, Callable[[Path], bytes], set[str]]] = {
    "an encrypted pdf": ("a.pdf", encrypted_pdf, {"encrypted"}),
    "a scan": ("a.pdf", scan, {"empty"}),
    "a pdf that unpacks to hundreds of megabytes": ("a.pdf", lambda _: pdf_bomb(), {"slow", "empty", "broken"}),
    "half a pdf": ("a.pdf", lambda tmp: encrypted_pdf(tmp)[:300], {"broken", "empty", "format", "encrypted"}),
    "noise": ("a.pdf", lambda _: bytes(range(256)) * 20, {"broken"}),
    "a pdf called docx": ("a.docx", scan, {"format"}),
    "text called hwp": ("a.hwp", lambda _: RULE.encode(), {"format"}),
    "a Word file with a password": ("a.docx", lambda _: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000), {"encrypted"}),
    "a zip that is no Word file": ("a.docx", lambda _: packed({"a.txt": b"x"}), {"broken"}),
    "a broken Word file": ("a.docx", lambda tmp: docx_with(tmp, b"<w:document"), {"broken"}),
    "entities in a Word file": ("a.docx", lambda tmp: docx_with(tmp, ENTITIES), {"broken", "slow"}),
    "a zip bomb": ("a.docx", lambda tmp: docx_with(tmp, bytes(300 << 20)), {"large"}),
    "entities in a HWPX file": (
        "a.hwpx",
        lambda _: packed({"mimetype": b"application/hwp+zip", "Contents/section0.xml": ENTITIES}),
        {"broken", "empty", "slow"},
    ),
    "half a HWP file": ("a.hwp", lambda tmp: (HwpWriter().from_markdown(MARKDOWN, tmp / "b"), (tmp / "b").read_bytes())[1][:5000], {"broken", "empty", "format"}),
    "an empty page": ("a.html", lambda _: b"<html><body><script>x</script></body></html>", {"empty"}),
    "tags ten thousand deep": ("a.html", lambda _: b"<div>" * 10_000 + b"x", {"broken"}),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_hostile_is_refused_with_a_reason(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "SECONDS", 10)
    name, content, reasons = HOSTILE[case]
    path = tmp_path / name
    path.write_bytes(content(tmp_path))
    begun = time.monotonic()
    (refused,) = load_file(path, LIMIT)
    assert isinstance(refused, DocumentError) and refused.reason in reasons, refused
    assert str(refused).startswith(f"{path}: ") and "Traceback" not in str(refused)
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    ("limit", "value", "content"),
    [("SECONDS", 2, "<p>x</p>" * 500_000), ("MEMORY", 200 << 20, "<p>x</p>" * 500_000)],
    ids=["time", "memory"],
)
def test_the_kernel_holds_the_limits(
    limit: str, value: int, content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.html").write_text(content[:8000], encoding="utf-8")
    monkeypatch.setattr(formats, limit, value)
    assert formats.read(tmp_path / "a.html")[1]  # under the same limits
    (tmp_path / "a.html").write_text(content, encoding="utf-8")
    with pytest.raises(DocumentError, match="hostile") as raised:
        formats.read(tmp_path / "a.html")
    assert raised.value.reason == "slow"


def test_one_bad_file_does_not_keep_the_others_out(tmp_path: Path) -> None:
    (tmp_path / "bad.pdf").write_bytes(scan(tmp_path))
    WRITERS["a.hwpx"](tmp_path / "good.hwpx")
    documents, refused, _ = load_corpus(tmp_path, LIMIT)
    assert [document.id for document in documents] == ["good"]
    assert len(refused) == 1 and "bad.pdf" in refused[0] and "OCR" in refused[0]


def test_hwp_signature_is_read_not_the_name(tmp_path: Path) -> None:
    """Files of the newer Hangul format often carry the older one's name."""
    HwpxGenerator().from_markdown(MARKDOWN, output_path=tmp_path / "a.hwp")
    assert RULE in load(tmp_path / "a.hwp").text
    assert struct.unpack("<I", (tmp_path / "a.hwp").read_bytes()[:4])[0] == 0x04034B50
