"""ingest/vectors.py: vectors that travel with the corpus are used, and stale or tampered ones are not."""

from pathlib import Path

import numpy as np
import pytest

from ingest import vectors
from ingest.build import build
from rag import crosslingual
from rag.config import PROJECT, Settings
from rag.embed import Embedder
from rag.index import open_index


@pytest.fixture
def settings(tmp_path: Path, embedder: Embedder) -> Settings:
    """A corpus of two texts with its vectors beside it, and no index yet."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.md").write_text("# 과태료\n\n과태료는 3천만 원 이하입니다. 유예 기간은 1년입니다.", encoding="utf-8")
    (corpus / "b.md").write_text("# Fines\n\nThe fine is at most KRW 30 million.", encoding="utf-8")
    first = Settings(corpus=corpus, index=tmp_path / "first")
    assert build(first, embedder).embedded == 4
    # Of two chunks and the two sentences of one of them; the other chunk is its one sentence. Chunks have two each, in English three.
    assert vectors.write(open_index(first.index, embedder.name), corpus / vectors.FILE) == 7
    return Settings(corpus=corpus, index=tmp_path / "second")


def test_what_travelled_is_not_embedded_again(settings: Settings, embedder: Embedder) -> None:
    assert build(settings, embedder).embedded == 0
    index = open_index(settings.index, embedder.name)
    known = vectors.vectors_of(index)
    assert (len(known.main), len(known.crosslingual), len(known.english)) == (4, 2, 1)
    for text, vector in known.main.items():
        assert vector @ embedder.encode_documents([text])[0] > 0.9999
    for text, vector in known.crosslingual.items():
        assert vector @ crosslingual.encode([text])[0] > 0.9999
    for text, vector in known.english.items():
        assert vector @ embedder.encode_english([text])[0] > 0.9999


def test_vectors_travel_without_an_english_text(tmp_path: Path, embedder: Embedder) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.md").write_text("# 과태료\n\n과태료는 3천만 원 이하입니다.", encoding="utf-8")
    first = Settings(corpus=corpus, index=tmp_path / "first")
    build(first, embedder)
    assert vectors.write(open_index(first.index, embedder.name), corpus / vectors.FILE) == 2
    assert build(Settings(corpus=corpus, index=tmp_path / "second"), embedder).embedded == 0


def test_a_changed_text_is_embedded(settings: Settings, embedder: Embedder) -> None:
    (settings.corpus / "b.md").write_text("# Fines\n\nThe fine is at most KRW 50 million.", encoding="utf-8")
    assert build(settings, embedder).embedded == 1  # the chunk is its one sentence


def travelled(settings: Settings, model: str) -> vectors.Known:
    """What the file beside the corpus holds for a model, of the texts that a build embeds."""
    known = vectors.Known()
    first, second = "과태료는 3천만 원 이하입니다.", "유예 기간은 1년입니다."
    texts = [f"과태료\n{text}" for text in (f"{first} {second}", first, second)]
    texts.append("Fines\nThe fine is at most KRW 30 million.")
    vectors.read(settings.corpus, model, texts, known)
    return known


def test_vectors_of_another_model_are_not_used(settings: Settings, embedder: Embedder) -> None:
    assert len(travelled(settings, embedder.name).main) == 4
    assert travelled(settings, "another/model").main == {}


def test_a_tampered_vector_is_computed_again(settings: Settings, embedder: Embedder) -> None:
    path = settings.corpus / vectors.FILE
    with np.load(path) as stored:
        parts = {name: stored[name].copy() for name in stored.files}
    parts["main_vectors"][0] = parts["main_vectors"][1]
    np.savez(path, **parts)
    assert len(travelled(settings, embedder.name).main) == 3
    assert build(settings, embedder).embedded == 1


@pytest.mark.parametrize("damage", [b"", b"not a zip", None])
def test_a_damaged_file_is_passed_over(settings: Settings, embedder: Embedder, damage: bytes | None) -> None:
    path = settings.corpus / vectors.FILE
    path.write_bytes(path.read_bytes()[:-200] if damage is None else damage)
    assert build(settings, embedder).embedded == 4


def test_the_project_s_own_vectors_are_up_to_date(embedder: Embedder, tmp_path: Path) -> None:
    """After a change of a text: python -m ingest build && python -m ingest vectors."""
    assert build(Settings(corpus=PROJECT / "corpus", index=tmp_path), embedder).embedded == 0
