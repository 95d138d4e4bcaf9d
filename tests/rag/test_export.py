"""A conversation written out, and checked against an index that is the same, has changed, or has lost a document."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rag import export
from rag.config import PROJECT
from rag.errors import ExportError
from rag.pipeline import Pipeline
from rag.types import Answer, Document

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
QUESTIONS = ("왜 머스크는 소송을 냈나?", "Which practices does Article 5 ban?", "How do I bake sourdough bread?")


@pytest.fixture(scope="module")
def answers(pipeline: Pipeline) -> list[Answer]:
    """Two that quote, one in each language, and a refusal."""
    given = [pipeline.invoke({"question": question}) for question in QUESTIONS]
    assert [answer.refused for answer in given] == [False, False, True]
    return given


@pytest.fixture
def exported(answers: list[Answer], pipeline: Pipeline, tmp_path: Path) -> Path:
    path = tmp_path / "conversation.json"
    path.write_text(export.as_json(answers, pipeline.index.documents, NOW), encoding="utf-8")
    return path


def outcomes(path: Path, documents: export.Documents) -> list[tuple[str, int, str, tuple[int, int] | None]]:
    return [(found.answer, found.marker, found.outcome, found.now) for found in export.verify(export.read(path), documents)]


def test_what_was_exported_stands(exported: Path, answers: list[Answer], pipeline: Pipeline) -> None:
    stored = json.loads(exported.read_text(encoding="utf-8"))
    assert stored["format"] == export.FORMAT and stored["exported_at"] == "2026-11-23T09:30:00+00:00"
    assert stored["turns"][0]["index"]["fingerprint"] == pipeline.index.manifest.fingerprint
    assert [turn["text"] for turn in stored["turns"]] == [answer.text for answer in answers]
    expected = [
        (str(number), citation.marker, "stands", None)
        for number, answer in enumerate(answers, 1)
        for citation in answer.citations
    ]
    assert outcomes(exported, pipeline.index.documents) == expected and len(expected) > 3


@pytest.mark.parametrize(
    ("change", "outcome", "by"),
    [
        (lambda text, quote: text + "\n\nA later note.", "changed", None),
        (lambda text, quote: "A note before. " + text, "moved", 15),
        (lambda text, quote: text.replace(quote, quote[:-1]), "gone", None),
        (None, "missing", None),
    ],
)
def test_a_document_that_has_changed(
    exported: Path,
    answers: list[Answer],
    pipeline: Pipeline,
    change: Callable[[str, str], str] | None,
    outcome: str,
    by: int | None,
) -> None:
    cited = answers[0].citations[0]
    documents: dict[str, Document] = dict(pipeline.index.documents)
    document = documents.pop(cited.document_id)
    if change:
        documents[document.id] = replace(document, text=change(document.text, cited.quote))
    now = (cited.start + by, cited.end + by) if by else None
    assert outcomes(exported, documents)[0] == ("1", 1, outcome, now)
    assert all(found.outcome == "stands" for found in export.verify(export.read(exported)[1:], documents))


@pytest.mark.parametrize("field", ["quote", "start", "document_sha256"])
def test_a_file_that_was_tampered_with(exported: Path, answers: list[Answer], pipeline: Pipeline, field: str) -> None:
    stored = json.loads(exported.read_text(encoding="utf-8"))
    cited = stored["turns"][0]["citations"][0]
    cited[field] = {"quote": "고발" + cited["quote"][2:], "start": cited["start"] + 1, "document_sha256": "0" * 64}[field]
    exported.write_text(json.dumps(stored), encoding="utf-8")
    true = answers[0].citations[0]
    now = (true.start, true.end) if field == "start" else None
    expected = "changed" if field == "document_sha256" else "altered"
    assert outcomes(exported, pipeline.index.documents)[0] == ("1", 1, expected, now)


def test_answers_of_the_command_line_are_read_too(answers: list[Answer], pipeline: Pipeline, tmp_path: Path) -> None:
    one, batch = tmp_path / "one.json", tmp_path / "batch.jsonl"
    one.write_text(json.dumps(answers[1].to_json(), ensure_ascii=False, indent=1), encoding="utf-8")
    lines = [json.dumps({"id": f"q{number}", **answer.to_json()}, ensure_ascii=False) for number, answer in enumerate(answers)]
    batch.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert len(outcomes(one, pipeline.index.documents)) == len(answers[1].citations)
    found = outcomes(batch, pipeline.index.documents)
    assert {name for name, *_ in found} == {"q0", "q1"} and {outcome for _, _, outcome, _ in found} == {"stands"}


ANSWER: dict[str, Any] = {"question": "?", "citations": [{"marker": 1, "document_id": "a", "quote": "b", "start": 0, "end": 1}]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", ":1: not JSON"),
        ('{\n "format": "jiphyeon-conversation/1",\n "turns": [}\n', ":3: not JSON"),
        ('{"format": "jiphyeon-conversation/9", "turns": []}', ": format: Input should be 'jiphyeon-conversation/1'"),
        ('{"format": "jiphyeon-conversation/1", "turns": []}', ": turns: "),
        ('{"question": "?"}', ": citations: Field required"),
        ("[1, 2]", ": the whole: "),
        (json.dumps(ANSWER) + '\n{"question": "?", "citations": [{"marker": 1}]}', ":2: citations.0.document_id: Field required"),
        (json.dumps(ANSWER) + "\nnothing", ":2: not JSON"),
        (json.dumps(ANSWER).replace('"start": 0', '"start": -1'), ": citations.0.start: "),
        (json.dumps(ANSWER).replace('"b"', '""'), ": citations.0.quote: "),
    ],
)
def test_a_bad_file_is_named_with_line_and_field(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ExportError) as raised:
        export.read(path)
    assert f"{path}{said}" in str(raised.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name in ("nowhere", "binary"):
        with pytest.raises(ExportError, match=name):
            export.read(tmp_path / name)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_markdown_has_all_that_people_need(answers: list[Answer], pipeline: Pipeline, language: Any) -> None:
    written = export.as_markdown(answers, pipeline.index.documents, language, NOW)
    assert "2026-11-23 09:30" in written
    for answer in answers:
        assert f"## {answer.question}" in written
        for citation in answer.citations:
            entry = next(
                line for line in written.splitlines() if line.startswith(f"- [{citation.marker}] “{citation.quote[:20]}")
            )
            assert " ".join(citation.quote.split()) in entry
            assert f"{citation.document_id}:{citation.start}-{citation.end}" in entry
            assert all(part in written for part in (citation.title, citation.issuer, citation.status, f"<{citation.url}>"))
    assert ("지어내지 않고" if language == "ko" else "Quoted, not generated") in written


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rag", "verify", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120)


def test_the_command(exported: Path, index_dir: Path, answers: list[Answer]) -> None:
    count = sum(len(answer.citations) for answer in answers)
    good = run(str(exported), "--index", str(index_dir))
    assert good.returncode == 0 and f"{count} of {count}" in good.stdout and "musk-v-openai-ko" in good.stdout, good.stderr
    text = exported.read_text(encoding="utf-8")
    exported.write_text(text.replace("설립 취지를 저버렸다고", "설립 취지를 지켰다고"), encoding="utf-8")
    bad = run(str(exported), "--index", str(index_dir), "--json")
    found = json.loads(bad.stdout)
    assert bad.returncode == 1 and found["quotes"] == count and found["bad"] == 1
    assert [quote["outcome"] for quote in found["outcomes"] if not quote["good"]] == ["altered"]
    exported.write_text("{", encoding="utf-8")
    broken = run(str(exported), "--index", str(index_dir))
    assert broken.returncode == 2 and "conversation.json:1" in broken.stderr and "Traceback" not in broken.stderr
