"""What each answer is worth. Every value is between 0 and 1, or None where the question has nothing to measure it by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ir_measures import RR, Measure, Qrel, R, ScoredDoc, Success, iter_calc, nDCG
from numpy.typing import NDArray
from scipy.stats import bootstrap, mannwhitneyu

from evals.questions import EvalQuestion, Qrels

Values = NDArray[np.float64]
Scores = dict[str, float | None]
Record = dict[str, Any]

RESAMPLES = 2000
SEED = 20261123


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One figure: its name in files, its title, and whether a change for the worse fails a comparison."""

    name: str
    title: str
    headline: bool = False
    lower_is_better: bool = False


METRICS = (
    Metric(name="hit@1", title="hit@1", headline=True),
    Metric(name="recall@5", title="recall@5", headline=True),
    Metric(name="recall@10", title="recall@10"),
    Metric(name="mrr@10", title="MRR@10"),
    Metric(name="ndcg@10", title="nDCG@10", headline=True),
    Metric(name="all_gold@10", title="all gold in 10 (multi-part)"),
    Metric(name="nuggets_retrieved", title="nuggets in the 10 passages"),
    Metric(name="nugget_recall", title="nugget recall", headline=True),
    Metric(name="nugget_recall@3", title="nugget recall, first 3 quotes"),
    Metric(name="citation_precision", title="citation precision", headline=True),
    Metric(name="citation_recall", title="citation recall", headline=True),
    Metric(name="both_sides", title="all sides shown (disagreement)"),
    Metric(name="must_not", title="quotes what it must not", lower_is_better=True),
    Metric(name="language_match", title="answers in the asker's language"),
    Metric(name="verbatim", title="verbatim quotes", headline=True),
    Metric(name="over_refusal", title="answerable refused", headline=True, lower_is_better=True),
    Metric(name="refusal_recall", title="unanswerable refused", headline=True),
    Metric(name="refusal_precision", title="refusals that were right"),
)
# Over two groups of questions at once, from the confidence of their answers.
RANKED = (
    Metric(name="auroc", title="refusal AUROC", headline=True),
    Metric(name="auroc_near", title="refusal AUROC, near misses"),
    Metric(name="auroc_far", title="refusal AUROC, far"),
    Metric(name="refused@95", title="unanswerable refused, 95 % of the answerable kept", headline=True),
)
_MEASURES: dict[str, Measure] = {
    "hit@1": Success @ 1,
    "recall@5": R @ 5,
    "recall@10": R @ 10,
    "mrr@10": RR @ 10,
    "ndcg@10": nDCG @ 10,
}


def score(questions: Sequence[EvalQuestion], qrels: Qrels, records: Mapping[str, Record]) -> dict[str, Scores]:
    """Every metric of every question, by question id and metric."""
    ranking = ranked(qrels, {question.id: records[question.id]["run"] for question in questions})
    return {
        question.id: {
            **{metric.name: None for metric in METRICS},
            **ranking.get(question.id, {}),
            **(answered if question.answerable else unanswered)(question, qrels.get(question.id, {}), records[question.id]),
        }
        for question in questions
    }


def ranked(qrels: Qrels, runs: Mapping[str, Sequence[str]]) -> dict[str, Scores]:
    """Ranking measures (ir-measures) of the questions that have both qrels and a run, best key first."""
    asked = [id for id in runs if qrels.get(id)]
    gold = [Qrel(id, key, relevance) for id in asked for key, relevance in qrels[id].items()]
    found = [ScoredDoc(id, key, float(-rank)) for id in asked for rank, key in enumerate(runs[id])]
    names = {measure: name for name, measure in _MEASURES.items()}
    scores: dict[str, Scores] = {id: dict.fromkeys(_MEASURES, 0.0) for id in asked}  # nothing is computed for an empty run
    for value in iter_calc(list(names), gold, found) if gold else ():
        scores[value.query_id][names[value.measure]] = float(value.value)
    return scores


def answered(question: EvalQuestion, gold: Mapping[str, int], record: Record) -> Scores:
    """Metrics of an answer to a question that the corpus answers. A refusal holds no nugget and cites nothing."""
    quotes = [citation["quote"] for citation in record["citations"]]
    scores = {**framed(question, record), "over_refusal": float(record["refused"])}
    if record["refused"]:
        scores["refusal_precision"] = 0.0
    if question.nuggets:
        scores["nuggets_retrieved"] = held(question.nuggets, [passage["text"] for passage in record["passages"][:10]])
        scores["nugget_recall"] = held(question.nuggets, quotes)
        scores["nugget_recall@3"] = held(question.nuggets, quotes[:3])
    if gold or question.nuggets:
        forms = [form for forms in question.nuggets for form in forms]
        good = [key in gold or any(form in quote for form in forms) for key, quote in zip(record["cited"], quotes, strict=True)]
        scores["citation_precision"] = float(np.mean(good)) if good else 0.0
    if gold:
        cited = len(gold.keys() & set(record["cited"]))
        scores["citation_recall"] = cited / len(gold) if question.kind == "multi-part" else float(cited > 0)
        if question.kind == "multi-part":
            scores["all_gold@10"] = float(gold.keys() <= set(record["run"][:10]))
    if question.sides:
        scores["both_sides"] = float(held(question.sides, quotes) == 1)
    return scores


def unanswered(question: EvalQuestion, gold: Mapping[str, int], record: Record) -> Scores:
    """Metrics of what was said to a question that the corpus does not answer."""
    scores = {**framed(question, record), "refusal_recall": float(record["refused"])}
    if record["refused"]:
        scores["refusal_precision"] = 1.0
    return scores


def framed(question: EvalQuestion, record: Record) -> Scores:
    """Metrics that ask for no gold."""
    scores: Scores = {"language_match": float(record["language"] == question.lang)}
    if record["verbatim"]:
        scores["verbatim"] = float(np.mean(record["verbatim"]))
    if question.must_not:
        quotes = [citation["quote"] for citation in record["citations"]]
        scores["must_not"] = float(any(form in quote for form in question.must_not for quote in quotes))
    return scores


def held(nuggets: Sequence[Sequence[str]], texts: Sequence[str]) -> float:
    """Share of the nuggets of which one form stands in one of the texts, compared literally."""
    return float(np.mean([any(form in text for form in forms for text in texts) for forms in nuggets]))


def auroc(answerable: Any, unanswerable: Any, axis: int = -1) -> Any:
    """Probability that an answerable question gets more confidence than an unanswerable one, ties counted half.

    The area under the ROC curve is Mann and Whitney's U over the number of couples, and this form takes many resamples
    at once.
    """
    couples = np.shape(answerable)[axis] * np.shape(unanswerable)[axis]
    return mannwhitneyu(answerable, unanswerable, axis=axis, method="asymptotic").statistic / couples


def refused_at_95(answerable: Any, unanswerable: Any, axis: int = -1) -> Any:
    """Share of the unanswerable below the confidence that at least 95 % of the answerable reach."""
    threshold = np.quantile(answerable, 0.05, axis=axis, method="lower", keepdims=True)
    return np.mean(unanswerable < threshold, axis=axis)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value with its 95 % interval, and how many questions it rests on."""

    value: float
    low: float
    high: float
    n: int


def mean(values: Sequence[float]) -> Estimate | None:
    """The mean, with its interval; None of no values."""
    return estimate(lambda sample, axis=-1: np.mean(sample, axis=axis), values)


def difference(one: Any, other: Any, axis: int = -1) -> Any:
    """Mean of `one` minus mean of `other`."""
    return np.mean(one, axis=axis) - np.mean(other, axis=axis)


def difference_of_auroc(answerable: Any, unanswerable: Any, answerable_too: Any, unanswerable_too: Any, axis: int = -1) -> Any:
    """AUROC of the first couple of groups minus that of the second."""
    return auroc(answerable, unanswerable, axis) - auroc(answerable_too, unanswerable_too, axis)


def difference_at_95(answerable: Any, unanswerable: Any, answerable_too: Any, unanswerable_too: Any, axis: int = -1) -> Any:
    """`refused_at_95` of the first couple of groups minus that of the second."""
    return refused_at_95(answerable, unanswerable, axis) - refused_at_95(answerable_too, unanswerable_too, axis)


def estimate(statistic: Callable[..., Any], *groups: Sequence[float]) -> Estimate | None:
    """A statistic of groups of questions with a 95 % percentile bootstrap interval; None if a group is empty.

    Each group is resampled by itself. `statistic` takes one array a group and reduces `axis`, so that many resamples
    are computed at once. The seed is fixed: the same values give the same interval.
    """
    samples = [np.asarray(group, dtype=np.float64) for group in groups]
    if any(len(sample) == 0 for sample in samples):
        return None
    value = float(statistic(*samples, axis=-1))
    n = sum(map(len, samples))
    if any(len(sample) < 2 for sample in samples) or all(np.ptp(sample) == 0 for sample in samples):
        return Estimate(value=value, low=value, high=value, n=n)
    generator = np.random.default_rng(SEED)
    found = bootstrap(samples, statistic, n_resamples=RESAMPLES, method="percentile", vectorized=True, batch=500, rng=generator)
    low, high = found.confidence_interval
    return Estimate(value=value, low=float(low), high=float(high), n=n)
