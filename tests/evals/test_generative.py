"""The report's generative section, from a run with a scripted model over a real connection."""

import json
from pathlib import Path

import pytest

from tests.evals.small import evals, lay_out
from tests.scripted_model import Reply, Request, passage_with, prompt, scripted

SAID = "The fine is at most KRW 30 million."


def write(request: Request) -> Reply:
    """A fact that stands and one that does not; in English to a Korean; nothing else that holds."""
    if SAID in prompt(request) and "fine" in prompt(request).rpartition("Question: ")[2]:
        return Reply(
            text=f"{SAID} [{passage_with(request, SAID)}] The fine is at most KRW 95 million. [{passage_with(request, SAID)}]"
        )
    return Reply(text="I have nothing to say about any of this at all.")


def test_what_a_model_wrote_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(tmp_path)
    with scripted(write) as server:
        monkeypatch.setenv("JIPHYEON_CHAT_MODEL", "openai:scripted")
        monkeypatch.setenv("JIPHYEON_CHAT_BASE_URL", server.url)
        done = evals(
            *(
                "run",
                "--corpus",
                tmp_path / "corpus",
                "--questions",
                tmp_path / "questions.jsonl",
                "--qrels",
                tmp_path / "qrels.txt",
            ),
            *("--index", tmp_path / "index", "--out", tmp_path / "out"),
        )
    assert done.returncode == 0, done.stderr
    everything, korean, english = json.loads((tmp_path / "out" / "scores.json").read_text(encoding="utf-8"))["generative"]
    assert everything["questions"] == korean["questions"] + english["questions"] == len(server.requests)
    figures = {name: figure["value"] for name, figure in english["scores"].items()}
    assert (figures["nugget_recall"], figures["citation_precision"], figures["verbatim"], figures["language_match"]) == (
        1,
        1,
        1,
        1,
    )
    assert 0 < figures["written"] <= 1 and 0 < figures["claims_supported"] < 1
    assert english["failed"]["number"] == 1, "95 million stands nowhere"
    assert korean["scores"]["written"]["value"] == 0 and set(korean["fallbacks"]) == {"language"}
    assert "## Written by a chat model" in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "<h2>Written by a chat model</h2>" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
