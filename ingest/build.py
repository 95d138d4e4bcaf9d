"""Build an index in a folder of its own, verify it, then make it the one that answers."""

import hashlib
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from json import dumps
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from ingest import vectors
from ingest.chunk import chunks
from ingest.load import load_corpus
from rag import crosslingual
from rag.config import Settings
from rag.crosslingual import Dictionary
from rag.embed import Embedder
from rag.errors import DocumentError, IndexDamagedError, IndexMismatchError, JiphyeonError
from rag.index import (
    FORMAT,
    Index,
    Manifest,
    Vectors,
    chroma_client,
    collection,
    corpus_hash,
    current_build,
    embedded_text,
    joined_vector,
    open_build,
    read_manifest,
    rows_by_stored_id,
    sentence_spans,
    swap,
    write_statistics,
    write_texts,
)
from rag.lexical import LexicalIndex, tokens, words
from rag.text import ENCODING
from rag.types import Chunk, Document

Progress = Callable[[str, int, int], None]  # what is being done, how many steps are done, of how many
_VERIFY_BATCH = 256


def silent(what: str, done: int, total: int) -> None:
    """A Progress that shows nothing."""


@dataclass(kw_only=True)
class Report:
    """What a build did."""

    index: str = ""
    fingerprint: str = ""
    documents: int = 0
    chunks: int = 0
    embedded: int = 0
    reused: int = 0
    unchanged: bool = False
    refused: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    seconds: float = 0.0


def build(settings: Settings, embedder: Embedder, progress: Progress = silent) -> Report:
    """Build `settings.index` from `settings.corpus`. Until the last rename the old index answers.

    Vectors of texts that the old index or the corpus's own file of vectors holds are taken from there. Files that cannot be read are in the report.
    Raises DocumentError if there is nothing to build from, IndexDamagedError if the new index does not verify
    (the old one stays), JiphyeonError if another build is running.
    """
    begun = time.monotonic()
    documents, refused, skipped = load_corpus(settings.corpus, settings.max_file_bytes)
    if not documents:
        reasons = "".join(f"\n  {line}" for line in refused + skipped)
        raise DocumentError(f"{str(settings.corpus)!r} holds no document that can be read; the old index stays.{reasons}")
    root = settings.index
    with _only_build(root):
        for leftover in root.glob("building-*"):  # of a build that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        report = Report(index=str(root), documents=len(documents), refused=refused, skipped=skipped)
        manifest = _manifest(settings, embedder, documents)
        old = current_build(root)
        old_manifest = _same_embedder(old, embedder)
        if old and old_manifest and old_manifest.fingerprint == manifest.fingerprint:
            report.unchanged, report.chunks, report.reused = True, old_manifest.chunks, old_manifest.chunks
        else:
            new = root / f"building-{uuid.uuid4().hex[:8]}"
            new.mkdir()
            try:
                known = vectors.vectors_of(open_build(old, old_manifest)) if old and old_manifest else vectors.Known()
                _write(new, documents, manifest, embedder, known, report, settings, progress)
                built = open_build(new, read_manifest(new))
                _reconnect(built)
                verify(built, progress)
                final = root / f"{manifest.fingerprint}-{uuid.uuid4().hex[:6]}"
                new.rename(final)
            finally:  # after the rename there is nothing left to remove
                shutil.rmtree(new, ignore_errors=True)
            swap(root, final)
            _remove_all_but(root, {final, old})
        report.fingerprint = manifest.fingerprint
    report.seconds = round(time.monotonic() - begun, 2)
    return report


@contextmanager
def _only_build(root: Path) -> Iterator[None]:
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / "build.lock", timeout=600):
            yield
    except Timeout as error:
        raise JiphyeonError(
            f"Another build is writing to {str(root)!r}; wait for it, or name another folder with --index"
        ) from error
    except PermissionError as error:
        raise JiphyeonError(
            f"Cannot write the index to {str(root)!r} ({error.strerror}); set JIPHYEON_INDEX to a folder you may write"
        ) from error


def _manifest(settings: Settings, embedder: Embedder, documents: Sequence[Document]) -> Manifest:
    content = {
        "format": FORMAT,
        "embedding_model": embedder.name,
        "dimension": embedder.dimension,
        "crosslingual_model": crosslingual.NAME,
        "chunking": f"{settings.chunk_tokens} tokens of {ENCODING}",
        "corpus_hash": corpus_hash(documents),
        "versions": {name: version(name) for name in ("chromadb", "bm25s", "kiwipiepy", "sentence-transformers")},
    }
    return Manifest(
        **content,  # type: ignore[arg-type]
        fingerprint=hashlib.sha256(dumps(content, sort_keys=True).encode()).hexdigest()[:12],
        built_at=datetime.now(UTC).isoformat(timespec="seconds"),
        corpus=str(settings.corpus),
        documents=len(documents),
        chunks=0,
    )


def _same_embedder(old: Path | None, embedder: Embedder) -> Manifest | None:
    """The old index's manifest, if its vectors can be used again."""
    if old is None:
        return None
    try:
        manifest = read_manifest(old)
    except (IndexMismatchError, IndexDamagedError):
        return None
    models = (manifest.embedding_model, manifest.crosslingual_model)
    same = models == (embedder.name, crosslingual.NAME) and manifest.versions["chromadb"] == version("chromadb")
    return manifest if same else None


def _write(
    folder: Path,
    documents: Sequence[Document],
    manifest: Manifest,
    embedder: Embedder,
    known: vectors.Known,
    report: Report,
    settings: Settings,
    progress: Progress,
) -> None:
    by_id = {document.id: document for document in documents}
    all_chunks = cut(documents, embedder, settings.chunk_tokens, progress)
    texts = embedded_texts(by_id, all_chunks)
    vectors.read(settings.corpus, embedder.name, texts, known)
    report.embedded = embed(by_id, all_chunks, known, embedder, progress)
    report.chunks, report.reused = len(all_chunks), len(texts) - report.embedded

    client = chroma_client(folder)
    batch = min(2000, client.get_max_batch_size())
    for language in dict.fromkeys(chunk.language for chunk in all_chunks):
        pool = [chunk for chunk in all_chunks if chunk.language == language]
        joined = joined_vector(*matrices(pool, known)[:2])
        store = collection(client, language)
        stored = [rows[0] for rows in rows_by_stored_id(pool).values()]
        for left in range(0, len(stored), batch):
            part = stored[left : left + batch]
            store.upsert(
                ids=[pool[row].id for row in part],
                embeddings=joined[part],
                documents=[pool[row].text for row in part],
                metadatas=[
                    {"document_id": pool[row].document_id, "start": pool[row].start, "end": pool[row].end} for row in part
                ],
            )
            progress(f"store, {language}", left + len(part), len(stored))
        write_pool(folder / language, by_id, pool, known, progress)
    write_texts(folder, documents, all_chunks)
    record = asdict(manifest) | {"chunks": len(all_chunks)}
    (folder / "manifest.json").write_text(dumps(record, indent=1, ensure_ascii=False), encoding="utf-8")


def cut(documents: Sequence[Document], embedder: Embedder, chunk_tokens: int, progress: Progress) -> list[Chunk]:
    """The chunks of all documents, in order."""
    found: list[Chunk] = []
    for number, document in enumerate(documents, start=1):
        found += chunks(
            document,
            chunk_tokens=chunk_tokens,
            embedder_tokens=embedder.count_tokens,
            embedder_limit=embedder.max_tokens,
        )
        progress("chunks", number, len(documents))
    return found


def embedded_texts(documents: dict[str, Document], pool: Sequence[Chunk]) -> list[str]:
    """All that is embedded by the main encoder: the chunks, then their sentences."""
    return [embedded_text(chunk) for chunk in pool] + _sentence_texts(documents, pool, sentence_spans(documents, pool))


def embed(
    documents: dict[str, Document], pool: Sequence[Chunk], known: vectors.Known, embedder: Embedder, progress: Progress
) -> int:
    """Add to `known` the vectors that it lacks of these chunks and their sentences; how many the main encoder computed."""
    missing = [text for text in dict.fromkeys(embedded_texts(documents, pool)) if text not in known.main]
    known.main |= zip(missing, embedder.encode_documents(missing, progress=partial(progress, "vectors")), strict=True)
    unseen = [text for text in dict.fromkeys(map(embedded_text, pool)) if text not in known.crosslingual]
    known.crosslingual |= zip(unseen, crosslingual.encode(unseen), strict=True)
    unheard = [
        text
        for text in dict.fromkeys(embedded_text(chunk) for chunk in pool if chunk.language == "en")
        if text not in known.english
    ]
    known.english |= zip(unheard, embedder.encode_english(unheard, progress=partial(progress, "English vectors")), strict=True)
    return len(missing)


def matrices(pool: Sequence[Chunk], known: vectors.Known) -> tuple[Vectors, Vectors, Vectors]:
    """The chunks' vectors by the main encoder (n, d), the crosslingual one (n, 512) and the one for English (n, e), or (n, 0)."""
    texts = [embedded_text(chunk) for chunk in pool]
    none = np.empty(0, np.float32)
    main, between = np.stack([known.main[text] for text in texts]), np.stack([known.crosslingual[text] for text in texts])
    return main, between, np.stack([known.english.get(text, none) for text in texts])


def write_pool(
    folder: Path,
    documents: dict[str, Document],
    pool: Sequence[Chunk],
    known: vectors.Known,
    progress: Progress,
    centre: Vectors | None = None,
) -> None:
    """Make `folder` and write what `rag.index.Pool` reads: words, dictionary (around `centre`), statistics, sentences."""
    language = pool[0].language
    rows: list[tuple[str, ...]] = []
    seen: list[tuple[str, str]] = []
    for text in map(embedded_text, pool):
        rows.append(tokens(text))
        seen += words(text)
        progress(f"words, {language}", len(rows), len(pool))
    folder.mkdir()
    lexical = LexicalIndex.build(rows)
    lexical.save(folder)
    Dictionary.build(seen, centre).save(folder)
    spans = sentence_spans(documents, pool)
    sentence_matrix = np.stack([known.main[text] for text in _sentence_texts(documents, pool, spans)])
    of_contexts = [lexical.columns(tokens(chunk.context)) for chunk in pool]
    of_sentences = [lexical.columns(tokens(documents[pool[row].document_id].text[start:end])) for row, start, end in spans]
    write_statistics(folder, *matrices(pool, known), spans, sentence_matrix, of_contexts, of_sentences)


def _sentence_texts(documents: dict[str, Document], pool: Sequence[Chunk], spans: Sequence[tuple[int, int, int]]) -> list[str]:
    """What is embedded of each sentence, in the order of the `sentence_spans` of these chunks."""
    return [embedded_text(pool[row], documents[pool[row].document_id].text[start:end]) for row, start, end in spans]


def verify(index: Index, progress: Progress = silent) -> None:
    """Check that every span is true and that every chunk is found by a query with its own vector.

    Raises IndexDamagedError naming the first chunk that fails: a count can be right while vectors are missing.
    """
    remedy = "Build it again: python -m ingest build"
    if len(index.chunks) != index.manifest.chunks or len(index.documents) != index.manifest.documents:
        raise IndexDamagedError(
            f"{str(index.folder)!r} holds {len(index.chunks)} chunks, its manifest says {index.manifest.chunks}. {remedy}"
        )
    for pool in index.pools.values():
        got = pool.collection.get(include=["documents"])
        texts = dict(zip(got["ids"], got["documents"] or [], strict=True))
        for identifier, rows in rows_by_stored_id(pool.chunks).items():
            for chunk in (pool.chunks[row] for row in rows):
                span = index.documents[chunk.document_id].text[chunk.start : chunk.end]
                if not chunk.text or not span == chunk.text == texts.get(identifier):
                    raise IndexDamagedError(f"The span of chunk {chunk.id!r} does not hold its text. {remedy}")
    lost = unreachable(index, progress)
    if lost:
        raise IndexDamagedError(f"Chunk {lost[0][1]!r} is stored but not found by its own vector. {remedy}")


def unreachable(index: Index, progress: Progress = silent) -> list[tuple[str, str]]:
    """(language, id) of every vector in Chroma that a query with that same vector does not find."""
    lost: list[tuple[str, str]] = []
    done = 0
    for language, pool in index.pools.items():
        ids = pool.collection.get(include=[])["ids"]
        for left in range(0, len(ids), _VERIFY_BATCH):
            part = pool.collection.get(ids=ids[left : left + _VERIFY_BATCH], include=["embeddings"])
            found = pool.collection.query(query_embeddings=part["embeddings"], n_results=min(5, len(ids)), include=["distances"])
            for identifier, near, distances in zip(part["ids"], found["ids"], found["distances"] or [], strict=True):
                # Texts that differ in a letter can have the same vector: any five of them may come back.
                if identifier not in near and distances[-1] > 1e-5:
                    lost.append((language, identifier))
            done += len(part["ids"])
            progress("verified", done, index.manifest.chunks)
    return lost


def _reconnect(index: Index) -> None:
    """Put every unreachable vector in again, which gives it new links in the graph that Chroma searches."""
    for language, identifier in unreachable(index):
        store = index.pools[language].collection
        kept = store.get(ids=[identifier], include=["embeddings", "documents", "metadatas"])
        store.delete(ids=[identifier])
        store.add(ids=[identifier], embeddings=kept["embeddings"], documents=kept["documents"], metadatas=kept["metadatas"])


def _remove_all_but(root: Path, keep: set[Path | None]) -> None:
    """Remove older builds; the last one stays for the process that still reads it."""
    for manifest in root.glob("*/manifest.json"):
        if manifest.parent not in keep:
            shutil.rmtree(manifest.parent, ignore_errors=True)
