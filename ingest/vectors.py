"""Vectors that travel with a corpus, so that a laptop or a Space embeds nothing at its first start."""

import hashlib
import logging
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.index import Index, Vectors, embedded_text

logger = logging.getLogger(__name__)

FILE = "vectors.npz"  # in the folder of the corpus


def key_of(model: str, text: str) -> bytes:
    """16 bytes that name a vector: the model and exactly the text embedded."""
    return hashlib.sha256(f"{model}\0{text}".encode()).digest()[:16]


def write(index: Index, path: Path) -> int:
    """Write the vectors of an index, of chunks and sentences, in float16; how many."""
    found: dict[bytes, Vectors] = {}
    for text, vector in vectors_of(index).items():
        found[key_of(index.manifest.embedding_model, text)] = vector
    keys = sorted(found)
    vectors = np.stack([found[key] for key in keys]).astype(np.float16)
    seals = [_seal(key, row) for key, row in zip(keys, vectors, strict=True)]
    with open(path, "wb") as file:
        np.savez(file, keys=_bytes(keys), seals=_bytes(seals), vectors=vectors)
    return len(keys)


def read(corpus: Path) -> dict[bytes, Vectors]:
    """The vectors beside a corpus by their keys: float32 unit rows (d,). Empty if there are none.

    An entry whose seal does not fit its key and vector is left out, and so is a file that cannot be read: what is
    missing is computed again.
    """
    path = corpus / FILE
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as file, np.load(file) as stored:  # opened here: np.load leaves a damaged file open
            keys, seals, vectors = (stored[name] for name in ("keys", "seals", "vectors"))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        logger.warning("%s cannot be read (%s): every vector is computed. Write it again: python -m ingest vectors", path, error)
        return {}
    rows = {
        key.tobytes(): row.astype(np.float32)
        for key, seal, row in zip(keys, seals, vectors, strict=True)
        if _seal(key.tobytes(), row) == seal.tobytes()
    }
    if len(rows) < len(keys):
        logger.warning("%s holds %d damaged vectors, which are computed again.", path, len(keys) - len(rows))
    return {key: row / np.linalg.norm(row) for key, row in rows.items()}


def vectors_of(index: Index) -> dict[str, Vectors]:
    """The vectors of an index, of chunks and of sentences, by the text that was embedded."""
    known: dict[str, Vectors] = {}
    for pool in index.pools.values():
        for row, chunk in enumerate(pool.chunks):
            text = index.documents[chunk.document_id].text
            spans, vectors = pool.sentences(row)
            for (start, end), vector in zip(spans, vectors, strict=True):
                known[embedded_text(chunk, text[start:end])] = vector
        got = pool.vectorstore.get(include=["embeddings"])
        chunk_of = {chunk.id: chunk for chunk in pool.chunks}
        for identifier, vector in zip(got["ids"], got["embeddings"], strict=True):
            known[embedded_text(chunk_of[identifier])] = np.asarray(vector, dtype=np.float32)
    return known


def _seal(key: bytes, row: NDArray[np.float16]) -> bytes:
    return hashlib.sha256(key + row.tobytes()).digest()[:8]


def _bytes(values: list[bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(values), dtype=np.uint8).reshape(len(values), -1)
