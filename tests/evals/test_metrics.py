"""evals/metrics.py and evals/scores.py: each figure on data small enough to compute by hand."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from evals.metrics import auroc, estimate, held, mean, ranked, refused_at_95, score
from evals.questions import EvalQuestion
from evals.scores import confidences, gap, groups, latency, scored, values


def record(**changes: Any) -> dict[str, Any]:
    """An answer in English that quotes nothing and retrieved nothing."""
    empty = {"language": "en", "refused": False, "confidence": 0.9, "citations": [], "cited": [], "verbatim": [], "passages": []}
    return {**empty, "run": [], **changes}


def quoting(*quotes: tuple[str, str], **changes: Any) -> dict[str, Any]:
    """An answer that quotes (key, words)."""
    return record(
        citations=[{"quote": words} for _, words in quotes],
        cited=[key for key, _ in quotes],
        verbatim=[True for _ in quotes],
        **changes,
    )


def one(answer: dict[str, Any], gold: tuple[str, ...] = (), **fields: Any) -> dict[str, float]:
    """The scores of one question that have a value."""
    question = EvalQuestion.model_validate({"id": "q", "question": "Why?", **fields})
    found = score([question], {"q": dict.fromkeys(gold, 1)} if gold else {}, {"q": answer})["q"]
    return {name: value for name, value in found.items() if value is not None}


def test_ranking() -> None:
    second = one(record(run=["x", "a", "y"]), ("a",))
    assert (second["hit@1"], second["recall@5"], second["mrr@10"]) == (0, 1, 0.5)
    assert second["ndcg@10"] == pytest.approx(1 / np.log2(3))
    late = one(record(run=["x1", "x2", "x3", "x4", "x5", "a"]), ("a", "b"))
    assert (late["recall@5"], late["recall@10"]) == (0, 0.5)
    assert late["ndcg@10"] == pytest.approx((1 / np.log2(7)) / (1 + 1 / np.log2(3)))
    beyond = one(record(run=[*(f"x{n}" for n in range(10)), "a"]), ("a",))
    assert (beyond["recall@10"], beyond["mrr@10"], beyond["ndcg@10"]) == (0, 0, 0)
    assert one(record(run=[]), ("a",))["ndcg@10"] == 0  # nothing retrieved is the worst run, not a missing one
    assert "hit@1" not in one(record(run=["a"]))  # no qrels, no figure


def test_ranking_is_in_the_order_of_the_run_also_over_ten() -> None:
    """Scores are compared as numbers and keys never break ties."""
    keys = [f"k{number}" for number in range(20, 0, -1)]
    assert ranked({"q": {"k20": 1}}, {"q": keys})["q"]["hit@1"] == 1
    assert ranked({"q": {"k11": 1}}, {"q": keys})["q"]["mrr@10"] == pytest.approx(1 / 10)


def test_multi_part() -> None:
    answer = quoting(("a", "words"), run=["a", "x", "b"])
    found = one(answer, ("a", "b"), kind="multi-part")
    assert (found["all_gold@10"], found["citation_recall"]) == (1, 0.5)
    assert one(record(run=["a"]), ("a", "b"), kind="multi-part")["all_gold@10"] == 0
    single = one(answer, ("a", "b"))  # two sections that answer the same thing: one of them is enough
    assert single["citation_recall"] == 1 and "all_gold@10" not in single


def test_nuggets() -> None:
    nuggets = [["15일", "15 days"], ["72 hours"]]
    answer = quoting(
        ("a", "one"), ("a", "two"), ("a", "within 15 days"), ("b", "72 hours"), passages=[{"text": "15 days, 72 hours"}]
    )
    found = one(answer, nuggets=nuggets)
    assert (found["nugget_recall"], found["nugget_recall@3"], found["nuggets_retrieved"]) == (1, 0.5, 1)
    assert one(quoting(("a", "15  days and 72hours")), nuggets=nuggets)["nugget_recall"] == 0  # compared literally
    assert held([["split here"]], ["split ", "here"]) == 0  # never across two quotes
    assert "nugget_recall" not in one(answer)


def test_citations() -> None:
    answer = quoting(("gold", "no fact"), ("other", "holds 15 days"), ("other", "neither"))
    assert one(answer, ("gold",), nuggets=[["15 days"]])["citation_precision"] == pytest.approx(2 / 3)
    assert one(answer, ("gold",))["citation_precision"] == pytest.approx(1 / 3)
    assert one(answer, ("absent",))["citation_recall"] == 0
    assert one(record(), ("gold",))["citation_precision"] == 0
    assert not {"citation_precision", "citation_recall"} & one(answer).keys()


def test_a_refused_answerable_question_counts_nothing() -> None:
    found = one(record(refused=True, run=["a"]), ("a",), nuggets=[["x"]], sides=[["x"], ["y"]])
    assert (found["over_refusal"], found["refusal_precision"], found["hit@1"]) == (1, 0, 1)
    assert {found[name] for name in ("nugget_recall", "citation_precision", "citation_recall", "both_sides")} == {0}
    assert "refusal_recall" not in found and "verbatim" not in found


def test_an_unanswerable_question() -> None:
    refused, answered = (one(record(refused=refused), kind="unanswerable-near") for refused in (True, False))
    assert (refused["refusal_recall"], refused["refusal_precision"]) == (1, 1)
    assert answered["refusal_recall"] == 0 and "refusal_precision" not in answered
    assert not {"over_refusal", "citation_precision", "hit@1"} & answered.keys()


def test_frame_sides_and_what_must_not_be_said() -> None:
    answer = quoting(("a", "US$44 million"), ("a", "revoked by EO 14179"))
    assert one({**answer, "verbatim": [True, False]})["verbatim"] == 0.5
    assert one(answer, lang="ko", pair="ko-en")["language_match"] == 0 and one(answer)["language_match"] == 1
    assert one(answer, must_not=["EO 14179"])["must_not"] == 1 and one(answer, must_not=["EO 14148"])["must_not"] == 0
    assert one(answer, sides=[["$44"], ["$38"]])["both_sides"] == 0
    assert one(answer, sides=[["$44"], ["$38", "EO"]])["both_sides"] == 1


def test_auroc_is_the_area_under_the_roc_curve() -> None:
    assert auroc([0.9, 0.5], [0.5, 0.1]) == pytest.approx(3.5 / 4)
    generator = np.random.default_rng(0)
    answerable, unanswerable = generator.random((3, 40)).round(1) + 0.2, generator.random((3, 25)).round(1)
    expected = [
        roc_auc_score([1] * 40 + [0] * 25, np.concatenate([one, other]))
        for one, other in zip(answerable, unanswerable, strict=True)
    ]
    assert auroc(answerable, unanswerable) == pytest.approx(expected)


def test_refused_with_95_percent_kept() -> None:
    answerable = [0.1, *np.linspace(0.5, 1, 19)]  # one in twenty may go
    assert refused_at_95(answerable, np.array([0.05, 0.09, 0.2, 0.6])) == 0.5
    answerable = [0.1, *np.linspace(0.5, 1, 20)]  # one in twenty-one: 95 % of 21 need 20, the lowest may go
    assert refused_at_95(answerable, np.array([0.05, 0.49, 0.5, 0.6])) == 0.5


def test_intervals() -> None:
    assert mean([]) is None and estimate(auroc, [0.5], []) is None
    found = mean([0.0, 1.0] * 50)
    assert found and found.value == 0.5 and found.n == 100
    assert 0.37 < found.low < 0.43 and 0.57 < found.high < 0.63  # 1.96 * 0.05 either side
    assert mean([0.0, 1.0] * 50) == found  # seeded
    same = mean([1.0] * 9)
    assert same and (same.low, same.high) == (1, 1)


def row(id: str, lang: str, kind: str, confidence: float, **scores: float) -> dict[str, Any]:
    answerable = not kind.startswith("unanswerable")
    return {
        "id": id, "lang": lang, "pair": f"{lang}-{lang}", "kind": kind, "split": "dev", "sitting": "full", "answerable": answerable,
        "confidence": confidence, "timings_ms": dict.fromkeys(("retrieve", "answer", "total"), 10 * confidence), "scores": scores,
    }  # fmt: skip


ROWS = [
    row("1", "ko", "direct", 0.9, **{"hit@1": 1.0}),
    row("2", "en", "direct", 0.7, **{"hit@1": 0.0}),
    row("3", "en", "spoken", 0.4),
    row("4", "en", "unanswerable-near", 0.8),
    row("5", "en", "unanswerable-far", 0.1),
]


def test_groups_and_gaps() -> None:
    found = {(by, name): [member["id"] for member in members] for by, name, members in groups(ROWS)}
    assert found["all", "all"] == ["1", "2", "3", "4", "5"]
    assert found["pair", "en-en"] == ["2", "3", "4", "5"] and found["kind", "direct"] == ["1", "2"]
    assert ("split", "dev") not in found  # one of a sort is no group
    assert values(ROWS, "hit@1") == [1, 0]
    assert gap(ROWS[:1], ROWS[1:], ROWS)["hit@1"]["value"] == 1
    scores = scored(ROWS, {})
    assert scores["groups"][0]["scores"]["hit@1"]["value"] == 0.5
    assert scores["gaps"][0]["scores"]["hit@1"]["value"] == 1


def test_confidences_of_a_group() -> None:
    english = ROWS[1:]
    assert confidences(english, ROWS, "auroc") == ([0.7, 0.4], [0.8, 0.1])
    assert confidences(english, ROWS, "auroc_near") == ([0.7, 0.4], [0.8])
    assert confidences(english, ROWS, "auroc_far") == ([0.7, 0.4], [0.1])
    assert confidences(ROWS[3:4], ROWS, "auroc") == ([0.7, 0.4], [0.8])  # a kind of one sort: the others of its language
    assert confidences(ROWS[1:2], ROWS, "auroc") == ([0.7], [0.8, 0.1])


def test_latency() -> None:
    assert latency(ROWS)["total"] == {"p50": 7, "p95": pytest.approx(8.8), "max": 9}
