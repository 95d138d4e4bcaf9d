"""python -m evals, as a user runs it: the real model on a corpus of five documents; resumed; compared."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from evals import report
from evals.__main__ import app
from rag.terminal import main
from tests.evals.small import QUESTIONS, evals, lay_out


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("evals")
    lay_out(folder)
    paths = {name: folder / name for name in ("corpus", "questions.jsonl", "qrels.txt", "index", "out", "baseline.json")}
    done = evals(
        *("run", "--corpus", paths["corpus"], "--questions", paths["questions.jsonl"], "--qrels", paths["qrels.txt"]),
        *("--index", paths["index"], "--out", paths["out"], "--baseline", paths["baseline.json"]),
    )
    assert done.returncode == 0, done.stderr
    return paths


def test_the_report_shows_the_checks_of_claims(files: dict[str, Path]) -> None:
    found = json.loads((files["out"] / "scores.json").read_text(encoding="utf-8"))
    assert "Checks of claims" not in report.markdown(found), "claims are about our own corpus"
    rate = {"value": 0.5, "low": 0.0, "high": 1.0, "n": 2}
    found["claims"] = [{"group": "number", "detection": rate, "false_alarms": None}]
    assert "## Checks of claims" in report.markdown(found) and "| number | 0.50 [0.00, 1.00] of 2 |  |" in report.markdown(found)


def answers(files: dict[str, Path]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (files["out"] / "answers.jsonl").read_text(encoding="utf-8").splitlines()]


def test_what_a_run_writes(files: dict[str, Path]) -> None:
    scores = json.loads((files["out"] / "scores.json").read_text(encoding="utf-8"))
    assert [row["id"] for row in scores["questions"]] == [question["id"] for question in QUESTIONS]
    everything = scores["groups"][0]["scores"]
    assert everything["hit@1"] == {"value": 1, "low": 1, "high": 1, "n": 3} and everything["verbatim"]["value"] == 1
    assert everything["nugget_recall"]["n"] == 3 and everything["auroc"]["n"] == 5
    made = scores["made"]
    assert made["settings"]["chunk_tokens"] == 400 and made["versions"]["chromadb"] and made["machine"]["cores"]
    assert len(made["indexes"]["given"]["fingerprint"]) == 12
    assert [answer["run"][0] for answer in answers(files)][:3] == ["fines-en#1", "fines-en#1", "letter#1"]
    assert "| hit@1 | 1.000 [1.00, 1.00]" in (files["out"] / "report.md").read_text(encoding="utf-8")
    page = (files["out"] / "report.html").read_text(encoding="utf-8")
    assert page.count("plotly-graph-div") >= 4 and "$" + "tiles" not in page
    assert 'src="http' not in page and '<link rel="stylesheet"' not in page
    baseline = json.loads(files["baseline.json"].read_text(encoding="utf-8"))
    assert len(baseline["questions"]) == 5 and "kimchi" not in files["baseline.json"].read_text(encoding="utf-8")


def test_a_run_that_was_killed_goes_on_where_it_was(files: dict[str, Path]) -> None:
    """Answers that are there are kept; half a line and another question's words are asked again."""
    path = files["out"] / "answers.jsonl"
    kept, *_, last = path.read_text(encoding="utf-8").splitlines()
    reworded = json.dumps({**answers(files)[1], "token": "of other words"})
    path.write_text("\n".join([json.dumps({**json.loads(kept), "mark": "kept"}), reworded, last[:50]]), encoding="utf-8")
    before = (files["out"] / "scores.json").read_text(encoding="utf-8")
    done = evals(
        *("run", "--questions", files["questions.jsonl"], "--qrels", files["qrels.txt"]),
        *("--index", files["index"], "--out", files["out"]),
    )
    assert done.returncode == 0, done.stderr
    found = answers(files)
    assert [answer["id"] for answer in found] == [question["id"] for question in QUESTIONS]
    assert [answer.get("mark") for answer in found] == ["kept", None, None, None, None]
    assert found[1]["token"] != "of other words"
    after = json.loads((files["out"] / "scores.json").read_text(encoding="utf-8"))
    assert [row["scores"] for row in after["questions"]] == [row["scores"] for row in json.loads(before)["questions"]]


def test_compare_passes_and_fails(files: dict[str, Path], tmp_path: Path) -> None:
    same = evals("compare", files["baseline.json"], files["out"])
    assert same.returncode == 0 and "No question changed." in same.stdout, same.stderr
    broken = json.loads(files["baseline.json"].read_text(encoding="utf-8"))
    for row in broken["questions"]:
        row["scores"]["verbatim"] = 0.5
    (tmp_path / "broken.json").write_text(json.dumps(broken), encoding="utf-8")
    worse = evals("compare", files["baseline.json"], tmp_path / "broken.json")
    assert worse.returncode == 1 and "regression  verbatim quotes, all questions: 1.000 -> 0.500" in worse.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["run", "--corpus", "corpus"], "need --questions FILE"),
        (["run", "--split", "train"], "is not dev, test or all"),
        (["run", "--pairs", "ko-fr"], "holds what is none of"),
        (["compare", "nowhere", "nowhere"], "holds no scores"),
    ],
)
def test_errors_are_one_message(
    arguments: list[str], complaint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["evals", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main(app)
    assert stopped.value.code == 2 and complaint in capsys.readouterr().err
