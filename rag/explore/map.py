"""A map of the corpus: its chunks on a plane, near each other where they are about the same, whatever their language."""

import threading
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rag.index import Index, Vectors
from rag.types import Chunk, Document

MOST = 2000  # points: more are neither drawn nor told apart; of a larger corpus every n-th chunk is shown
PERPLEXITY = 25.0  # about how many neighbours of a chunk are kept near it
ROUNDS = 500  # of t-SNE
COMPONENTS = 40  # of the vectors that t-SNE sees


_turn = threading.Lock()  # two visitors who come first at once wait for one drawing


@dataclass(frozen=True, kw_only=True)
class Point:
    """A chunk on the map; `x` and `y` are 0 to 1, from the left and from the top."""

    chunk: Chunk
    document: Document
    x: float
    y: float


def corpus_map(index: Index) -> tuple[Point, ...]:
    """A point for each chunk, always the same for an index; kept for the last one that was asked for."""
    with _turn:
        return _points(index)


@lru_cache(maxsize=1)
def _points(index: Index) -> tuple[Point, ...]:
    """A point for each chunk, in order.

    The crosslingual encoder's vectors, since the main one keeps the languages apart; without what all chunks of a language
    have in common. t-SNE of their principal components, which are also its start.
    """
    chunks: list[Chunk] = []
    parts: list[Vectors] = []
    step = -(-len(index.chunks) // MOST)
    for pool in index.pools.values():
        rows = range(0, len(pool.chunks), step)
        vectors = pool.vectors(rows)[1]
        chunks += [pool.chunks[row] for row in rows]
        parts.append(vectors - vectors.mean(axis=0))
    plane = _plane(np.vstack(parts)) if chunks else np.empty((0, 2), dtype=np.float32)
    return tuple(
        Point(chunk=chunk, document=index.documents[chunk.document_id], x=float(x), y=float(y))
        for chunk, (x, y) in zip(chunks, plane, strict=True)
    )


def _plane(vectors: Vectors) -> Vectors:
    """(n, 2) between 0 and 1. Fewer than a dozen vectors are placed by their two principal components."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    count = len(vectors)
    if count < 3:
        return np.linspace(0.25, 0.75, 2 * count, dtype=np.float32).reshape(count, 2)
    components = PCA(n_components=min(COMPONENTS, count - 1, vectors.shape[1]), random_state=0).fit_transform(vectors)
    if count >= 12:
        perplexity = min(PERPLEXITY, (count - 1) / 4)
        with threadpool_limits(1):  # where cores are shared, threads that spin for each other took seven times the work
            tsne = TSNE(perplexity=perplexity, init="pca", random_state=0, metric="cosine", max_iter=ROUNDS)
            components = tsne.fit_transform(components)
    plane = components[:, :2]
    low, high = plane.min(axis=0), plane.max(axis=0)
    placed: Vectors = ((plane - low) / np.maximum(high - low, 1e-9)).astype(np.float32)
    return placed
