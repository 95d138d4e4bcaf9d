"""Two runs side by side: what changed, how sure that is, and whether it is a regression."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import permutation_test, rankdata

from evals.metrics import METRICS, RANKED, SEED, Estimate, Metric, mean
from evals.questions import PAIRS
from evals.report import table
from evals.scores import STATISTICS, Row
from rag.errors import QuestionError

RESAMPLES = 9999
TOLERANCE = 0.01  # a headline metric may be this much worse
SIGNIFICANT = 0.05
# Its value exists only for questions that were refused, so that two runs cannot be paired by it.
PAIRED = tuple(metric for metric in METRICS if metric.name != "refusal_precision")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One metric in one group of questions: the second run minus the first."""

    metric: Metric
    group: str
    before: float
    after: float
    difference: Estimate
    p: float
    gains: tuple[str, ...] = ()  # ids of the questions that got better
    losses: tuple[str, ...] = ()

    @property
    def regression(self) -> bool:
        """A headline metric worse by more than the tolerance and not by chance. The pairs share the level among them."""
        worse = self.difference.value if self.metric.lower_is_better else -self.difference.value
        level = SIGNIFICANT if self.group == "all" else SIGNIFICANT / len(PAIRS)
        return self.metric.headline and worse > TOLERANCE and self.p < level


def read(path: Path) -> dict[str, Row]:
    """The questions of a run by id: of its folder, its scores.json or a baseline. Raises QuestionError."""
    file = path / "scores.json" if path.is_dir() else path
    try:
        return {row["id"]: row for row in json.loads(file.read_text(encoding="utf-8"))["questions"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise QuestionError(
            f"{str(file)!r} holds no scores ({type(error).__name__}: {error}); write them: python -m evals run --out FOLDER"
        ) from error


def changes(before: Mapping[str, Row], after: Mapping[str, Row]) -> list[Change]:
    """Every metric, over all the questions that both runs have and for each pair. Raises QuestionError if there are none."""
    shared = [id for id in before if id in after]
    if not shared:
        raise QuestionError("The two runs have no question in common; compare runs over the same questions.")
    found: list[Change] = []
    for group in ("all", *PAIRS):
        ids = [id for id in shared if group in ("all", after[id]["pair"])]
        for metric in PAIRED:
            both = [id for id in ids if metric.name in before[id]["scores"] and metric.name in after[id]["scores"]]
            if both:
                found.append(_mean_change(metric, group, both, before, after))
        for metric in RANKED:
            if change := _ranked_change(metric, group, [after[id] for id in ids], before, after):
                found.append(change)
    return found


def _mean_change(metric: Metric, group: str, ids: Sequence[str], before: Mapping[str, Row], after: Mapping[str, Row]) -> Change:
    old = np.array([before[id]["scores"][metric.name] for id in ids])
    new = np.array([after[id]["scores"][metric.name] for id in ids])
    better = (old - new if metric.lower_is_better else new - old).round(9)
    difference = mean((new - old).tolist())
    assert difference
    return Change(
        metric=metric,
        group=group,
        before=float(old.mean()),
        after=float(new.mean()),
        difference=difference,
        p=paired_p(old, new, lambda one, other, axis=-1: np.mean(other - one, axis=axis)),
        gains=tuple(id for id, value in zip(ids, better, strict=True) if value > 0),
        losses=tuple(id for id, value in zip(ids, better, strict=True) if value < 0),
    )


def _ranked_change(
    metric: Metric, group: str, rows: Sequence[Row], before: Mapping[str, Row], after: Mapping[str, Row]
) -> Change | None:
    """Of a metric over answerable and unanswerable questions at once; None where one sort is missing."""
    wanted = {"auroc_near": "unanswerable-near", "auroc_far": "unanswerable-far"}.get(metric.name, "unanswerable")
    members = [row for row in rows if row["answerable"] or row["kind"].startswith(wanted)]
    answerable = np.array([row["answerable"] for row in members], dtype=bool)
    if answerable.all() or not answerable.any():
        return None
    statistic = STATISTICS[metric.name]

    def both(one: Any, other: Any, axis: int = -1) -> Any:
        one, other = np.moveaxis(one, axis, -1), np.moveaxis(other, axis, -1)
        return statistic(other[..., answerable], other[..., ~answerable]) - statistic(one[..., answerable], one[..., ~answerable])

    # Ranks within each run: confidences of two runs need not have the same scale.
    old, new = (rankdata([run[row["id"]]["confidence"] for row in members]) for run in (before, after))
    generator = np.random.default_rng(SEED)
    drawn = np.concatenate(
        [generator.choice(np.flatnonzero(side), (2000, side.sum())) for side in (answerable, ~answerable)], axis=1
    )
    split = int(answerable.sum())
    resampled = statistic(new[drawn[:, :split]], new[drawn[:, split:]]) - statistic(old[drawn[:, :split]], old[drawn[:, split:]])
    low, high = np.quantile(resampled, (0.025, 0.975))
    return Change(
        metric=metric,
        group=group,
        before=float(statistic(old[answerable], old[~answerable])),
        after=float(statistic(new[answerable], new[~answerable])),
        difference=Estimate(value=float(both(old, new)), low=float(low), high=float(high), n=len(members)),
        p=paired_p(old, new, both),
    )


def paired_p(before: Any, after: Any, statistic: Callable[..., Any]) -> float:
    """Two-sided p of a paired permutation test: each question's two values change places at random."""
    if np.array_equal(before, after) or len(before) < 2:
        return 1.0
    found = permutation_test(
        (before, after),
        statistic,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=500,
        rng=np.random.default_rng(SEED),
    )
    return float(found.pvalue)


def regressions(found: Iterable[Change]) -> list[str]:
    """A line for each regression: a headline metric that fell, or a quote that is not verbatim."""
    lines = []
    for change in found:
        where = "all questions" if change.group == "all" else change.group
        figures = f"{change.metric.title}, {where}: {change.before:.3f} -> {change.after:.3f}"
        if change.metric.name == "verbatim" and change.after < 1:
            lines.append(f"{figures}; every quote must be verbatim")
        elif change.regression:
            lines.append(f"{figures} (p = {change.p:.4f}); lost: {', '.join(change.losses[:10]) or 'no single question'}")
    return lines


def markdown(found: Sequence[Change]) -> str:
    """The changes as tables: all metrics over all questions, then what moved in each pair, then the questions."""
    lines = [
        [
            change.metric.title,
            "all" if change.group == "all" else change.group,
            f"{change.before:.3f}",
            f"{change.after:.3f}",
            f"{change.difference.value:+.3f} [{change.difference.low:+.3f}, {change.difference.high:+.3f}]",
            f"{change.p:.4f}",
            f"{len(change.gains)} / {len(change.losses)}",
        ]
        for change in found
        if change.group == "all" or change.p < 1
    ]
    head = ["metric", "questions", "before", "after", "difference", "p", "gains / losses"]
    moved = [
        f"- {change.metric.title}: {name} {', '.join(ids)}"
        for change in found
        if change.group == "all" and change.metric.headline
        for name, ids in (("better", change.gains), ("worse", change.losses))
        if ids
    ]
    return table(head, lines) + "\n" + "\n".join(moved or ["No question changed."]) + "\n"
