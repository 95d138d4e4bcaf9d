"""The index on disk: one Chroma collection and one BM25 index a language, the documents, and the manifest.

index/CURRENT            the name of the build that answers; replaced by one rename
index/<build>/           manifest.json, documents.jsonl, chunks.jsonl, chroma/
index/<build>/<language> BM25, dictionary, statistics of the vectors, the vectors themselves, spans and vectors of the sentences

A chunk's vector in Chroma is two: the main encoder's, and the crosslingual one's behind it. A query weighs them. The vectors
of the encoder for English stand beside it: what the two and BM25 find is ranked with it.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from rag.crosslingual import Dictionary
from rag.errors import IndexDamagedError, IndexMismatchError, IndexMissingError
from rag.lexical import LexicalIndex
from rag.provisions import provisions
from rag.text import sentences
from rag.types import Chunk, Document

if TYPE_CHECKING:
    from chromadb import Collection
    from chromadb.api import ClientAPI


Vectors = NDArray[np.float32]
Moments = Literal["main", "crosslingual", "english", "sentences"]

OPENING = 40  # characters of a chunk, in which it names the provision that it is
FORMAT = 11  # raised when what is written here changes; an older index is then rebuilt
# Cosine, and a search wide enough that every chunk can be reached: the defaults are l2 and 100.
HNSW = {"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 300, "max_neighbors": 32}}


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What an index was built from and with. `fingerprint` names its content."""

    format: int
    fingerprint: str
    built_at: str
    embedding_model: str
    dimension: int  # of the main encoder's vectors
    crosslingual_model: str
    chunking: str
    corpus: str  # the path that was read
    corpus_hash: str
    documents: int
    chunks: int
    versions: dict[str, str]


class Pool:
    """The chunks of one language: rows in the order of `chunks`, with what ranks them for a query."""

    collection: "Collection"  # a pool of a visitor's own documents has none

    def __init__(self, language: str, chunks: Sequence[Chunk], folder: Path, dimension: int) -> None:
        self.language = language
        self.chunks = chunks
        self.lexical = LexicalIndex.load(folder, len(chunks))
        self.dictionary = Dictionary.load(folder)
        self._dimension = dimension
        self._rows = rows_by_stored_id(chunks)
        with np.load(folder / "moments.npz") as moments:
            self._moments = dict(moments)  # of each: the mean in row 0, the covariance below it
        self._spans = np.load(folder / "sentence_spans.npy")  # (m, 3): row of the chunk, start, end
        # Plain arrays, (n, d + 512) float32, (n, e) and (m, d) float16: each slice of a memmap is a Python object of its own.
        self._joined = np.asarray(np.load(folder / "chunk_vectors.npy", mmap_mode="r"))
        self._english = np.asarray(np.load(folder / "english_vectors.npy", mmap_mode="r"))
        self._vectors = np.asarray(np.load(folder / "sentence_vectors.npy", mmap_mode="r"))
        self._first = np.searchsorted(self._spans[:, 0], np.arange(len(chunks) + 1))
        self._context_tokens = Ragged.load(folder / "context_tokens.npz")
        self._sentence_tokens = Ragged.load(folder / "sentence_tokens.npz")

    def sentences(self, row: int) -> tuple[list[tuple[int, int]], Vectors]:
        """Spans of the sentences of the chunk in `row`, and their vectors (n, d) of the main encoder."""
        spans = self._spans[self._first[row] : self._first[row + 1], 1:].tolist()
        return [(start, end) for start, end in spans], self.sentence_vectors(row)

    def sentence_vectors(self, row: int) -> Vectors:
        """Vectors (n, d) of the main encoder of the sentences of the chunk in `row`."""
        vectors: Vectors = self._vectors[self._first[row] : self._first[row + 1]].astype(np.float32)
        return vectors

    def nearest_sentences(self, rows: Sequence[int], query: Vectors) -> Vectors:
        """The cosine of the query to the nearest sentence of each of the chunks in `rows`; -1 to a chunk without sentences."""
        first, after = self._first[rows], self._first[np.add(rows, 1)]
        numbers = np.concatenate([np.arange(*span) for span in zip(first, after, strict=True)])
        nearest = np.full(len(rows), -1.0, np.float32)
        cosines = self._vectors[numbers].astype(np.float32) @ query
        np.maximum.at(nearest, np.repeat(np.arange(len(rows)), after - first), cosines)
        return nearest

    def context_tokens(self, row: int) -> frozenset[int]:
        """The tokens of the context of the chunk in `row`, as columns of the BM25 index."""
        return frozenset(self._context_tokens[row])

    def rows_of(self, address: str) -> list[int]:
        """The rows of the chunks whose title, heading or opening words name the provision, ascending."""
        titled = {row for column in self.lexical.columns([address]) for row in self._context_tokens.places_with(column)}
        kind, number, *_ = address.split(":")
        # Most openings lack the number, and looking for it is a tenth of the work; annexes are counted in Roman numerals too.
        digits = re.compile("" if kind == "annex" else rf"(?<!\d){re.escape(number.split('-')[0])}", re.IGNORECASE)
        return [
            row
            for row in self.lexical.rows_with(address).tolist()
            if row in titled
            or (
                digits.search(self.chunks[row].text, 0, OPENING)
                and address in provisions(self.chunks[row].text[:OPENING].lower())
            )
        ]

    def sentence_tokens(self, row: int) -> list[frozenset[int]]:
        """The tokens of each sentence of the chunk in `row` and of the chunk's context, as columns of the BM25 index."""
        context = self._context_tokens[row]
        return [frozenset(context + self._sentence_tokens[number]) for number in range(self._first[row], self._first[row + 1])]

    def standardise(self, query: Vectors, of: Moments) -> tuple[float, float]:
        """Mean and standard deviation of the query's cosine to all of a kind of vectors of this pool.

        They follow exactly from the mean and covariance of the vectors. An encoder gives texts of the query's own
        language higher cosines, whatever they say: only scores in units of their own pool can be compared.
        """
        mean, covariance = self._moments[of][0], self._moments[of][1:]
        return float(mean @ query), float(np.sqrt(max(query @ covariance @ query, 1e-8)))

    def nearest(self, main: Vectors, crosslingual: Vectors, k: int) -> list[int]:
        """The rows of the `k` chunks nearest to the sum of two query vectors, which may be of any length; equal texts count as one."""
        query = np.concatenate([main, crosslingual])
        found = self.collection.query(query_embeddings=[query], n_results=min(k, len(self._rows)), include=[])
        return [row for identifier in found["ids"][0] for row in self._rows[identifier]]

    def vectors(self, rows: Sequence[int]) -> tuple[Vectors, Vectors]:
        """Unit vectors of the chunks in `rows` by the main encoder (n, d) and the crosslingual one (n, 512)."""
        return split_vector(self._joined[rows], self._dimension)

    def english_vectors(self, rows: Sequence[int]) -> Vectors:
        """Vectors (n, e) of the chunks in `rows` by the encoder for English; (n, 0) in another language, or without one."""
        vectors: Vectors = self._english[rows].astype(np.float32)
        return vectors


@dataclass(frozen=True, eq=False)
class Ragged:
    """Lists of column numbers by their place: all numbers in one array, and where each list ends, after a 0."""

    ends: NDArray[np.int64]
    columns: NDArray[np.int32]

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> "Ragged":
        ends = np.cumsum([0, *map(len, lists)], dtype=np.int64)
        return cls(ends, np.asarray([column for columns in lists for column in columns], dtype=np.int32))

    @classmethod
    def load(cls, file: Path) -> "Ragged":
        with np.load(file) as stored:
            return cls(stored["ends"], stored["columns"])

    def save(self, file: Path) -> None:
        np.savez(file, ends=self.ends, columns=self.columns)

    def places_with(self, column: int) -> list[int]:
        """The places of the lists that hold the column number, ascending; one twice that holds it twice."""
        places: list[int] = (np.searchsorted(self.ends, np.flatnonzero(self.columns == column), side="right") - 1).tolist()
        return places

    def __getitem__(self, place: int) -> list[int]:
        columns: list[int] = self.columns[self.ends[place] : self.ends[place + 1]].tolist()
        return columns


class OwnPool(Pool):
    """The chunks of a visitor's own documents in one language, in memory alone: searched exactly, measured by the corpus.

    A few texts have no statistics worth the name. Means and covariances, and how rare a word is, are those of the corpus.
    """

    def __init__(self, chunks: Sequence[Chunk], folder: Path, dimension: int, corpus: Pool) -> None:
        """Nothing of `folder` is needed afterwards."""
        super().__init__(chunks[0].language, chunks, folder, dimension)
        self._joined, self._english, self._vectors = map(np.array, (self._joined, self._english, self._vectors))
        if corpus.language == self.language:
            self._moments = corpus._moments
        else:  # but of English there is nothing to take
            self._moments = corpus._moments | {"english": self._moments["english"]}
        self.lexical.weigh_in(corpus.lexical)

    def nearest(self, main: Vectors, crosslingual: Vectors, k: int) -> list[int]:
        """The rows of the `k` chunks nearest to the sum of two query vectors, which may be of any length."""
        order: list[int] = np.argsort(-(self._joined @ np.concatenate([main, crosslingual])), kind="stable")[:k].tolist()
        return order


def joined_vector(main: Vectors, crosslingual: Vectors) -> Vectors:
    """What Chroma stores of unit vectors (n, d) and (n, 512): unit vectors (n, d + 512)."""
    joined: Vectors = np.hstack([main, crosslingual]) / np.sqrt(2, dtype=np.float32)
    return joined


def split_vector(joined: Vectors, dimension: int) -> tuple[Vectors, Vectors]:
    """The two that `joined_vector` joined."""
    whole = joined * np.sqrt(2, dtype=np.float32)
    return whole[:, :dimension], whole[:, dimension:]


def rows_by_stored_id(chunks: Sequence[Chunk]) -> dict[str, list[int]]:
    """The rows of each text by the id of the first chunk that has it, under which Chroma holds its vector.

    One text many times over is stored once: equal vectors crowd each other's links in the graph that Chroma searches,
    until other chunks can no longer be reached.
    """
    first: dict[str, str] = {}
    rows: dict[str, list[int]] = {}
    for row, chunk in enumerate(chunks):
        rows.setdefault(first.setdefault(embedded_text(chunk), chunk.id), []).append(row)
    return rows


class Index:
    """An index opened for reading."""

    def __init__(self, folder: Path, manifest: Manifest, documents: dict[str, Document], pools: dict[str, Pool]) -> None:
        self.folder = folder
        self.manifest = manifest
        self.documents = documents
        self.pools = pools
        held = {name: {chunk.document_id for chunk in pool.chunks} for name, pool in pools.items()}
        self._mirrored = {
            (name, other): all(
                (counterpart := self.counterpart(documents[identifier])) is not None and counterpart.language == other
                for identifier in held[name]
            )
            for name in pools
            for other in pools
        }

    def mirrors(self, pool: str, language: str) -> bool:
        """Whether every text of a pool, by its name, has its counterpart in the language."""
        return self._mirrored.get((pool, language), False)

    def with_own(self, own: "Index") -> "Index":
        """This index with a visitor's own documents beside it, as further pools; neither of the two changes."""
        return Index(self.folder, self.manifest, self.documents | own.documents, self.pools | own.pools)

    @property
    def chunks(self) -> list[Chunk]:
        return [chunk for pool in self.pools.values() for chunk in pool.chunks]

    def counterpart(self, document: Document) -> Document | None:
        """The same text in the other language, if the index holds it."""
        return self.documents.get(document.pair)


def current_build(root: Path) -> Path | None:
    """The folder of the build that answers under `root`, if there is one."""
    try:
        name = (root / "CURRENT").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    return root / name if (root / name / "manifest.json").is_file() else None


def read_manifest(build: Path) -> Manifest:
    """The manifest of a build. Raises IndexMismatchError for another format, IndexDamagedError if it cannot be read."""
    try:
        stored = json.loads((build / "manifest.json").read_text(encoding="utf-8"))
        if stored.get("format") != FORMAT:
            raise IndexMismatchError(
                f"The index {str(build.parent)!r} has format {stored.get('format')!r}, this version reads {FORMAT}. "
                "Build it again: python -m ingest build"
            )
        return Manifest(**stored)
    except (OSError, ValueError, TypeError) as error:
        raise IndexDamagedError(
            f"The manifest of the index {str(build)!r} cannot be read ({error}). Build it again: python -m ingest build"
        ) from error


def read_texts(root: Path) -> tuple[Manifest, dict[str, Document]]:
    """The manifest and the documents of the index under `root`, for who does not search: no model is needed.

    Raises IndexMissingError, IndexMismatchError or IndexDamagedError, each with the command that mends it.
    """
    build = _answering(root)
    return read_manifest(build), _documents(build)


def open_index(root: Path, embedding_model: str) -> Index:
    """The index under `root`, checked against the embedder that will search it.

    Raises IndexMissingError, IndexMismatchError or IndexDamagedError, each with the command that mends it.
    """
    build = _answering(root)
    manifest = read_manifest(build)
    if manifest.embedding_model != embedding_model:
        raise IndexMismatchError(
            f"The index {str(root)!r} was built with the embedder {manifest.embedding_model!r}, and this is {embedding_model!r}: "
            f"their vectors cannot be compared. Build it again: python -m ingest build --corpus {manifest.corpus} --index {root}, "
            "or set JIPHYEON_EMBEDDING_MODEL to the embedder that it was built with."
        )
    return open_build(build, manifest)


def open_build(build: Path, manifest: Manifest) -> Index:
    """The index in the folder `build`. Raises IndexDamagedError if a part of it is missing."""
    documents = _documents(build)
    try:
        by_language: dict[str, list[Chunk]] = {}
        for line in _lines(build / "chunks.jsonl"):
            text = documents[line["document_id"]].text[line["start"] : line["end"]]
            chunk = Chunk(**{**line, "headings": tuple(line["headings"])}, text=text)
            by_language.setdefault(chunk.language, []).append(chunk)
        client = chroma_client(build)
        pools = {
            language: Pool(language, chunks, build / language, manifest.dimension) for language, chunks in by_language.items()
        }
        for language, pool in pools.items():
            pool.collection = collection(client, language)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(build, error) from error
    return Index(build, manifest, documents, pools)


def write_texts(build: Path, documents: Iterable[Document], chunks: Iterable[Chunk]) -> None:
    """Write documents.jsonl and chunks.jsonl; a chunk's text is not repeated, it is a span of its document."""
    with open(build / "documents.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(document), ensure_ascii=False) + "\n" for document in documents)
    with open(build / "chunks.jsonl", "w", encoding="utf-8") as file:
        for chunk in chunks:
            record = asdict(chunk)
            del record["text"]
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def write_statistics(
    folder: Path,
    main: Vectors,
    crosslingual: Vectors,
    english: Vectors,
    spans: Sequence[tuple[int, int, int]],
    sentence_vectors: Vectors,
    context_columns: Sequence[Sequence[int]],
    sentence_columns: Sequence[Sequence[int]],
) -> None:
    """Write a pool's vectors and their statistics, spans (m, 3) and vectors (m, d) of its sentences, and the columns of the tokens of
    the chunks' contexts and of the sentences."""
    of = {"main": main, "crosslingual": crosslingual, "english": english, "sentences": sentence_vectors}
    np.savez(folder / "moments.npz", **{name: _moments(vectors) for name, vectors in of.items()})  # type: ignore[arg-type]
    np.save(folder / "sentence_spans.npy", np.asarray(spans, dtype=np.int32))
    np.save(folder / "chunk_vectors.npy", joined_vector(main, crosslingual))
    np.save(folder / "english_vectors.npy", english.astype(np.float16))
    np.save(folder / "sentence_vectors.npy", sentence_vectors.astype(np.float16))
    Ragged.of(context_columns).save(folder / "context_tokens.npz")
    Ragged.of(sentence_columns).save(folder / "sentence_tokens.npz")


def _moments(vectors: Vectors) -> Vectors:
    """Mean in row 0, covariance in the rows below it: (d + 1, d)."""
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    return np.vstack([mean[None], centred.T @ centred / len(vectors)]).astype(np.float32)


def chroma_client(build: Path) -> "ClientAPI":
    """The one place that opens Chroma: other client settings on the same path raise."""
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(path=str(build / "chroma"), settings=Settings(anonymized_telemetry=False))


def collection(client: "ClientAPI", language: str) -> "Collection":
    """The collection of one language; made with cosine distance where it is new."""
    return client.get_or_create_collection(f"chunks-{language}", configuration=HNSW, embedding_function=None)  # type: ignore[arg-type]


def corpus_hash(documents: Iterable[Document]) -> str:
    """A hash of the texts and of all that is known about them; the order does not matter."""
    digests = sorted(hashlib.sha256(json.dumps(asdict(document), sort_keys=True).encode()).hexdigest() for document in documents)
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:16]


def sentence_spans(documents: dict[str, Document], chunks: Sequence[Chunk]) -> list[tuple[int, int, int]]:
    """(row of the chunk, start, end) of every sentence of the chunks, in order."""
    return [
        (row, start, end)
        for row, chunk in enumerate(chunks)
        for start, end in sentences(documents[chunk.document_id].text, chunk.start, chunk.end)
    ]


def embedded_text(chunk: Chunk, sentence: str = "") -> str:
    """What is embedded and searched: the chunk, or a sentence of it, with its context. Quotes come without it."""
    return f"{chunk.context}\n{sentence or chunk.text}"


def swap(root: Path, build: Path) -> None:
    """Make `build`, a folder under `root`, the one that answers: one rename, so that there is never none."""
    pointer = root / "CURRENT.new"
    with open(pointer, "w", encoding="utf-8") as file:
        file.write(build.name)
        file.flush()
        os.fsync(file.fileno())
    pointer.replace(root / "CURRENT")


def _answering(root: Path) -> Path:
    """The folder of the build that answers under `root`. Raises IndexMissingError if there is none."""
    build = current_build(root)
    if build is None:
        raise IndexMissingError(f"There is no index in {str(root)!r}. Build one: python -m ingest build --index {root}")
    return build


def _documents(build: Path) -> dict[str, Document]:
    try:
        return {document.id: document for document in map(_document, _lines(build / "documents.jsonl"))}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(build, error) from error


def _damaged(build: Path, error: Exception) -> IndexDamagedError:
    return IndexDamagedError(
        f"The index {str(build)!r} is damaged ({type(error).__name__}: {error}). Build it again: python -m ingest build"
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _document(record: dict[str, Any]) -> Document:
    return Document(**{**record, "sources": tuple((title, url) for title, url in record["sources"])})
