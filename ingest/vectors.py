"""Vectors that travel with a corpus, so that a laptop or a Space embeds nothing at its first start."""

import hashlib
import logging
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag import crosslingual
from rag.index import Index, Vectors, embedded_text

logger = logging.getLogger(__name__)

FILE = "vectors.npz"  # in the folder of the corpus


@dataclass(kw_only=True)
class Known:
    """Vectors by the exact text embedded: of chunks and sentences (d,), of chunks between languages (512,), of English ones (e,)."""

    main: dict[str, Vectors] = field(default_factory=dict)
    crosslingual: dict[str, Vectors] = field(default_factory=dict)
    english: dict[str, Vectors] = field(default_factory=dict)


def key_of(model: str, text: str) -> bytes:
    """16 bytes that name a vector: the model and exactly the text embedded."""
    return hashlib.sha256(f"{model}\0{text}".encode()).digest()[:16]


def write(index: Index, path: Path) -> int:
    """Write the vectors of an index in float16; how many."""
    known = vectors_of(index)
    parts: dict[str, NDArray[Any]] = {}
    for name, model, by_text in (
        ("main", index.manifest.embedding_model, known.main),
        ("crosslingual", index.manifest.crosslingual_model, known.crosslingual),
        ("english", index.manifest.embedding_model, known.english),
    ):
        if not by_text:  # no English text, or no encoder for it
            continue
        found = sorted(((key_of(model, text), vector.astype(np.float16)) for text, vector in by_text.items()), key=itemgetter(0))
        parts[f"{name}_keys"] = _bytes([key for key, _ in found])
        parts[f"{name}_seals"] = _bytes([_seal(key, vector) for key, vector in found])
        parts[f"{name}_vectors"] = np.stack([vector for _, vector in found])
    with open(path, "wb") as file:
        np.savez(file, **parts)  # type: ignore[arg-type]
    return len(known.main) + len(known.crosslingual) + len(known.english)


def read(corpus: Path, embedding_model: str, texts: Sequence[str], known: Known) -> None:
    """Add to `known` what the file beside the corpus holds of these texts, as unit rows, where `known` lacks it.

    An entry whose seal does not fit its key and vector is left out, and so is a file that cannot be read: what is
    missing is computed.
    """
    path = corpus / FILE
    if not path.is_file():
        return
    try:
        with path.open("rb") as file, np.load(file) as stored:  # opened here: np.load leaves a damaged file open
            parts = {name: stored[name] for name in stored.files}
        for name, model, by_text in (
            ("main", embedding_model, known.main),
            ("crosslingual", crosslingual.NAME, known.crosslingual),
            ("english", embedding_model, known.english),
        ):
            if f"{name}_keys" not in parts:
                continue
            vectors = parts[f"{name}_vectors"]
            place = {key.tobytes(): row for row, key in enumerate(parts[f"{name}_keys"])}
            damaged = 0
            for text in texts:
                key = key_of(model, text)
                if text in by_text or (row := place.get(key)) is None:
                    continue
                if _seal(key, vectors[row]) == parts[f"{name}_seals"][row].tobytes():
                    vector = vectors[row].astype(np.float32)
                    by_text[text] = vector / np.linalg.norm(vector)
                else:
                    damaged += 1
            if damaged:
                logger.warning("%s holds %d damaged vectors, which are computed again.", path, damaged)
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        logger.warning("%s cannot be read (%s): every vector is computed. Write it again: python -m ingest vectors", path, error)


def vectors_of(index: Index) -> Known:
    """The vectors of an index by the text that was embedded."""
    known = Known()
    for pool in index.pools.values():
        rows = range(len(pool.chunks))
        for row, main, other, english in zip(rows, *pool.vectors(rows), pool.english_vectors(rows), strict=True):
            chunk = pool.chunks[row]
            known.main[embedded_text(chunk)], known.crosslingual[embedded_text(chunk)] = main, other
            if english.size:
                known.english[embedded_text(chunk)] = english
            text = index.documents[chunk.document_id].text
            for (start, end), vector in zip(*pool.sentences(row), strict=True):
                known.main[embedded_text(chunk, text[start:end])] = vector
    return known


def _seal(key: bytes, row: NDArray[np.float16]) -> bytes:
    return hashlib.sha256(key + row.tobytes()).digest()[:8]


def _bytes(values: list[bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(values), dtype=np.uint8).reshape(len(values), -1)
