"""Answers and refusals on the development questions: python -m benchmarks.answers [--fit] [--show]"""

import argparse
import json
from pathlib import Path

import numpy as np

from rag import open_pipeline
from rag.answer import extract, refuse
from rag.config import Settings
from rag.pipeline import Pipeline
from rag.retrieve import make_query, rank
from rag.text import language_of
from rag.types import Answer

QUESTIONS = Path(__file__).parent.parent / "evals" / "data" / "dev.jsonl"


def nugget_recall(answer: Answer, nuggets: list[list[str]]) -> float:
    """Share of the nuggets of which one form stands in a quote."""
    quoted = "\n".join(citation.quote for citation in answer.citations)
    return float(np.mean([any(form in quoted for form in forms) for forms in nuggets]))


def auroc(positive: list[float], negative: list[float]) -> float:
    """Probability that a positive scores above a negative, ties counted half."""
    pairs = np.asarray(positive)[:, None] - np.asarray(negative)[None]
    return float((pairs > 0).mean() + 0.5 * (pairs == 0).mean())


def features(pipeline: Pipeline, question: str) -> tuple[tuple[float, ...], float]:
    """A question's refusal signals in its own language, after a 1 for the constant, and its probability of an answer."""
    query = make_query(question, pipeline.embedder)
    language = language_of(question)
    scored = rank(pipeline.index, query)
    found = extract.candidates(pipeline.index, query, scored, language)
    own = [entry for entry in scored if entry.chunk.language == language]
    return (1.0, *refuse.signals(own)), refuse.answerable(scored, found, language)


def fit(rows: np.ndarray, answerable: np.ndarray, ridge: float = 1.0) -> np.ndarray:
    """Weights of a logistic regression, by Newton's method, with a ridge on all but the constant.

    The ridge is on the columns scaled to unit deviation; the weights returned are for the columns as they are.
    """
    scale = np.where(rows.std(axis=0) > 0, rows.std(axis=0), 1)
    centre = np.where(rows.std(axis=0) > 0, rows.mean(axis=0), 0)
    rows = (rows - centre) / scale
    weights = np.zeros(rows.shape[1])
    penalty = ridge * np.eye(rows.shape[1])
    penalty[0, 0] = 0
    for _ in range(50):
        p = 1 / (1 + np.exp(-rows @ weights))
        gradient = rows.T @ (p - answerable) + penalty @ weights
        weights -= np.linalg.solve((rows.T * (p * (1 - p))) @ rows + penalty, gradient)
    weights /= scale
    weights[0] -= weights @ centre
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fit", action="store_true", help="fit the refusal's weights and print them")
    parser.add_argument("--show", action="store_true", help="print every answer that misses a nugget or refuses wrongly")
    parser.add_argument("--index", type=Path)
    arguments = parser.parse_args()
    pipeline = open_pipeline(Settings(index=arguments.index) if arguments.index else Settings())
    questions = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    answers = {entry["id"]: pipeline.invoke({"question": entry["question"]}) for entry in questions}
    milliseconds = [answer.timings_ms["total"] for answer in answers.values()]

    if arguments.show:
        for entry in questions:
            answer = answers[entry["id"]]
            wrong = nugget_recall(answer, entry["nuggets"]) < 1 if entry["nuggets"] else not answer.refused
            if wrong:
                print(
                    f"--- {entry['id']} {entry['kind']}: {entry['question']}\n    wanted: {entry['section']} {entry['nuggets']}"
                )
                print("\n".join(f"    [{c.marker}] {c.document_id}: {c.quote[:160]}" for c in answer.citations) or "    refused")
    print(f"{'group':24}{'n':>4}{'document first':>16}{'in 3':>7}{'nuggets':>9}{'refused':>9}{'quotes':>8}")
    groups = [(language, kind) for language in ("ko", "en") for kind in dict.fromkeys(entry["kind"] for entry in questions)]
    for language, kind in [*groups, ("ko", ""), ("en", "")]:
        members = [e for e in questions if e["lang"] == language and (e["kind"] == kind or (not kind and e["nuggets"]))]
        if not members:
            continue
        refused = np.mean([answers[e["id"]].refused for e in members])
        quotes = np.mean([len(answers[e["id"]].citations) for e in members])
        first = within = recall = float("nan")
        if members[0]["nuggets"]:
            documents = [[p.document.id.rsplit("-", 1)[0] for p in answers[e["id"]].passages] for e in members]
            first = float(np.mean([found[0] == e["document"] for found, e in zip(documents, members, strict=True)]))
            within = float(np.mean([e["document"] in found[:3] for found, e in zip(documents, members, strict=True)]))
            recall = float(np.mean([nugget_recall(answers[e["id"]], e["nuggets"]) for e in members]))
        name = f"{language} {kind or 'all answerable'}"
        print(f"{name:24}{len(members):4}{first:16.2f}{within:7.2f}{recall:9.3f}{refused:9.2f}{quotes:8.2f}")
    measured = [features(pipeline, entry["question"]) for entry in questions]
    rows = np.asarray([signals for signals, _ in measured])
    p = np.asarray([probability for _, probability in measured])
    answerable = np.asarray([bool(entry["nuggets"]) for entry in questions])
    if arguments.fit:
        fitted = np.asarray([entry["kind"] != "unanswerable-near" for entry in questions])
        print("weights", np.round(fit(rows[fitted], answerable[fitted].astype(float)), 2).tolist())
    print(f"refusal: AUROC {auroc(p[answerable].tolist(), p[~answerable].tolist()):.3f}", end="; ")
    kept = np.quantile(p[answerable], 0.05)
    print(
        f"with 95 % of the answerable kept (threshold {kept:.2f}) refuses {np.mean(p[~answerable] < kept):.2f} of the others",
        end="; ",
    )
    wrongly = np.mean([answers[e["id"]].refused for e in questions if e["nuggets"]])
    rightly = np.mean([answers[e["id"]].refused for e in questions if not e["nuggets"]])
    print(f"as set: refuses {rightly:.2f} of them and {wrongly:.2f} of the answerable")
    for number, signal in enumerate(("closeness", "coverage"), start=1):
        print(f"  {signal}: AUROC {auroc(rows[answerable, number].tolist(), rows[~answerable, number].tolist()):.3f}")
    print(
        f"an answer takes {np.median(milliseconds):.0f} ms (median), {np.quantile(milliseconds, 0.95):.0f} ms (95th percentile)"
    )


if __name__ == "__main__":
    main()
