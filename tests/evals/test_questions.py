"""evals/questions.py: what is read, and what is said of files that cannot be."""

import json
from pathlib import Path

import pytest

from evals.questions import EvalQuestion, check_qrels, read_qrels, read_questions, subset
from rag.errors import QuestionError


def write(path: Path, *lines: object) -> Path:
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return path


def test_an_id_and_a_question_are_enough(tmp_path: Path) -> None:
    path = write(
        tmp_path / "q.jsonl",
        {"id": 7, "question": "과태료는 얼마야?", "source": "kept elsewhere"},
        "",
        {"id": "b", "question": "Why?"},
    )
    first, second = read_questions(path)
    assert (first.id, first.lang, first.pair, first.answerable, first.nuggets) == ("7", "ko", "ko-ko", True, ())
    assert (second.lang, second.pair) == ("en", "en-en")


def test_languages_follow_the_pair_and_forms_are_normalised() -> None:
    question = EvalQuestion.model_validate(
        {"id": "1", "question": "GPT-4?", "pair": "ko-en", "nuggets": [["\u1100\u1161", "two\u00a0words"]]}  # 가, decomposed
    )
    assert (question.lang, question.evidence) == ("ko", "en")
    assert question.nuggets == (("가", "two words"),)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "Invalid JSON"),
        ({"id": "1"}, "question: Field required"),
        ({"id": "1", "question": " "}, "question: The question is empty"),
        ({"id": "1", "question": "x" * 5000}, "over the limit"),
        ({"id": "a b", "question": "Why?"}, "id: "),
        ({"id": "1", "question": "Why?", "pair": "ko-en", "lang": "en"}, "does not begin with"),
        ({"id": "1", "question": "Why?", "pair": "en-fr"}, "pair: "),
        ({"id": "1", "question": "Why?", "nuggets": [[]]}, "nuggets: each is a list of forms"),
        ({"id": "1", "question": "Why?", "must_not": [" "]}, "must_not: a form is empty"),
        ({"id": "1", "question": "Why?", "kind": "unanswerable-far", "nuggets": [["x"]]}, "remove them or change its kind"),
        ({"id": "ok", "question": "Why?"}, "is there twice"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(tmp_path: Path, line: object, complaint: str) -> None:
    path = write(tmp_path / "q.jsonl", {"id": "ok", "question": "Why?"}, line)
    with pytest.raises(QuestionError) as error:
        read_questions(path)
    assert f"{path}:2: " in str(error.value) and complaint in str(error.value)


def test_files_that_are_not_there_or_empty(tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match="Cannot read the questions"):
        read_questions(tmp_path / "none.jsonl")
    with pytest.raises(QuestionError, match="holds no question"):
        read_questions(write(tmp_path / "empty.jsonl", ""))


def test_qrels(tmp_path: Path) -> None:
    path = write(tmp_path / "qrels.txt", "a 0 d#1 1", "a 0 d#2 2", "b 0 d 0")
    assert read_qrels(path) == {"a": {"d#1": 1, "d#2": 2}}
    for wrong in ("a 0 d", "a 0 d x"):
        with pytest.raises(QuestionError, match=r"qrels\.txt:2: .* is no qrel"):
            read_qrels(write(path, "a 0 d 1", wrong))


def test_qrels_must_fit_questions_and_index() -> None:
    answerable = EvalQuestion(id="a", question="Why?", pair="en-en")
    unanswerable = EvalQuestion(id="b", question="Why?", kind="unanswerable-near")
    path = Path("qrels.txt")
    check_qrels(path, [answerable, unanswerable], {"a": {"d": 1}, "unasked": {"x": 1}}, {"d"}.__contains__)
    with pytest.raises(QuestionError, match="name 'x', which is no passage of the index"):
        check_qrels(path, [answerable], {"a": {"x": 1}}, {"d"}.__contains__)
    with pytest.raises(QuestionError, match="is unanswerable-near and has qrels"):
        check_qrels(path, [unanswerable], {"b": {"d": 1}}, {"d"}.__contains__)


def test_a_subset_is_told_by_the_ids_alone() -> None:
    questions = [EvalQuestion(id=f"q{number}", question="Why?") for number in range(300)]
    kept = subset(questions, 6)
    assert 30 < len(kept) < 75
    assert subset(questions[::-1], 6) == kept[::-1]
    assert subset(questions[100:], 6) == [question for question in kept if question in questions[100:]]
    assert subset(questions, 1) == questions
