"""evals/compare.py: differences, their significance, and what counts as a regression."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.compare import changes, markdown, paired_p, read, regressions
from rag.errors import QuestionError

Run = dict[str, dict[str, Any]]


def run(values: Sequence[float], metric: str = "nugget_recall", confidence: float = 0.9) -> Run:
    """Answerable questions q0, q1, ... with a value each."""
    return {
        f"q{number}": {"id": f"q{number}", "pair": "ko-ko", "kind": "direct", "answerable": True, "confidence": confidence, "scores": {metric: value}}
        for number, value in enumerate(values)
    }  # fmt: skip


def test_gains_losses_and_p() -> None:
    found = changes(run([0, 0, 1, 1]), run([1, 1, 0.5, 1]))
    change = found[0]
    assert (change.metric.name, change.group) == ("nugget_recall", "all")
    assert (change.before, change.after, change.difference.value) == (0.5, 0.875, 0.375)
    assert (change.gains, change.losses) == (("q0", "q1"), ("q2",))
    assert change.p == 0.5  # exact: 8 of the 16 ways to change places of (1, 1, -1/2, 0) are as far from nought
    assert "nugget recall: worse q2" in markdown(found)


def test_p_of_a_clear_change_is_small_and_of_none_is_one() -> None:
    before = np.zeros(12)
    statistic = lambda one, other, axis=-1: np.mean(other - one, axis=axis)  # noqa: E731
    assert paired_p(before, before + 1, statistic) == pytest.approx(2 / 2**12)
    assert paired_p(before, before, statistic) == 1
    assert paired_p(before[:1], before[:1] + 1, statistic) == 1  # one question proves nothing


def test_a_headline_metric_that_falls_is_a_regression() -> None:
    fallen = changes(run([1] * 20), run([0] * 8 + [1] * 12))
    assert [line.split(":")[0] for line in regressions(fallen)] == ["nugget recall, all questions", "nugget recall, ko-ko"]
    assert "q0, q1" in regressions(fallen)[0]
    assert not regressions(changes(run([0] * 8 + [1] * 12), run([1] * 20)))
    assert not regressions(changes(run([1] * 20), run([0] + [1] * 19)))  # one question: by chance
    assert not regressions(changes(run([1.0] * 20), run([0.995] * 20)))  # sure, and within the tolerance
    assert not regressions(changes(run([1] * 20, "recall@10"), run([0] * 20, "recall@10")))  # no headline


def test_where_lower_is_better() -> None:
    assert regressions(changes(run([0] * 20, "over_refusal"), run([1] * 20, "over_refusal")))
    better = changes(run([1] * 20, "over_refusal"), run([0] * 20, "over_refusal"))
    assert not regressions(better) and len(better[0].gains) == 20


def test_a_quote_that_does_not_hold_is_a_regression_whatever_came_before() -> None:
    broken = run([1] * 19 + [0.5], "verbatim")
    assert "every quote must be verbatim" in regressions(changes(broken, broken))[0]


def test_refusal_is_compared_by_rank() -> None:
    before, after = run([1] * 40), run([1] * 40)
    for number, id in enumerate(before):
        known = number % 2 == 0
        for rows, confidence in ((before, 0.5 + 0.01 * number if known else 0.01 * number), (after, 0.3 + 0.001 * number)):
            rows[id].update(answerable=known, kind="direct" if known else "unanswerable-far", confidence=confidence)
    change = next(change for change in changes(before, after) if change.metric.name == "auroc")
    assert change.before == 1 and change.after == pytest.approx(0.475) and change.p < 0.01
    assert change.difference.low < change.difference.value < change.difference.high < 0
    assert any(line.startswith("refusal AUROC") for line in regressions([change]))
    scaled = {id: {**row, "confidence": row["confidence"] / 3} for id, row in before.items()}
    assert next(change for change in changes(before, scaled) if change.metric.name == "auroc").p == 1


def test_only_shared_questions_are_compared() -> None:
    some = {id: row for id, row in run([0, 1, 1]).items() if id != "q0"}
    assert changes(run([0, 1, 1]), some)[0].difference.value == 0
    with pytest.raises(QuestionError, match="no question in common"):
        changes(run([1]), {"other": run([1])["q0"]})


def test_reading(tmp_path: Path) -> None:
    (tmp_path / "scores.json").write_text(json.dumps({"questions": list(run([1]).values())}), encoding="utf-8")
    assert read(tmp_path) == read(tmp_path / "scores.json") == run([1])
    for wrong in (tmp_path / "none", tmp_path / "other.json"):
        (tmp_path / "other.json").write_text('{"questions": [1]}', encoding="utf-8")
        with pytest.raises(QuestionError, match="holds no scores"):
            read(wrong)
