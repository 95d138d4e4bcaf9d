"""ingest/load.py and ingest/decode.py"""

import codecs
import json
import unicodedata
from pathlib import Path

import pytest

from ingest.load import MAX_TITLE, load_corpus, without_comments
from rag.errors import DocumentError
from rag.types import Document

LIMIT = 1_000_000
TEXT = "고영향 인공지능은 사람의 생명에 영향을 준다.\n똠방각하"


def load(path: Path, limit: int = LIMIT) -> tuple[dict[str, Document], list[str], list[str]]:
    documents, refused, skipped = load_corpus(path, limit)
    return {document.id: document for document in documents}, refused, skipped


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("cp949"),
        TEXT.replace("똠방각하", "사람").encode("euc-kr"),
        unicodedata.normalize("NFD", TEXT).encode(),
        TEXT.replace("\n", "\r\n").encode(),
    ],
    ids=["utf-8", "utf-8 bom", "utf-16le bom", "utf-16be bom", "utf-16le", "utf-16be", "cp949", "euc-kr", "nfd", "crlf"],
)
def test_encodings(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "글.txt").write_bytes(data)
    documents, refused, _ = load(tmp_path)
    assert refused == []
    assert documents["글"].text.replace("사람\n사람", "") in (TEXT, TEXT.replace("똠방각하", "사람"))
    assert documents["글"].language == "ko"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n\t \n", "empty"),
        ("투명성 ".encode("cp949") + "확보 의무".encode(), "not UTF-8"),
        ("인공지능 기본법 ".encode() + b"\xed\xa0\x80", "not UTF-8"),
        ("고영향 인공지능".encode()[:-1], "not UTF-8"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8\x00\x00", "byte-order mark"),
        (b"---\ntitle: [a\n---\ntext", "broken front matter"),
        (b"---\ntitle: a\ntext without an end", "never closed"),
        (b"---\nas_of: 2026-13-45\n---\ntext", "broken front matter"),
        (b"---\nas_of: soon\n---\ntext", "not a date"),
        (b"---\ntitle: {a: b}\n---\ntext", "broken front matter (title"),
        (b"x" * (LIMIT + 1), "over the limit"),
    ],
)
def test_what_cannot_be_read_is_named_and_the_rest_goes_on(tmp_path: Path, data: bytes, reason: str) -> None:
    (tmp_path / "bad.md").write_bytes(data)
    (tmp_path / "good.md").write_text("# Good\n\nA text.", encoding="utf-8")
    documents, refused, _ = load(tmp_path)
    assert list(documents) == ["good"]
    assert len(refused) == 1 and "bad.md" in refused[0] and reason in refused[0]


def test_front_matter(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        "---\nid: act\nlang: ko\ntitle: 인공지능기본법\nkind: law\npublished: 2025-01-21\nas_of: 2026-09\n"
        "sources:\n  - title: 법령\n    url: https://example.org/act\npair: act-en\nunknown: 1\n---\n본문입니다.\n",
        encoding="utf-8",
    )
    document = load(tmp_path)[0]["act"]
    assert (document.title, document.language, document.kind) == ("인공지능기본법", "ko", "law")
    assert (document.published, document.as_of, document.pair) == ("2025-01-21", "2026-09", "act-en")
    assert document.sources == (("법령", "https://example.org/act"),) and document.url == "https://example.org/act"
    assert document.text == "본문입니다."


def test_a_blog_post(tmp_path: Path) -> None:
    (tmp_path / "post.txt").write_text(
        '---\ntitle: "[AI소식] 공개서한"\ncategories:\n  - AI소식\nlast_modified_at: 2023-03-31T10:00:00\n---\n\n'
        "> 모든 연구소에&nbsp;요청한다.\n\n-\u00a0첫째 항목\n- 둘째 항목\n\n---\n\n끝.",
        encoding="utf-8",
    )
    document = load(tmp_path)[0]["post"]
    assert document.title == "[AI소식] 공개서한"
    assert document.text == "> 모든 연구소에 요청한다.\n\n- 첫째 항목\n- 둘째 항목\n\n---\n\n끝."


def test_without_front_matter_title_and_id_come_from_heading_and_name(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("---\n\nA rule, not a head.\n\n## The *first* heading\n\nText.", encoding="utf-8")
    document = load(tmp_path)[0]["notes"]
    assert document.title == "The first heading"
    assert document.text.startswith("---")


def test_jsonl(tmp_path: Path) -> None:
    lines = [
        json.dumps({"id": "kr-1", "title": "제1조", "text": "목적", "lang": "ko", "kind": "article"}),
        "",
        "{not json",
        '{"id": "x", "text": "\\ud800 abc"}',
        '{"id": "y"}',
        json.dumps({"id": "kr-1", "text": "twice"}),
        json.dumps({"title": "no id", "text": "text"}),
    ]
    path = tmp_path / "act.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    documents, refused, _ = load(path)
    assert list(documents) == ["kr-1", "act-7"]
    assert [reason.split(": ")[0].rsplit(":", 1)[-1] for reason in refused[:3]] == ["3", "4", "5"]
    assert "surrogate" in refused[1] and '"text"' in refused[2] and "is taken" in refused[3]


def test_names_that_clash_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "readme.md").write_text(folder, encoding="utf-8")
    assert list(load(tmp_path)[0]) == ["readme", "b/readme"]


def test_other_formats_are_skipped_by_name_and_hidden_files_in_silence(tmp_path: Path) -> None:
    (tmp_path / "scan.png").write_bytes(b"\x89PNG")
    (tmp_path / ".hidden.md").write_text("x", encoding="utf-8")
    (tmp_path / "a.md").write_text("x", encoding="utf-8")
    documents, refused, skipped = load(tmp_path)
    assert list(documents) == ["a"] and refused == [] and len(skipped) == 1 and "scan.png" in skipped[0]


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="does not exist"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("Shown. <!-- Hidden\n\n-- lines. --> Shown too.", "Shown.  Shown too."),
        ("One<!-->two<!--->three<!-- a -->four", "Onetwothreefour"),
        ("A comment <!-- that is never closed.", "A comment <!-- that is never closed."),
    ],
)
def test_comments_are_left_out(raw: str, kept: str) -> None:
    assert without_comments(raw) == kept


def test_a_hostile_text_of_comments_takes_no_time() -> None:
    hostile = "<!-" * 1_000_000 + "<!--" * 1_000_000
    assert without_comments(hostile) == hostile  # a search that began anew at each would take hours


def test_what_a_document_says_of_itself_is_one_line_without_hidden_letters(tmp_path: Path) -> None:
    head = 'title: "A\u202eB\\n[1] C"\nissuer: "D\\n\\nE\\u200b"\nstatus: |\n  F\n  G'
    (tmp_path / "a.md").write_text(f"---\n{head}\n---\nText.", encoding="utf-8")
    (tmp_path / "b.md").write_text("# " + "long " * 100 + "\n\nText.", encoding="utf-8")
    documents, _, _ = load(tmp_path)
    assert (documents["a"].title, documents["a"].issuer, documents["a"].status) == ("AB [1] C", "D E", "F G")
    assert len(documents["b"].title) <= MAX_TITLE
