"""Dense alone, words alone and both joined, on any corpora and questions.

    python -m benchmarks.retrieval --questions Q.jsonl --corpus KO.jsonl --corpus EN.jsonl --corpus FOLDER

A question line is {"question", "lang", "passage_ids": [gold document ids]}; a gold document's counterpart (`pair`) in the
other language is gold too. Documents are ranked by their best chunk.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ingest.build import build
from rag.config import Settings
from rag.embed import load_embedder
from rag.index import Index, open_index
from rag.retrieve import LEXICAL_WEIGHT, Query, Scored, make_query, rank

Ranker = Callable[[Scored, Query], float]
WEIGHTS = (1.0, 2.0, LEXICAL_WEIGHT, 6.0)


def ranked_documents(scored: Sequence[Scored], query: Query, score: Ranker, depth: int = 10) -> list[str]:
    """Document ids, best chunk first, each once."""
    best = sorted((entry for entry in scored if score(entry, query) > -np.inf), key=lambda entry: -score(entry, query))
    return list(dict.fromkeys(entry.chunk.document_id for entry in best))[:depth]


def rankers() -> dict[str, Ranker]:
    """Name and score of each method that is compared."""
    methods: dict[str, Ranker] = {
        "dense (cosine)": lambda entry, query: entry.cosine,
        "dense, per language": lambda entry, query: entry.dense,
        "words alone": lambda entry, query: entry.lexical or -np.inf,  # a chunk without any of the words is not in its list
    }
    for weight in WEIGHTS:
        methods[f"joined, weight {weight:g}"] = lambda entry, query, weight=weight: (  # type: ignore[misc]
            entry.dense + weight * entry.lexical + entry.provision
        )
    return methods


def gold_documents(index: Index, ids: Sequence[str]) -> set[str]:
    """The gold documents and counterparts that the index holds."""
    wanted = set(ids)
    return {document.id for document in index.documents.values() if document.id in wanted or document.pair in wanted}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, action="append", required=True)
    arguments = parser.parse_args()
    embedder = load_embedder(Settings())
    questions = [json.loads(line) for line in arguments.questions.read_text(encoding="utf-8").splitlines() if line.strip()]
    queries = [make_query(entry["question"], embedder) for entry in questions]
    print(f"{'corpus':20}{'questions':>10}  {'method':22}{'hit@1':>7}{'hit@5':>7}{'hit@10':>8}{'MRR':>8}")
    for corpus in arguments.corpus:
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings(corpus=corpus, index=Path(folder))
            build(settings, embedder)
            index = open_index(settings.index, embedder.name)
            for language in sorted({entry["lang"] for entry in questions}):
                group = [
                    (query, rank(index, query), gold_documents(index, entry["passage_ids"]))
                    for entry, query in zip(questions, queries, strict=True)
                    if entry["lang"] == language
                ]
                for name, score in rankers().items():
                    ranks = []
                    for query, scored, gold in group:
                        found = ranked_documents(scored, query, score)
                        ranks.append(next((place for place, document in enumerate(found, start=1) if document in gold), np.inf))
                    places = np.asarray(ranks)
                    hits = "".join(f"{np.mean(places <= depth):{7 if depth < 10 else 8}.2f}" for depth in (1, 5, 10))
                    print(f"{corpus.name:20}{language:>10}  {name:22}{hits}{np.mean(1 / places):8.3f}")


if __name__ == "__main__":
    main()
