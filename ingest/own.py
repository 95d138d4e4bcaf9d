"""A visitor's own documents: an index in memory that lives as long as the visit."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from ingest import vectors
from ingest.build import Progress, cut, embed, silent, write_pool
from rag.embed import Embedder
from rag.index import Index, OwnPool, Pool
from rag.types import Document


def own_index(
    documents: Sequence[Document],
    corpus: Index,
    embedder: Embedder,
    chunk_tokens: int,
    before: Index | None = None,
    progress: Progress = silent,
) -> Index:
    """An index of at least one document, for `corpus.with_own`. Vectors of the texts that `before` holds are taken from there.

    Nothing stays on disk: the files that its parts are read from are gone when this returns.
    """
    by_id = {document.id: document for document in documents}
    known = vectors.vectors_of(before) if before else vectors.Known()
    all_chunks = cut(documents, embedder, chunk_tokens, progress)
    embed(by_id, all_chunks, known, embedder, progress)
    pools: dict[str, Pool] = {}
    with tempfile.TemporaryDirectory(prefix="jiphyeon-own-") as temporary:
        for language in dict.fromkeys(chunk.language for chunk in all_chunks):
            chunks = [chunk for chunk in all_chunks if chunk.language == language]
            measured = corpus.pools.get(language) or next(iter(corpus.pools.values()))
            folder = Path(temporary) / language
            write_pool(folder, by_id, chunks, known, progress, centre=measured.dictionary.centre)
            pools[f"own-{language}"] = OwnPool(chunks, folder, embedder.dimension, measured)
    return Index(corpus.folder, corpus.manifest, by_id, pools)
