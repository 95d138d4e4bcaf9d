"""How long a keyless answer takes over a large index: python -m benchmarks.latency [--chunks 50000] [--questions 100]

The large index is made of the corpus's own sentences, shuffled into new texts, so that its words are real; their vectors are
those of real texts with noise on them, since computing them would take an hour. The pipeline that is timed is the real one.
Each question is asked of both indexes in turn.
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

import ingest.build
from evals.questions import read_questions
from rag import crosslingual
from rag.config import PROJECT, Settings
from rag.embed import Embedder, load_embedder
from rag.index import Index, Vectors, open_index
from rag.pipeline import Pipeline, open_pipeline

SENTENCES = 5  # of a text
NOISE = 0.02  # a dimension: neighbours as near as those of a large corpus, none the same


class Noisy:
    """An embedder of the same name, whose vectors are those of random texts of the index with noise."""

    def __init__(self, embedder: Embedder, index: Index) -> None:
        self._embedder = embedder
        vectors = [pool.vectors(range(len(pool.chunks))) for pool in index.pools.values()]
        self._main, self._crosslingual = (np.vstack(part) for part in zip(*vectors, strict=True))
        self._english = np.vstack(
            [pool.english_vectors(range(len(pool.chunks))) for pool in index.pools.values() if pool.language == "en"]
        )
        self._random = np.random.default_rng(1)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embedder, name)

    def encode_documents(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> Vectors:
        return self._drawn(self._main, len(texts))

    def encode_english(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> Vectors:
        return self._drawn(self._english, len(texts))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Those of the crosslingual encoder."""
        return self._drawn(self._crosslingual, len(texts))

    def _drawn(self, vectors: Vectors, count: int) -> Vectors:
        drawn = vectors[self._random.integers(len(vectors), size=count)]
        drawn = drawn + NOISE * self._random.standard_normal(drawn.shape, dtype=np.float32)
        unit: Vectors = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
        return unit


def shuffled(index: Index, count: int) -> list[dict[str, str]]:
    """So many documents of one chunk each, half of them in each language of the index."""
    draw = random.Random(1)
    texts = []
    for pool in index.pools.values():
        spans = [
            index.documents[chunk.document_id].text[start:end]
            for row, chunk in enumerate(pool.chunks)
            for start, end in pool.sentences(row)[0]
        ]
        titles = [document.title for document in index.documents.values() if document.language == pool.language]
        for number in range(count // len(index.pools)):
            text = " ".join(draw.sample(spans, SENTENCES))
            texts.append({"id": f"{pool.language}-{number}", "title": draw.choice(titles), "lang": pool.language, "text": text})
    return texts


def large(small: Pipeline, chunks: int, folder: Path) -> Pipeline:
    """A pipeline over about so many chunks."""
    corpus = folder / "corpus.jsonl"
    with corpus.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in shuffled(small.index, chunks))
    noisy: Any = Noisy(small.embedder, small.index)
    settings = Settings(corpus=corpus, index=folder / "index", max_file_bytes=10**9)
    # Its graph is checked by a search for each chunk, and mended, in minutes; no time of an answer depends on that.
    with (
        mock.patch.object(crosslingual, "encode", noisy.encode),
        mock.patch.object(ingest.build, "_reconnect"),
        mock.patch.object(ingest.build, "verify"),
    ):
        ingest.build.build(settings, noisy)
    return small.over(open_index(settings.index, small.embedder.name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=50_000)
    parser.add_argument("--questions", type=int, default=100)
    given = parser.parse_args()
    settings = Settings()
    small = open_pipeline(settings, load_embedder(settings))
    questions = [question.question for question in read_questions(PROJECT / "evals/data/corpus/questions.jsonl")]
    questions = random.Random(1).sample(questions, given.questions)
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        pipelines = {"the corpus": small, "shuffled": large(small, given.chunks, Path(folder))}
        print(f"built in {time.monotonic() - begun:.0f} s")
        took: dict[str, list[float]] = {name: [] for name in pipelines}
        for number, question in enumerate([questions[0], *questions]):  # the first once more: it warms
            for name, pipeline in pipelines.items():
                begun = time.perf_counter()
                pipeline.invoke({"question": question})
                if number:
                    took[name].append(1000 * (time.perf_counter() - begun))
        print("| | chunks | median, ms | p95, ms |\n|---|---:|---:|---:|")
        for name, pipeline in pipelines.items():
            print(
                f"| {name} | {len(pipeline.index.chunks):,} | {np.median(took[name]):.0f} | {np.quantile(took[name], 0.95):.0f} |"
            )


if __name__ == "__main__":
    main()
