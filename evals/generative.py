"""What a chat model wrote in a run: how much of it held, what took its place where it did not, per language."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, get_args

from evals.metrics import held, mean
from evals.run import Record, Sitting
from rag.answer.frame import notice
from rag.answer.generate import speaks
from rag.errors import FallbackReason

TITLES = {
    "written": "answers that the model wrote",
    "claims_supported": "of its sentences, supported",
    "nugget_recall": "facts in what it wrote",
    "citation_precision": "quotes that stand in the right section",
    "citation_recall": "the right section quoted",
    "verbatim": "verbatim quotes",
    "language_match": "written in the asker's language",
}
COUNTS = {
    "supported": "sentences shown with their quotes",
    "marked": "sentences marked as not verified",
    "left_out": "sentences left out",
}
_MARKED = re.compile(r"(?:\[\d+\])+")  # one supported sentence has one group of markers behind it


def groups(sittings: Sequence[Sitting], rows: Sequence[Mapping[str, Any]], records: Sequence[Record], model: str) -> list[Any]:
    """For all questions, and for each language, that a model was asked: figures with intervals, and counts of what failed and why.

    `rows` are the scored questions; `model` is the name by which the notices speak of the model. Empty if none was asked.
    A question that is refused never reaches a model.
    """
    nuggets = {question.id: question.nuggets for sitting in sittings for question in sitting.questions}
    scores = {row["id"]: row["scores"] for row in rows}
    asked = [record for record in records if record["mode"] == "generative" or record["notice"]]
    found = []
    for name in ("all", "ko", "en"):
        members = [record for record in asked if name in ("all", record["language"])]
        written = [record for record in members if record["mode"] == "generative"]
        claims = [1.0] * sum(len(_MARKED.findall(record["text"])) for record in written)
        failed = [claim for record in members for claim in record["unsupported"]]
        known = [record for record in written if nuggets[record["id"]]]
        values = {
            "written": [float(record["mode"] == "generative") for record in members],
            "claims_supported": claims + [0.0] * len(failed),
            "nugget_recall": [held(nuggets[record["id"]], [record["text"]]) for record in known],
            **{
                metric: [scores[record["id"]][metric] for record in written if metric in scores[record["id"]]]
                for metric in ("citation_precision", "citation_recall", "verbatim")
            },
            "language_match": [float(speaks(record["text"], record["language"])) for record in written],
        }
        if members:
            found.append(
                {
                    "name": name,
                    "questions": len(members),
                    "scores": {metric: asdict(figure) for metric, of in values.items() if (figure := mean(of))},
                    "supported": len(claims),
                    "marked": sum(claim["kept"] for claim in failed),
                    "left_out": sum(not claim["kept"] for claim in failed),
                    "failed": dict(Counter(claim["reason"] for claim in failed).most_common()),
                    "fallbacks": dict(Counter(_reason(r, model) for r in members if r["mode"] == "extractive").most_common()),
                }
            )
    return found


def _reason(record: Record, model: str) -> str:
    """Why quotes took the place of what the model wrote."""
    reasons: tuple[str, ...] = get_args(FallbackReason)
    return next((reason for reason in reasons if record["notice"] == notice(reason, model, record["language"])), "other")


def lines(found: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of a table: figures with their intervals, then counts."""
    head = ["", *(f"{group['name']} ({group['questions']})" for group in found)]
    rows = []
    for metric, title in TITLES.items():
        figures = [group["scores"].get(metric) for group in found]
        rows.append([title, *(f"{f['value']:.3f} [{f['low']:.2f}, {f['high']:.2f}]" if f else "—" for f in figures)])
    for count, title in COUNTS.items():
        rows.append([title, *(str(group[count]) for group in found)])
    for count, title in (("fallbacks", "quoted instead, the model being: "), ("failed", "sentences that failed for: ")):
        for reason in found[0][count] if found else ():
            rows.append([title + reason, *(str(group[count].get(reason, 0)) for group in found)])
    return head, rows
