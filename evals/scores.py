"""The scores of a run: every group's figures with their intervals, and every question's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from evals.metrics import (
    METRICS,
    RANKED,
    Estimate,
    auroc,
    difference,
    difference_at_95,
    difference_of_auroc,
    estimate,
    mean,
    refused_at_95,
    score,
)
from evals.questions import KINDS, PAIRS
from evals.run import Record, Sitting

Row = dict[str, Any]  # one question with its scores

GAPS = (  # title, field, the Korean value, the English value
    ("Korean minus English", "lang", "ko", "en"),
    ("ko-ko minus en-en", "pair", "ko-ko", "en-en"),
    ("ko-en minus en-ko", "pair", "ko-en", "en-ko"),
)
STATISTICS = {"auroc": auroc, "auroc_near": auroc, "auroc_far": auroc, "refused@95": refused_at_95}


def rows(sittings: Sequence[Sitting], records: Sequence[Record]) -> list[Row]:
    """Each question with what it scored, in the order of the sittings."""
    by_id = {record["id"]: record for record in records}
    found: list[Row] = []
    for sitting in sittings:
        scores = score(sitting.questions, sitting.qrels, by_id)
        for question in sitting.questions:
            record = by_id[question.id]
            found.append(
                {
                    "id": question.id,
                    **question.model_dump(include={"question", "lang", "kind", "pair", "split", "topic"}),
                    "answerable": question.answerable,
                    "sitting": sitting.name,
                    "refused": record["refused"],
                    "confidence": record["confidence"],
                    "timings_ms": record["timings_ms"],
                    "scores": {name: value for name, value in scores[question.id].items() if value is not None},
                }
            )
    return found


def scored(questions: Sequence[Row], made: Mapping[str, Any]) -> dict[str, Any]:
    """What scores.json holds."""
    return {
        "made": made,
        "metrics": [asdict(metric) for metric in (*METRICS, *RANKED)],
        "groups": [
            {
                "by": by,
                "name": name,
                "questions": len(members),
                "scores": figures(members, questions),
                "latency_ms": latency(members),
            }
            for by, name, members in groups(questions)
        ],
        "gaps": [
            {
                "name": title,
                "scores": gap(
                    [row for row in questions if row[field] == korean],
                    [row for row in questions if row[field] == english],
                    questions,
                ),
            }
            for title, field, korean, english in GAPS
        ],
        "questions": list(questions),
    }


def groups(questions: Sequence[Row]) -> Iterable[tuple[str, str, list[Row]]]:
    """(by what, name, members): all; then by set, split, pair and kind where there is more than one of them."""
    yield "all", "all", list(questions)
    sets = {row["id"]: "notes" if row["sitting"] == "notes" else "corpus" for row in questions}
    parts = {
        "set": ({row["id"]: sets[row["id"]] for row in questions}, ("corpus", "notes")),
        "split": ({row["id"]: row["split"] for row in questions}, ("dev", "test")),
        "pair": ({row["id"]: row["pair"] for row in questions}, PAIRS),
        "kind": ({row["id"]: row["kind"] for row in questions}, KINDS),
    }
    for by, (value, order) in parts.items():
        names = sorted(set(value.values()), key=lambda name: (order.index(name) if name in order else len(order), name))
        for name in names if len(names) > 1 else ():
            yield by, name, [row for row in questions if value[row["id"]] == name]


def figures(members: Sequence[Row], questions: Sequence[Row]) -> dict[str, Any]:
    """Every metric of a group, by name; those left out have nothing to be measured by."""
    found: dict[str, Estimate | None] = {metric.name: mean(values(members, metric.name)) for metric in METRICS}
    for metric in RANKED:
        found[metric.name] = estimate(STATISTICS[metric.name], *confidences(members, questions, metric.name))
    return {name: asdict(figure) for name, figure in found.items() if figure}


def gap(korean: Sequence[Row], english: Sequence[Row], questions: Sequence[Row]) -> dict[str, Any]:
    """Korean minus English, for every metric."""
    found = {m.name: estimate(difference, values(korean, m.name), values(english, m.name)) for m in METRICS}
    for metric in RANKED:
        statistic = difference_at_95 if metric.name == "refused@95" else difference_of_auroc
        both = (*confidences(korean, questions, metric.name), *confidences(english, questions, metric.name))
        found[metric.name] = estimate(statistic, *both)
    return {name: asdict(figure) for name, figure in found.items() if figure}


def values(members: Iterable[Row], metric: str) -> list[float]:
    """The metric's values of the questions that have one."""
    return [row["scores"][metric] for row in members if metric in row["scores"]]


def confidences(members: Sequence[Row], questions: Sequence[Row], metric: str) -> tuple[list[float], list[float]]:
    """Confidences of the answerable and of the unanswerable ones that a ranked metric is about.

    Where a group has none of one sort, all the run's questions in the group's languages stand in for them: a cross pair
    has no unanswerable questions, a kind has only one sort.
    """
    wanted = {"auroc_near": "unanswerable-near", "auroc_far": "unanswerable-far"}.get(metric, "unanswerable")
    languages = {row["lang"] for row in members}
    same = [row for row in questions if row["lang"] in languages]
    answerable = [row for row in members if row["answerable"]] or [row for row in same if row["answerable"]]
    unanswerable = [row for row in members if not row["answerable"]] or [row for row in same if not row["answerable"]]
    return (
        [row["confidence"] for row in answerable],
        [row["confidence"] for row in unanswerable if row["kind"].startswith(wanted)],
    )


def latency(members: Sequence[Row]) -> dict[str, dict[str, float]]:
    """p50, p95 and maximum in milliseconds, of retrieving, answering and both."""
    found = {}
    for step in ("retrieve", "answer", "total"):
        taken = [row["timings_ms"][step] for row in members]
        found[step] = {"p50": float(np.quantile(taken, 0.5)), "p95": float(np.quantile(taken, 0.95)), "max": float(max(taken))}
    return found
