"""evals/feedback.py: judgements of real answers as questions that a run takes."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evals.__main__ import app
from evals.feedback import INCOMPLETE, QRELS, QUESTIONS, turned, write
from evals.questions import read_qrels, read_questions
from evals.run import Keys, ask, given
from rag import feedback
from rag.config import Settings
from rag.errors import FeedbackError, QuestionError
from rag.feedback import Judgement, Verdict
from rag.pipeline import Pipeline
from rag.types import Answer

NOW = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
GOOD, WRONG, BAD = "왜 머스크는 소송을 냈나?", "Which practices does Article 5 ban?", "What did the FLI open letter ask for?"
REFUSED = "EU AI법 제150조는 무엇을 정하나?"


def judged(answer: Answer, verdict: Verdict, marker: int | None = None, *before: Answer, comment: str = "") -> Judgement:
    judged.count += 1  # type: ignore[attr-defined]
    id = f"{judged.count:032x}"  # type: ignore[attr-defined]
    return feedback.judgement(answer, before, verdict, marker, comment, id=id, now=NOW)


judged.count = 0  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def answers(pipeline: Pipeline) -> dict[str, Answer]:
    return {question: pipeline.invoke({"question": question}) for question in (GOOD, WRONG, BAD, REFUSED)}


def test_a_run_takes_what_was_judged(pipeline: Pipeline, answers: dict[str, Answer], tmp_path: Path) -> None:
    kept = tmp_path / "feedback.jsonl"
    follow_up = pipeline.invoke({"question": "그럼 언제?", "history": [{"role": "user", "content": GOOD}]})
    for judgement in (
        judged(answers[GOOD], "helpful"),
        judged(answers[GOOD], "helpful"),
        judged(answers[WRONG], "wrong-citation", 1, comment="another article"),
        judged(answers[BAD], "not-helpful", comment="too short"),
        judged(answers[REFUSED], "helpful"),
        judged(follow_up, "helpful", None, answers[GOOD]),
    ):
        feedback.keep(kept, judgement)
    found = turned(feedback.read(kept), pipeline.index)
    write(found, tmp_path / "out")
    questions = read_questions(tmp_path / "out" / QUESTIONS)
    assert [question.question for question in questions] == [GOOD, WRONG, REFUSED, "그럼 언제?"]
    assert [question.kind for question in questions] == ["feedback", "feedback", "unanswerable-feedback", "feedback"]
    assert [question.lang for question in questions] == ["ko", "en", "ko", "ko"]
    assert [turn["content"] for turn in questions[3].history] == [GOOD]
    keys = Keys(pipeline.index, {"": {"#": 1}})
    cited = {question: [keys.of(c.document_id, c.start) for c in answers[question].citations] for question in (GOOD, WRONG, BAD)}
    qrels = read_qrels(tmp_path / "out" / QRELS)
    assert qrels[questions[0].id] == dict.fromkeys(cited[GOOD], 1) and qrels.keys() == {questions[0].id, questions[3].id}
    assert f"{questions[1].id} 0 {cited[WRONG][0]} 0\n" in (tmp_path / "out" / QRELS).read_text(encoding="utf-8")
    [left] = [json.loads(line) for line in (tmp_path / "out" / INCOMPLETE).read_text(encoding="utf-8").splitlines()]
    assert (left["question"], left["comments"], left["cited"]) == (BAD, ["too short"], sorted(set(cited[BAD])))
    read_questions(tmp_path / "out" / INCOMPLETE)  # completed where it is
    settings = Settings(index=pipeline.index.folder.parent)
    sittings = given(None, tmp_path / "out" / QUESTIONS, tmp_path / "out" / QRELS, settings.index)
    records, _ = ask(sittings, tmp_path / "run", settings, pipeline.embedder, lambda done, total: None)
    assert [record["refused"] for record in records] == [False, False, True, False]
    assert set(records[0]["cited"]) == set(cited[GOOD])


def test_who_calls_a_citation_wrong_has_the_last_word(pipeline: Pipeline, answers: dict[str, Answer]) -> None:
    answer = answers[GOOD]
    keys = Keys(pipeline.index, {"": {"#": 1}})
    wrong = keys.of(answer.citations[0].document_id, answer.citations[0].start)
    found = turned([judged(answer, "wrong-citation", 1), judged(answer, "helpful")], pipeline.index)
    [grades] = found.qrels.values()
    assert grades[wrong] == 0


def test_quotes_are_found_again_or_counted_as_lost(pipeline: Pipeline, answers: dict[str, Answer]) -> None:
    first = answers[GOOD].citations[0]
    moved = replace(first, marker=8, start=first.start + 7, end=first.end + 7)
    gone = replace(first, marker=9, quote="This stands nowhere.")
    found = turned([judged(replace(answers[GOOD], citations=(moved, gone)), "helpful")], pipeline.index)
    keys = Keys(pipeline.index, {"": {"#": 1}})
    assert (list(found.qrels.values()), found.lost) == ([{keys.of(first.document_id, first.start): 1}], 1)
    found = turned([judged(replace(answers[GOOD], citations=(gone,)), "helpful")], pipeline.index)
    assert (len(found.questions), len(found.incomplete), found.lost) == (0, 1, 1), "nothing is known of it any more"


def test_the_command(pipeline: Pipeline, answers: dict[str, Answer], tmp_path: Path) -> None:
    kept, index = tmp_path / "feedback.jsonl", pipeline.index.folder.parent
    kept.write_text("")
    arguments = ["feedback", str(kept), "--out", str(tmp_path / "out"), "--index", str(index)]
    for text, error in (("", QuestionError), ("{}", FeedbackError)):
        kept.write_text(text)
        assert isinstance(CliRunner().invoke(app, arguments).exception, error)
    kept.write_text("")
    feedback.keep(kept, judged(answers[GOOD], "helpful"))
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert str(tmp_path / "out" / QUESTIONS) in done.output
