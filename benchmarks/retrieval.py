"""What each step of the ranking adds, on the evaluation's own questions: python -m benchmarks.retrieval [--split test]

Every step is the one before with one thing more; the last is what runs, but for the seats of other languages. Questions with
parts are asked as a whole here.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evals.metrics import ranked
from evals.run import Keys, build_all, own
from rag import retrieve
from rag.config import Settings
from rag.embed import load_embedder
from rag.index import open_index
from rag.retrieve import Query, Scored, make_query, rank

MEASURES = ("hit@1", "recall@5", "ndcg@10")


@dataclass(frozen=True, kw_only=True)
class Step:
    """Weights of the parts of a score; `raw` takes the main encoder's cosine as it is, without the adapter, `balanced` takes each language's level off.

    `glossary`: with the names of its terms in the other language; `english`: with the encoder for English, which takes over part of what the other two say.
    """

    main: float = 0.0
    crosslingual: float = 0.0
    sentence: float = 0.0
    lexical: float = 0.0
    coverage: float = 0.0
    provision: float = 0.0
    context: float = 0.0
    raw: float = 0.0
    balanced: bool = False
    glossary: bool = False
    english: bool = False


M, C, S, L, V, T = (
    retrieve.MAIN,
    retrieve.CROSSLINGUAL,
    retrieve.SENTENCE,
    retrieve.LEXICAL,
    retrieve.COVERAGE,
    retrieve.CONTEXT,
)
ALL = Step(main=M, lexical=L, crosslingual=C, sentence=S, coverage=V, provision=1, context=T, balanced=True)
STEPS = {
    "main encoder, cosine": Step(raw=1),
    "+ what it learned, in units of its language": Step(main=M),
    "words alone, translated": Step(lexical=L),
    "+ words": Step(main=M, lexical=L),
    "+ crosslingual encoder": Step(main=M, lexical=L, crosslingual=C),
    "+ nearest sentence": Step(main=M, lexical=L, crosslingual=C, sentence=S),
    "+ provisions, coverage": Step(main=M, lexical=L, crosslingual=C, sentence=S, coverage=V, provision=1),
    "+ titles of the other language": Step(main=M, lexical=L, crosslingual=C, sentence=S, coverage=V, provision=1, context=T),
    "+ languages balanced": ALL,
    "+ glossary": replace(ALL, glossary=True),
    "+ encoder for English": replace(ALL, glossary=True, english=True),
}


def reranked(found: Sequence[Scored], step: Step, query: Query) -> list[Scored]:
    """The candidates in the order of the step."""
    scores: dict[str, float] = {}
    for language in {entry.pool.language for entry in found}:
        pool = [entry for entry in found if entry.pool.language == language]
        values = np.asarray([
            (step.raw and step.raw * float(entry.pool.vectors([entry.row])[0][0] @ query.plain)) + of_encoders(entry, step)
            + step.sentence * entry.sentence + step.lexical * entry.lexical + step.coverage * entry.coverage
            + step.provision * entry.provision + step.context * entry.context
            for entry in pool
        ])  # fmt: skip
        level = np.sort(values)[::-1][retrieve.LEVEL]
        if step.balanced and level.size:
            values = values - retrieve.BALANCE * level.mean()
        scores |= {entry.chunk.id: float(value) for entry, value in zip(pool, values, strict=True)}
    return sorted(found, key=lambda entry: (-scores[entry.chunk.id], entry.chunk.id))


def of_encoders(entry: Scored, step: Step) -> float:
    """What the encoders say of a passage. Only of an English one, asked in English, the part of that encoder is not 0."""
    if step.english and entry.english:
        own = retrieve.MAIN_BESIDE * entry.main + retrieve.CROSSLINGUAL_BESIDE * entry.crosslingual
        return own + retrieve.ENGLISH * entry.english
    return step.main * entry.main + step.crosslingual * entry.crosslingual


def without_glossary(query: Query) -> Query:
    """The query as it would be if the glossary were empty."""
    return replace(query, gloss=np.zeros_like(query.gloss), terms=(), options={})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", default="dev", choices=("dev", "test"))
    parser.add_argument("--indexes", type=Path, default=Settings().cache_dir / "evals")
    arguments = parser.parse_args()
    embedder = load_embedder(Settings())
    sittings = own(arguments.indexes)
    build_all(sittings, lambda done, total: None)
    values: dict[tuple[str, str], list[list[float]]] = defaultdict(list)
    for sitting in sittings:
        if not sitting.questions:
            continue
        asked = [q for q in sitting.questions if q.split == arguments.split and q.id in sitting.qrels and not q.history]
        index = open_index(sitting.index, embedder.name)
        keys = Keys(index, sitting.qrels)
        queries = {question.id: make_query(question.question, embedder) for question in asked}
        found = {
            glossary: {id: rank(index, query if glossary else without_glossary(query)) for id, query in queries.items()}
            for glossary in (False, True)
        }
        for name, step in STEPS.items():
            runs = {
                id: list(dict.fromkeys(keys.of(e.chunk.document_id, e.chunk.start) for e in reranked(entries, step, queries[id])))
                for id, entries in found[step.glossary].items()
            }
            scores = ranked(sitting.qrels, runs)
            for question in asked:
                values[name, question.pair].append([scores[question.id][measure] or 0.0 for measure in MEASURES])
    pairs = sorted({pair for _, pair in values})
    print(f"{'':44}" + "".join(f"{pair:>20}" for pair in pairs) + "   (hit@1, recall@5, nDCG@10)")
    for name in STEPS:
        print(f"{name:44}" + "".join("  " + " ".join(f"{v:5.3f}" for v in np.mean(values[name, pair], axis=0)) for pair in pairs))


if __name__ == "__main__":
    main()
