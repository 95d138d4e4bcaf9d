"""What visitors judged of answers, as questions and qrels that `python -m evals run` takes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from evals.run import Keys
from rag.export import GOOD, Answered, verify
from rag.feedback import Judgement
from rag.index import Index

QUESTIONS, QRELS, INCOMPLETE = "questions.jsonl", "qrels.txt", "incomplete.jsonl"


@dataclass(frozen=True, kw_only=True)
class Turned:
    """What judgements became: lines of questions, qrels by the id of their question, and lines of what a person must complete."""

    questions: Sequence[Mapping[str, Any]]
    qrels: Mapping[str, Mapping[str, int]]
    incomplete: Sequence[Mapping[str, Any]]  # with `cited`: what the answer cited, which is known neither good nor wrong
    lost: int  # citations whose quotes the index no longer holds, or whose document's id has a space: no qrel can name it


def turned(judgements: Iterable[Judgement], index: Index) -> Turned:
    """The judgements as questions over this index, each question once however often it was judged.

    The sections that a helpful answer cites are relevant (1); a section under a citation that anybody calls wrong is not (0).
    A refusal that helped makes the question one that the corpus does not answer. What leaves neither is for a person.
    """
    keys = Keys(index, {"": {"#": 1}})  # by section
    asked: dict[tuple[str, ...], list[Judgement]] = {}
    for judged in judgements:
        asked.setdefault((judged.language, *judged.history, judged.question), []).append(judged)
    questions: list[dict[str, Any]] = []
    incomplete: list[dict[str, Any]] = []
    lost = 0
    qrels: dict[str, dict[str, int]] = {}
    for same, group in asked.items():
        grades: dict[str, int] = {}
        cited: list[str] = []
        for judged in sorted(group, key=lambda judged: judged.verdict == "wrong-citation"):  # which has the last word
            for marker, key in _keys(judged, index, keys):
                if key is None:
                    lost += 1
                    continue
                cited.append(key)
                if judged.verdict == "helpful" or marker == judged.marker:
                    grades[key] = int(judged.verdict == "helpful")
        rightly_refused = not grades and any(judged.verdict == "helpful" and judged.refused for judged in group)
        id = f"feedback-{sha256(json.dumps(same).encode()).hexdigest()[:12]}"
        question = {
            "id": id,
            "question": group[0].question,
            "lang": group[0].language,
            "kind": "unanswerable-feedback" if rightly_refused else "feedback",
            "history": [{"role": "user", "content": earlier} for earlier in group[0].history],
            "comments": [judged.comment for judged in group if judged.comment],
        }
        if grades or rightly_refused:
            questions.append(question)
            qrels[id] = grades
        else:
            incomplete.append({**question, "cited": sorted(set(cited))})
    return Turned(questions=questions, qrels=qrels, incomplete=incomplete, lost=lost)


def _keys(judged: Judgement, index: Index, keys: Keys) -> Iterable[tuple[int, str | None]]:
    """(marker, key) of each citation; None for one that is lost."""
    answer = Answered(question=judged.question, citations=list(judged.citations))
    for found in verify([answer], index.documents):
        place = found.start if found.outcome in GOOD else found.now[0] if found.now else None
        key = None if place is None else keys.of(found.document_id, place)
        yield found.marker, None if key is None or len(key.split()) > 1 else key


def write(found: Turned, out: Path) -> None:
    """Write the three files into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    for name, lines in ((QUESTIONS, found.questions), (INCOMPLETE, found.incomplete)):
        (out / name).write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    qrels = (f"{id} 0 {key} {grade}\n" for id, grades in found.qrels.items() for key, grade in sorted(grades.items()))
    (out / QRELS).write_text("".join(qrels), encoding="utf-8")
