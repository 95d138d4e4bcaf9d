"""rag/feedback.py and what the page does with a press: what is kept, replaced, deleted, refused."""

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rag import feedback
from rag.answer.frame import OWN
from rag.config import Settings
from rag.errors import FeedbackError
from rag.types import Answer
from rag.ui import judging, render
from rag.ui.feedback import PRESSES, Given, judge
from rag.ui.strings import LANGUAGES
from tests.rag.test_ui import DOCUMENTS, PAIR, Reader, answer_with, cite

NOW = datetime(2026, 11, 23, 7, 30, 0, 999, tzinfo=UTC)
FIRST = replace(answer_with(cite(1, "An opening."), cite(2, "The end.")), index={"fingerprint": "f1"})
SECOND = replace(answer_with(cite(1, "여는 글.", PAIR)), question="그럼 언제?", language="ko", timings_ms={"total": 81.0})
REFUSED = Answer(question="Who?", language="en", text="", refused=True, timings_ms={"total": 3.0})


def judged(number: int, **changes: Any) -> feedback.Judgement:
    made = feedback.judgement(FIRST, (), "helpful", None, "", id=f"{number:032x}", now=NOW)
    return made.model_copy(update=changes)


def press(answer: Answer, verdict: str | None, turn: int = 0, **values: Any) -> str:
    return json.dumps({"turn": turn, "key": judging.key(answer), "verdict": verdict, "count": 1, **values})


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def told(result: tuple[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result[1])
    return found


def test_what_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "new" / "feedback.jsonl"
    made = feedback.judgement(SECOND, [FIRST], "wrong-citation", 1, "the\x00 year\u202e is\nanother", id="a" * 32, now=NOW)
    feedback.keep(path, made)
    assert lines(path) == [
        {
            "id": "a" * 32,
            "time": "2026-11-23T07:30:00Z",
            "verdict": "wrong-citation",
            "marker": 1,
            "comment": "the year is\nanother",
            "question": "그럼 언제?",
            "language": "ko",
            "history": ["Why?"],
            "mode": "extractive",
            "model": "",
            "index": "",
            "refused": False,
            "citations": [
                {
                    "marker": 1,
                    "document_id": "a-ko",
                    "quote": "여는 글.",
                    "start": 6,
                    "end": 11,
                    "title": "제목",
                }
            ],
            "own": 0,
        }
    ]
    assert feedback.read(path) == [made]
    assert path.stat().st_mode & 0o077 == 0, "it is the deployer's alone"


def test_nothing_of_a_visitors_own_documents_is_kept(tmp_path: Path) -> None:
    own = replace(cite(2, "The end."), kind=OWN, document_id=f"{OWN}/salary.docx", title="My salary")
    path = tmp_path / "f.jsonl"
    answers = [replace(FIRST, citations=(FIRST.citations[0], own))]
    judge(path, press(answers[0], "wrong-citation", marker=2), answers, Given(), "en")
    [line] = lines(path)
    assert (line["own"], line["marker"], [c["marker"] for c in line["citations"]]) == (1, 2, [1])
    assert not {word for word in ("salary", "The end.") if word in path.read_text(encoding="utf-8")}


def test_a_judgement_is_changed_and_taken_back(tmp_path: Path) -> None:
    path, answers, given = tmp_path / "f.jsonl", [FIRST, SECOND], Given()
    for turn in (0, 1):
        given, _ = judge(path, press(answers[turn], "helpful", turn), answers, given, "en")
    assert [(line["question"], line["verdict"]) for line in lines(path)] == [("Why?", "helpful"), ("그럼 언제?", "helpful")]
    given, said = judge(path, press(FIRST, "wrong-citation", marker=2, comment="no"), answers, given, "en")
    assert json.loads(said)["verdict"] == "wrong-citation"
    assert [(line["question"], line["marker"], line["comment"]) for line in lines(path)] == [
        ("그럼 언제?", None, ""),
        ("Why?", 2, "no"),
    ]
    for _ in range(2):  # the second time there is nothing left to delete
        given, said = judge(path, press(SECOND, None, 1), answers, given, "en")
        assert json.loads(said) == {
            "key": judging.key(SECOND),
            "verdict": None,
            "said": judging.JUDGING_STRINGS["ko"].taken_back,
            "press": given.presses,
        }
        assert [line["question"] for line in lines(path)] == ["Why?"]


@pytest.mark.parametrize(
    "pressed",
    [
        "",
        "[]",
        "{",
        press(FIRST, "splendid"),
        press(FIRST, "helpful", -1),
        press(FIRST, "wrong-citation"),
        press(FIRST, "wrong-citation", marker=3),
        press(FIRST, "wrong-citation", marker=1, comment="x" * 501),
    ],
)
def test_a_press_that_the_page_never_makes_is_nothing(tmp_path: Path, pressed: str) -> None:
    path = tmp_path / "f.jsonl"
    given, said = judge(path, pressed, [FIRST], Given(), "en")
    assert (given["__type__"], said["__type__"]) == ("update", "update")
    assert not path.exists()


@pytest.mark.parametrize("answers", [[], [replace(FIRST, timings_ms={"total": 80.1})]], ids=["restarted", "regenerated"])
def test_an_answer_that_is_gone_is_told(tmp_path: Path, answers: list[Answer]) -> None:
    said = told(judge(tmp_path / "f.jsonl", press(FIRST, "helpful"), answers, Given(), "ko"))
    assert said == {"key": judging.key(FIRST), "problem": judging.JUDGING_STRINGS["ko"].problems["gone"]}
    assert not (tmp_path / "f.jsonl").exists()


def test_one_visit_cannot_flood(tmp_path: Path) -> None:
    path, given = tmp_path / "f.jsonl", Given()
    answers = [replace(FIRST, question=f"Why {number}?") for number in range(PRESSES + 1)]
    for turn, answer in enumerate(answers):
        given, said = judge(path, press(answer, "helpful", turn), answers, given, "en") if turn < PRESSES else (given, "")
    said = told(judge(path, press(answers[-1], "helpful", PRESSES), answers, given, "en"))
    assert said["problem"] == judging.JUDGING_STRINGS["en"].problems["often"]
    assert len(lines(path)) == PRESSES
    assert "said" in told(judge(path, press(answers[0], None), answers, given, "en")), "what is there can always be deleted"
    assert len(lines(path)) == PRESSES - 1


def test_a_full_file_takes_no_more_and_still_gives_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, answers = tmp_path / "f.jsonl", [FIRST, SECOND]
    given, _ = judge(path, press(FIRST, "helpful"), answers, Given(), "en")
    before = path.read_bytes()
    monkeypatch.setattr(feedback, "MAX_BYTES", len(before) + 10)
    said = told(judge(path, press(SECOND, "helpful", 1), answers, given, "en"))
    assert said["problem"] == judging.JUDGING_STRINGS["ko"].problems["full"]
    assert path.read_bytes() == before
    judge(path, press(FIRST, None), answers, given, "en")
    assert path.read_bytes() == b""


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_disk_that_cannot_be_written_is_told(tmp_path: Path, language: str) -> None:
    (tmp_path / "file").write_text("")
    answer = FIRST if language == "en" else SECOND
    given, said = judge(tmp_path / "file" / "f.jsonl", press(answer, "helpful"), [answer], Given(), "en")
    problem = judging.JUDGING_STRINGS["ko" if language == "ko" else "en"].problems["unwritable"]
    assert json.loads(said) == {"key": judging.key(answer), "problem": problem}
    assert given.ids == {}
    with pytest.raises(FeedbackError, match=r"Cannot write the feedback to .*f\.jsonl.*JIPHYEON_FEEDBACK"):
        feedback.keep(tmp_path / "file" / "f.jsonl", judged(1))


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"

    def work(first: int) -> None:
        for number in range(first, first + 10):
            feedback.keep(path, judged(number))
            if number % 2:
                feedback.take_back(path, f"{number:032x}")

    threads = [threading.Thread(target=work, args=(10 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(one.id, 16) for one in feedback.read(path)) == list(range(0, 40, 2))


def test_a_file_without_its_last_line_end_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    path.write_text(judged(1).model_dump_json(), encoding="utf-8")
    feedback.keep(path, judged(2))
    assert [int(one.id, 16) for one in feedback.read(path)] == [1, 2]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (None, "Invalid JSON"),
        ({"id": "x"}, "id: "),
        ({"time": "2026-11-23T07:30:00"}, "time: "),
        ({"verdict": "good"}, "verdict: "),
        ({"verdict": "wrong-citation"}, "a marker belongs to"),
        ({"citations": [{"marker": 1}]}, "citations.0.document_id: "),
        ({"id": f"{1:032x}"}, "is there twice"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, changes: Mapping[str, Any] | None, complaint: str) -> None:
    path = tmp_path / "f.jsonl"
    bad = "{" if changes is None else json.dumps({**json.loads(judged(2).model_dump_json()), **changes})
    path.write_text(judged(1).model_dump_json() + "\n\n" + bad + "\n", encoding="utf-8")
    with pytest.raises(FeedbackError) as error:
        feedback.read(path)
    assert f"{path}:3: " in str(error.value) and complaint in str(error.value)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(FeedbackError, match="Cannot read the feedback"):
        feedback.read(Path("/nowhere/f.jsonl"))


def test_the_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JIPHYEON_FEEDBACK", raising=False)
    assert Settings(cache_dir=tmp_path).feedback == tmp_path / "feedback.jsonl"
    monkeypatch.setenv("JIPHYEON_FEEDBACK", "")
    assert Settings().feedback is None
    monkeypatch.setenv("JIPHYEON_FEEDBACK", "kept/here.jsonl")
    assert Settings().feedback == Path("kept/here.jsonl")


def test_the_buttons_are_under_complete_answers_only() -> None:
    verdicts = ["helpful", "not-helpful", "wrong-citation"]
    for answer, offered in ((FIRST, verdicts), (REFUSED, verdicts[:2]), (replace(FIRST, timings_ms={}), [])):
        html = render.answer(answer, DOCUMENTS, 4, "")
        found = [attributes.get("class") for tag, attributes in Reader(html).tags if tag == "button"]
        assert [name for name in found if name in verdicts] == offered
        assert (f'id="judge-4-{judging.key(answer)}"' in html) == bool(offered)
    assert judging.key(FIRST) != judging.key(replace(FIRST, timings_ms={"total": 80.1}))
