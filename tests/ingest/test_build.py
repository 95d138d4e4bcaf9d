"""ingest/build.py: the swap, what is embedded again, what verification finds, and death at any moment."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.build import build, verify
from rag.config import PROJECT, Settings
from rag.embed import Embedder
from rag.errors import DocumentError, IndexDamagedError, IndexMismatchError, IndexMissingError
from rag.index import Index, chroma_client, current_build, open_index
from rag.retrieve import make_query

TEXTS = {
    "a.md": "# 과태료\n\n과태료는 3천만 원 이하입니다.\n\n## 유예\n\n유예 기간은 1년입니다.",
    "b.md": "# Fines\n\nThe fine is at most KRW 30 million.\n\n## Grace\n\nThe grace period is one year.",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for name, text in TEXTS.items():
        (corpus / name).write_text(text, encoding="utf-8")
    return Settings(corpus=corpus, index=tmp_path / "index")


def opened(settings: Settings, embedder: Embedder) -> Index:
    return open_index(settings.index, embedder.name)


def test_what_is_written(settings: Settings, embedder: Embedder) -> None:
    report = build(settings, embedder)
    index = opened(settings, embedder)
    assert (report.documents, report.chunks, len(index.chunks)) == (2, 4, 4)
    assert set(index.pools) == {"ko", "en"}
    manifest = index.manifest
    assert (manifest.embedding_model, manifest.dimension, manifest.documents) == (embedder.name, 384, 2)
    assert "cl100k" in manifest.chunking and manifest.versions["chromadb"] == "1.5.9" and manifest.corpus_hash


def test_only_what_changed_is_embedded(settings: Settings, embedder: Embedder) -> None:
    first = build(settings, embedder)
    assert build(settings, embedder).unchanged
    (settings.corpus / "b.md").write_text(TEXTS["b.md"].replace("one year", "two years"), encoding="utf-8")
    second = build(settings, embedder)
    # The changed chunk and its sentence; a chunk of one sentence has the same text, so the two are one.
    assert (second.embedded, second.reused) == (1, first.embedded + first.reused - 2 + 1)
    assert second.fingerprint != first.fingerprint
    assert "two years" in opened(settings, embedder).documents["b"].text


def test_a_deleted_file_leaves_nothing_behind(settings: Settings, embedder: Embedder) -> None:
    build(settings, embedder)
    (settings.corpus / "b.md").unlink()
    build(settings, embedder)
    index = opened(settings, embedder)
    assert list(index.documents) == ["a"] and set(index.pools) == {"ko"}
    assert current_build(settings.index) is not None
    for file in index.folder.rglob("*"):
        assert not file.is_file() or b"KRW 30 million" not in file.read_bytes(), file


def test_an_index_of_another_embedder_is_refused(settings: Settings, embedder: Embedder) -> None:
    build(settings, embedder)
    with pytest.raises(IndexMismatchError, match=r"python -m ingest build --corpus .* --index"):
        open_index(settings.index, "another/model")


def test_no_index_and_no_documents(settings: Settings, embedder: Embedder, tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError, match="python -m ingest build"):
        opened(settings, embedder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DocumentError, match="no document"):
        build(settings.model_copy(update={"corpus": tmp_path / "empty"}), embedder)


def test_verification_finds_a_missing_vector_and_a_false_span(settings: Settings, embedder: Embedder) -> None:
    build(settings, embedder)
    index = opened(settings, embedder)
    verify(index)
    chunk = index.pools["ko"].chunks[0]
    shifted = replace(chunk, start=chunk.start + 1)
    index.pools["ko"].chunks = [shifted, *index.pools["ko"].chunks[1:]]
    with pytest.raises(IndexDamagedError, match="span"):
        verify(index)
    index = opened(settings, embedder)
    chroma_client(index.folder).get_collection("chunks-ko").delete(ids=[chunk.id])
    with pytest.raises(IndexDamagedError):
        verify(index)


def test_many_chunks_of_one_text_verify(settings: Settings, embedder: Embedder) -> None:
    (settings.corpus / "same.txt").write_text("\n\n".join(["# h\n\nThe same text."] * 40), encoding="utf-8")
    report = build(settings, embedder)
    assert report.chunks == 44


def test_the_malformed_files_stop_nothing(settings: Settings, embedder: Embedder) -> None:
    (settings.corpus / "nul.txt").write_bytes("과태료\0 3천만원".encode())
    (settings.corpus / "cut.txt").write_bytes("고영향 인공지능".encode()[:-1])
    (settings.corpus / "empty.txt").write_bytes(b"")
    (settings.corpus / "line.txt").write_text("인공지능" * 20_000, encoding="utf-8")
    report = build(settings, embedder)
    assert len(report.refused) == 2
    assert {"nul", "line"} < set(opened(settings, embedder).documents)


def run(settings: Settings) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ingest", "build", "--corpus", str(settings.corpus), "--index", str(settings.index)]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


@pytest.fixture
def reference(settings: Settings, embedder: Embedder) -> Iterator[float]:
    """Seconds that a whole build takes in a process of its own, after which the index holds the first texts."""
    begun = time.monotonic()
    assert run(settings).wait(120) == 0
    yield time.monotonic() - begun


def test_killed_at_any_moment_the_old_index_answers(settings: Settings, embedder: Embedder, reference: float) -> None:
    seed = int.from_bytes(os.urandom(4))
    chance = random.Random(seed)
    for attempt in range(4):
        (settings.corpus / "b.md").write_text(TEXTS["b.md"] + f"\n\nAttempt {attempt}.", encoding="utf-8")
        process = run(settings)
        time.sleep(chance.uniform(0.3, 1.1) * reference)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        index = opened(settings, embedder)  # the old one, or the new one if it was done
        verify(index)
        query = make_query("과태료는 얼마인가?", embedder)
        found = index.pools["ko"].nearest(query.main, query.crosslingual, 1)
        assert "3천만 원" in index.pools["ko"].chunks[found[0]].text, f"seed {seed}"
    build(settings, embedder)
    assert "Attempt 3." in opened(settings, embedder).documents["b"].text
    assert not list(settings.index.glob("building-*"))


def test_two_builds_at_once(settings: Settings, embedder: Embedder) -> None:
    processes = [run(settings) for _ in range(2)]
    assert [process.wait(120) for process in processes] == [0, 0]
    verify(opened(settings, embedder))


def test_the_command_line(settings: Settings, embedder: Embedder) -> None:
    def ingest(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ingest", *arguments], cwd=PROJECT, capture_output=True, text=True, timeout=120
        )

    (settings.corpus / "bad.md").write_bytes(b"\xff\xfe\x00")
    built = ingest("build", "--corpus", str(settings.corpus), "--index", str(settings.index), "--json")
    assert built.returncode == 1 and "bad.md" in built.stderr
    assert json.loads(built.stdout)["documents"] == 2
    checked = ingest("check", "--index", str(settings.index))
    assert checked.returncode == 0 and "every one reachable" in checked.stdout
    shown = ingest("show", "a", "--index", str(settings.index))
    assert shown.stdout == TEXTS["a.md"]
    assert ingest("show", "nothing", "--index", str(settings.index)).returncode == 2
    (settings.corpus / "b.md").write_text("Changed.", encoding="utf-8")
    stale = ingest("check", "--index", str(settings.index))
    assert stale.returncode == 2 and "stale" in stale.stderr
