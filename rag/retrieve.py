"""One ranking from dense search, BM25 and look-up of provisions, each language searched for itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as LangChainDocument
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from rag.embed import Embedder
from rag.index import Index, Pool, Vectors
from rag.lexical import tokens
from rag.provisions import provisions
from rag.text import normalise
from rag.types import Chunk, Passage

# How deep each list is read before joining. Deeper changed no figure of benchmarks/retrieval.py.
CANDIDATES = 60
# Weights against one standard deviation of cosine, chosen on the development questions (benchmarks/retrieval.py).
LEXICAL_WEIGHT = 4.0
PROVISION_NAMED, PROVISION_MENTIONED = 3.0, 1.0


@dataclass(frozen=True, kw_only=True)
class Query:
    """A question made ready to search: its text, its unit vector (d,), its tokens and the provisions it names."""

    text: str
    vector: Vectors
    tokens: tuple[str, ...]
    provisions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A chunk with the parts of its score; `score` is what it is ranked by."""

    pool: Pool
    row: int
    cosine: float
    dense: float  # cosine, in standard deviations above its pool's mean
    lexical: float  # BM25 as a share of the best score the query could have
    coverage: float  # share of the query's idf that the chunk and its context hold
    provision: float
    score: float

    @property
    def chunk(self) -> Chunk:
        return self.pool.chunks[self.row]


def make_query(question: str, embedder: Embedder) -> Query:
    """The question normalised, embedded and cut into tokens."""
    text = normalise(question)
    return Query(text=text, vector=embedder.encode_query(text)[0], tokens=tokens(text), provisions=tuple(provisions(text)))


def rank(index: Index, query: Query) -> list[Scored]:
    """All candidates of all languages, best first.

    Score = standardised cosine + LEXICAL_WEIGHT x share of the ideal BM25 score + provision bonus. The lexical part is
    near nothing where the query's words are of another language, so that it cannot push noise above the dense ranking,
    as rank fusion does.
    """
    found = [scored for pool in index.pools.values() for scored in _rank_pool(pool, query)]
    return sorted(found, key=lambda scored: (-scored.score, scored.chunk.id))


def _rank_pool(pool: Pool, query: Query) -> list[Scored]:
    dense = pool.dense(query.vector, CANDIDATES)
    lexical = pool.lexical.scores(query.tokens)
    best = np.argsort(-lexical, kind="stable")[:CANDIDATES]
    provision = _provision_bonus(pool, query.provisions)
    rows = {int(row) for row in best if lexical[row] > 0} | set(provision)
    dense |= pool.cosines(query.vector, sorted(rows - set(dense)))
    mean, deviation = pool.standardise(query.vector)
    ideal = pool.lexical.ideal(query.tokens)
    coverage = pool.lexical.coverage(query.tokens)
    scored = []
    for row, cosine in dense.items():
        z = (cosine - mean) / deviation
        share = float(lexical[row]) / ideal if ideal else 0.0
        bonus = provision.get(row, 0.0)
        scored.append(
            Scored(
                pool=pool,
                row=row,
                cosine=cosine,
                dense=z,
                lexical=share,
                coverage=float(coverage[row]),
                provision=bonus,
                score=z + LEXICAL_WEIGHT * share + bonus,
            )
        )
    return scored


def _provision_bonus(pool: Pool, addresses: Sequence[str]) -> dict[int, float]:
    """A bonus for each chunk that is (its title or heading says so) or mentions a provision the question names."""
    bonus: dict[int, float] = {}
    # A paragraph's address comes with its article's: the paragraph counts once more.
    for address in addresses:
        for row in pool.lexical.rows_with(address):
            chunk = pool.chunks[row]
            named = address in provisions(chunk.context) or address in provisions(chunk.text[:40])
            value = PROVISION_NAMED if named else PROVISION_MENTIONED
            bonus[int(row)] = bonus.get(int(row), 0.0) + value / len(addresses)
    return bonus


def passages(index: Index, scored: Sequence[Scored], limit: int) -> tuple[Passage, ...]:
    """The first `limit` as passages, ranks from 1."""
    return tuple(
        Passage(rank=number, score=entry.score, chunk=entry.chunk, document=index.documents[entry.chunk.document_id])
        for number, entry in enumerate(scored[:limit], start=1)
    )


class HybridRetriever(BaseRetriever):
    """The ranking as a LangChain retriever: documents carry the chunk's text, and its place in the metadata."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    index: Index
    embedder: Embedder
    k: int = 10

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[LangChainDocument]:
        scored = rank(self.index, make_query(query, self.embedder))
        return [
            LangChainDocument(
                id=passage.chunk.id,
                page_content=passage.chunk.text,
                metadata={
                    "document_id": passage.document.id,
                    "title": passage.document.title,
                    "language": passage.chunk.language,
                    "start": passage.chunk.start,
                    "end": passage.chunk.end,
                    "score": passage.score,
                },
            )
            for passage in passages(self.index, scored, self.k)
        ]
