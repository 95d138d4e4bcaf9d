"""BM25 over Korean morphemes, English word stems and provision addresses."""

import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.provisions import provisions

if TYPE_CHECKING:
    import bm25s
    import Stemmer
    from kiwipiepy import Kiwi

Scores = NDArray[np.float32]
Options = Mapping[str, float]
"""Tokens that stand for one word of a query, each with a weight up to 1: itself, or its translations."""

FEWEST = 100  # texts; in fewer, hardly a word is rare: they are weighed as if there were so many
UNTRANSLATED = 0.25  # the share of the rarest word's weight that an untranslated word has

# Nouns, numerals, roots, verbs and adjectives, foreign words, Chinese characters: what carries meaning in Korean.
_CONTENT_TAGS = ("NN", "NR", "XR", "VV", "VA", "SL", "SN", "SH", "W_SERIAL")
# Words of a question's frame: they ask, and say nothing on what is asked.
_KOREAN_STOP = frozenset(
    (
        "것 수 등 때 뭐 무엇 누구 어디 언제 하 되 있 없 이 그 저 알 말 어떻 어떠 내용 경우 대하 관하 따르 위하 주 내 나 나오 "
        "가 오 보 두 받 들 같 그렇 이렇 말하 않 못하 싶 지"
    ).split()
)
_ENGLISH_STOP = frozenset(
    (
        "a an the of to in on at by for from with as and or not no is are was were be been being do does did has have had it its "
        "this that these those what which who whom whose when where why how there their they he she his her you your i we our us "
        "can could may might must shall should will would about into over under if then than so such any all some more most other "
        "also me my"
    ).split()
)
_WORD = re.compile(r"[^\W_]+(?:['’][a-z]+)?", re.UNICODE)
_HANGUL = re.compile("[\uac00-\ud7a3]")
_kiwi_lock = threading.Lock()


@cache
def _kiwi() -> "Kiwi":
    from kiwipiepy import Kiwi

    # Its dictionaries of names cost 255 MB: one joins words that a search wants apart, the other changed no token here.
    return Kiwi(num_workers=1, load_multi_dict=False, load_default_dict=False)


@cache
def _stemmer() -> "Stemmer.Stemmer":
    import Stemmer

    return Stemmer.Stemmer("english")


def warm() -> None:
    """Load the morphological analyser now (1 to 3 s) rather than at the first question."""
    tokens("준비")


def tokens(text: str) -> tuple[str, ...]:
    """What BM25 sees of `text`: morphemes, stems and numbers in order, then addresses such as `article:31`."""
    return (*(token for token, _ in words(text)), *provisions(text))


@lru_cache(maxsize=4096)  # the sentences that are read for answers come again and again
def words(text: str) -> tuple[tuple[str, str], ...]:
    """(token, word) for what carries meaning, in order: what BM25 sees, and what it stands for, as in ("regul", "regulation")."""
    with _kiwi_lock:  # loading is lazy, and the stemmer keeps state
        return tuple(_korean_words(text) if _HANGUL.search(text) else _stems(text))


@lru_cache(maxsize=4096)
def morphemes(text: str) -> tuple[tuple[str, str, int, int], ...]:
    """(form, tag, start, end) of the morphemes of a Korean text, in order; tags as in kiwipiepy."""
    with _kiwi_lock:
        return tuple((token.form, token.tag, token.start, token.end) for token in _kiwi().tokenize(text))


def _korean_words(text: str) -> Iterator[tuple[str, str]]:
    for token in _kiwi().tokenize(text):
        if not token.tag.startswith(_CONTENT_TAGS):
            continue
        if token.tag in ("SL", "SN", "SH", "W_SERIAL"):
            yield from _stems(token.form)
        elif token.form not in _KOREAN_STOP:
            yield token.form, token.form + ("다" if token.tag.startswith("V") else "")


def _stems(text: str) -> Iterator[tuple[str, str]]:
    found = (match[0].lower().replace("’", "'").removesuffix("'s") for match in _WORD.finditer(text))
    meaningful = [word for word in found if word not in _ENGLISH_STOP]
    yield from zip(map(str, _stemmer().stemWords(meaningful)), meaningful, strict=True)


def highest(scores: Scores, count: int) -> list[int]:
    """The places of the `count` highest scores, best first; of equal ones the first place first."""
    least = np.partition(scores, -count)[-count] if count < len(scores) else -np.inf
    places = np.flatnonzero(scores >= least)
    order: list[int] = places[np.argsort(-scores[places], kind="stable")][:count].tolist()
    return order


class LexicalIndex:
    """BM25 (Lucene's variant) over token lists; row i is the i-th text given to `build`."""

    def __init__(self, bm25: "bm25s.BM25", size: int) -> None:
        self._bm25 = bm25
        self._size = size
        self._corpus: LexicalIndex | None = None
        self._vocabulary: dict[str, int] = bm25.vocab_dict
        self.addresses = {token for token in self._vocabulary if ":" in token}
        """The provisions that the texts name."""

    @classmethod
    def build(cls, token_lists: Sequence[Sequence[str]]) -> "LexicalIndex":
        """An index of `token_lists`, at least one of them not empty."""
        import bm25s

        bm25 = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
        bm25.index([list(row) or ["∅"] for row in token_lists], show_progress=False)
        index = cls(bm25, len(token_lists))
        index._reweigh([_idf(index._size, count) for count in index._counts()])
        return index

    def save(self, folder: Path) -> None:
        """Write the index into `folder`."""
        self._bm25.save(str(folder), show_progress=False)

    @classmethod
    def load(cls, folder: Path, size: int) -> "LexicalIndex":
        """The index of `size` rows that `save` wrote."""
        import bm25s

        return cls(bm25s.BM25.load(str(folder), mmap=False), size)

    def weigh_in(self, corpus: "LexicalIndex") -> None:
        """Weigh every word by how rare it is in `corpus` and here together: in a handful of texts all words are alike."""
        before = [self._idf(count) for count in self._counts()]
        self._corpus = corpus
        self._reweigh(before)

    def _counts(self) -> list[int]:
        """How many rows hold each token, by column."""
        counts: list[int] = np.diff(self._bm25.scores["indptr"]).tolist()
        return counts

    def _reweigh(self, before: Sequence[float]) -> None:
        """Put this index's own inverse document frequencies in the place of those that were used before, by column."""
        after = np.asarray(before)
        for token, column in self._vocabulary.items():
            if column < len(after):  # beyond it is the empty token, which the library adds
                after[column] = self._idf(self._frequency(token))
        matrix = self._bm25.scores
        matrix["data"] = (matrix["data"] * np.repeat(after / before, self._counts())).astype(np.float32)

    def scores(self, query: Sequence[Options]) -> Scores:
        """BM25 of every row: float32 (rows,). Of the options for a word the best that a row holds counts."""
        total = np.zeros(self._size, dtype=np.float32)
        for options in query:
            best = np.zeros(self._size, dtype=np.float32)
            for token, weight in options.items():
                rows, values = self._column(token)
                best[rows] = np.maximum(best[rows], weight * values)
            total += best
        return total

    def weights(self, query: Sequence[Options]) -> list[float]:
        """The inverse document frequency of each word of the query, that of its most telling option.

        A word without any option in the index weighs as much as the rarest; one that could not be translated, less: the
        dictionary may lack it.
        """
        rarest = self._idf(0)
        return [max((self._idf(self._frequency(token)) for token in options), default=UNTRANSLATED * rarest) for options in query]

    def coverage(self, query: Sequence[Options]) -> Scores:
        """The share of the query's idf that each row covers, 0 to 1: float32 (rows,)."""
        weights = self.weights(query)
        total = sum(weights)
        covered = np.zeros(self._size, dtype=np.float32)
        for options, weight in zip(query, weights, strict=True):
            best = np.zeros(self._size, dtype=np.float32)
            for token, nearness in options.items():
                rows = self.rows_with(token)
                best[rows] = np.maximum(best[rows], nearness)
            covered += best * (weight / total)
        return covered

    def ideal(self, query: Sequence[Options]) -> float:
        """An upper bound of `scores` for the query: every word in its best chunk."""
        return sum(self.weights(query))  # Lucene's term part tf / (tf + k1 ...) stays under 1

    def columns(self, tokens: Iterable[str]) -> list[int]:
        """The columns of those tokens that the index knows, each once."""
        return [self._vocabulary[token] for token in dict.fromkeys(tokens) if token in self._vocabulary]

    def __contains__(self, token: str) -> bool:
        return token in self._vocabulary

    def _idf(self, frequency: int) -> float:
        return _idf(max(self._size + (self._corpus._size if self._corpus else 0), FEWEST), frequency)

    def _frequency(self, token: str) -> int:
        return len(self.rows_with(token)) + (self._corpus._frequency(token) if self._corpus else 0)

    def rows_with(self, token: str) -> NDArray[np.int32]:
        """The rows that hold the token, ascending."""
        return self._column(token)[0]

    def _column(self, token: str) -> tuple[NDArray[np.int32], Scores]:
        column = self._vocabulary.get(token)
        if column is None:
            return np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32)
        matrix = self._bm25.scores
        part = slice(matrix["indptr"][column], matrix["indptr"][column + 1])
        return matrix["indices"][part], matrix["data"][part]


def _idf(size: int, frequency: int) -> float:
    """The inverse document frequency that Lucene's BM25 gives a token in `frequency` of `size` texts."""
    return float(np.log1p((size - frequency + 0.5) / (frequency + 0.5)))
