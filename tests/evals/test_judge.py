"""The optional judge: ragas with a scripted chat model over a real connection, in a process of its own, as a user runs it."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rag.config import PROJECT
from tests.evals.small import QUESTIONS, lay_out
from tests.scripted_model import Reply, Request, prompt, scripted

KOREAN, SUMMIT = (question["question"] for question in QUESTIONS if question["id"] in ("벌금", "plain"))
# What ragas asks for, by words of its prompts, and a judge's replies.
REPLIES: dict[str, Any] = {
    "Break down each sentence": {"statements": ["The fine is at most KRW 30 million.", "It is paid in gold."]},
    "judge the faithfulness": {
        "statements": [
            {"statement": "The fine is at most KRW 30 million.", "reason": "It stands there.", "verdict": 1},
            {"statement": "It is paid in gold.", "reason": "It does not.", "verdict": 0},
        ]
    },
    "Generate a question for the given answer": {"question": "What is the maximum fine?", "noncommittal": 0},
    "verify if the context was useful": {"reason": "It holds the answer.", "verdict": 1},
}


def judging(request: Request) -> Reply:
    """It judges; but about the fine in Korean it writes no JSON, and on the summit it fails."""
    asked = prompt(request)
    if KOREAN in asked:
        return Reply(text="I would rather not say.")
    if SUMMIT in asked:
        return Reply(status=500)
    return Reply(text=json.dumps(next(reply for words, reply in REPLIES.items() if words in asked)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judged")
    lay_out(folder)
    return folder


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "evals", "run", "--corpus", folder / "corpus", "--questions", folder / "questions.jsonl"]
    command += ["--qrels", folder / "qrels.txt", "--index", folder / "index", "--out", folder / "out", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JIPHYEON_")} | variables
    return subprocess.run(list(map(str, command)), cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


def test_a_judge_adds_its_figures_and_nothing_leaves_the_machine(folder: Path) -> None:
    home = folder / "home"
    home.mkdir()
    with scripted(judging) as server, socket.create_server(("127.0.0.1", 0)) as outside:
        outside.settimeout(0.1)
        proxy = f"http://127.0.0.1:{outside.getsockname()[1]}"
        settings = {"JIPHYEON_CHAT_BASE_URL": server.url, "HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "NO_PROXY": "127.0.0.1"}
        settings |= {"XDG_DATA_HOME": str(home)}
        done = run(folder, "--judge", "openai:scripted", **settings)
        assert done.returncode == 0, done.stderr
        calls = len(server.requests)
        again = run(folder, "--judge", "openai:scripted", **settings)
        assert again.returncode == 0, again.stderr
        repeated = [prompt(request) for request in server.requests[calls:]]
        with pytest.raises(TimeoutError):
            outside.accept()
    assert list(home.iterdir()) == [], "no file that names the user to ragas' makers"
    assert repeated and calls > len(repeated), "the judge is asked again only about what it failed at"
    assert not any("What is the maximum fine?" in asked.rpartition("Now perform")[2] for asked in repeated)

    judged = json.loads((folder / "out" / "scores.json").read_text(encoding="utf-8"))["judged"]
    assert (judged["judge"], judged["ragas"]) == ("openai:scripted", "0.3.1")
    everything, korean, english = judged["groups"]
    assert (everything["answers"], korean["answers"], english["answers"]) == (4, 2, 2), "refusals are not judged"
    judgements = (folder / "out" / "judged.jsonl").read_text(encoding="utf-8").splitlines()
    [fine] = (found for found in map(json.loads, judgements) if found["id"] == "fine")
    assert fine["scores"] == {
        "faithfulness": 0.5,
        "answer_relevancy": pytest.approx(0.95, abs=0.04),
        "context_precision": pytest.approx(1),
    }
    assert korean["failed"] == {"faithfulness: no valid JSON": 1, "context_precision: no valid JSON": 1}
    assert english["failed"] == {"faithfulness: OpenAIAPIError": 1, "context_precision: OpenAIAPIError": 1}
    assert "| not judged, faithfulness: no valid JSON | 1 | 1 | 0 |" in (folder / "out" / "report.md").read_text(encoding="utf-8")
    assert "<h2>Judged by a chat model</h2>" in (folder / "out" / "report.html").read_text(encoding="utf-8")


def test_a_judge_without_a_key_says_so(folder: Path) -> None:
    done = run(folder, "--judge", "anthropic:none", ANTHROPIC_API_KEY="")
    assert done.returncode == 2 and "ANTHROPIC_API_KEY" in done.stderr


def test_a_judge_without_ragas_says_what_to_install(folder: Path) -> None:
    (folder / "absent").mkdir()
    (folder / "absent" / "ragas.py").write_text("raise ModuleNotFoundError('No module named ragas', name='ragas')")
    done = run(folder, "--judge", "openai:x", JIPHYEON_CHAT_BASE_URL="http://127.0.0.1:9/v1", PYTHONPATH=str(folder / "absent"))
    assert done.returncode == 2 and '".[judge]"' in done.stderr
