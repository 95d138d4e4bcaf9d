"""What a person reads of a run: tables in Markdown, and the small file that a comparison starts from."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evals import claims, generative, judge, page
from evals.run import Record, Sitting

Group = Mapping[str, Any]

HEADLINES = (
    "hit@1 recall@5 ndcg@10 nugget_recall citation_precision citation_recall verbatim over_refusal refusal_recall auroc refused@95"
).split()
BY_KIND = "hit@1 recall@5 ndcg@10 nugget_recall citation_precision citation_recall over_refusal refusal_recall auroc".split()


def write(scores: Mapping[str, Any], records: Sequence[Record], sittings: Sequence[Sitting], out: Path) -> None:
    """Write scores.json, report.md and report.html into the folder `out`."""
    (out / "scores.json").write_text(json.dumps(scores, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (out / "report.md").write_text(markdown(scores), encoding="utf-8")
    (out / "report.html").write_text(page.html(scores, records, sittings), encoding="utf-8")


def baseline(scores: Mapping[str, Any]) -> str:
    """The scores of every question without its words, one question a line: small enough to be kept under version control."""
    kept = ("id", "kind", "pair", "answerable", "confidence", "scores")
    lines = [json.dumps({key: row[key] for key in kept}, ensure_ascii=False) for row in scores["questions"]]
    made = {key: scores["made"][key] for key in ("date", "commit", "code", "split", "pairs", "every")}
    return f'{{"made": {json.dumps(made)},\n"questions": [\n' + ",\n".join(lines) + "\n]}\n"


def headlines(scores: Mapping[str, Any]) -> str:
    """The headline figures of all questions and of each pair, without intervals: a table for the terminal."""
    shown = [group for group in scores["groups"] if group["by"] in ("all", "pair")]
    return _figures(scores, shown, HEADLINES, short)


def markdown(scores: Mapping[str, Any]) -> str:
    """The whole report in tables."""
    groups = scores["groups"]
    names = [metric["name"] for metric in scores["metrics"]]
    by = {kind: [group for group in groups if group["by"] == kind] for kind in ("all", "set", "split", "pair", "kind")}
    parts = ["# Evaluation\n", _made(scores["made"])]
    parts += ["## Language pairs\n", "Language of the question, then of the evidence.\n"]
    parts += [_figures(scores, [*by["all"], *by["pair"]], names, cell)]
    if by["set"] or by["split"]:
        parts += ["## Sets and splits\n", _figures(scores, [*by["set"], *by["split"]], names, cell)]
    if by["kind"]:
        head = ["kind", "questions", *(title(scores, name) for name in BY_KIND)]
        lines = [
            [kind["name"], str(kind["questions"]), *(short(kind["scores"].get(name)) for name in BY_KIND)] for kind in by["kind"]
        ]
        parts += ["## Kinds of question\n", table(head, lines)]
    if scores.get("generative"):
        parts += ["## Written by a chat model\n", f"{scores['made']['settings']['chat_model']}\n"]
        parts += [table(*generative.lines(scores["generative"]))]
    if scores.get("claims"):
        parts += ["## Checks of claims\n", table(claims.HEAD, claims.lines(scores["claims"]))]
    if judged := scores.get("judged"):
        parts += ["## Judged by a chat model\n", f"{judged['judge']}, asked by ragas {judged['ragas']}\n"]
        parts += [table(*judge.lines(judged["groups"]))]
    parts += ["## Korean and English\n", _figures(scores, scores["gaps"], names, cell)]
    head = [
        "milliseconds",
        *(f"{step} {quantile}" for step in ("retrieve", "answer", "total") for quantile in ("p50", "p95", "max")),
    ]
    lines = [
        [group["name"], *(f"{figure:.0f}" for step in group["latency_ms"].values() for figure in step.values())]
        for group in [*by["all"], *by["set"], *by["pair"]]
    ]
    parts += ["## Latency\n", table(head, lines)]
    return "\n".join(parts)


def _made(made: Mapping[str, Any]) -> str:
    machine = made["machine"]
    dirty = {True: " with changes", False: "", None: ""}[made["dirty"]]
    lines = [
        f"- {made['date']}, commit {made['commit'] or 'unknown'}{dirty}",
        f"- {made['data']}: split {made['split']}, pairs {', '.join(made['pairs'])}, every {made['every']}",
        f"- {machine['cores']} cores, {machine['cpu']}",
        *(
            f"- index {name}: {index['documents']} documents, {index['chunks']} chunks, {index['embedding_model']}, {index['fingerprint']}"
            for name, index in made["indexes"].items()
        ),
        f"- {page.NOTE}",
    ]
    return "\n".join(lines) + "\n"


def _figures(scores: Mapping[str, Any], groups: Sequence[Group], names: Sequence[str], show: Any) -> str:
    """Metrics down, groups across."""
    head = ["", *(f"{group['name']} ({group['questions']})" if "questions" in group else group["name"] for group in groups)]
    lines = [
        [title(scores, name), *(show(group["scores"].get(name)) for group in groups)]
        for name in names
        if any(name in group["scores"] for group in groups)
    ]
    return table(head, lines)


def title(scores: Mapping[str, Any], name: str) -> str:
    """What a reader calls the metric."""
    return next(str(metric["title"]) for metric in scores["metrics"] if metric["name"] == name)


def cell(figure: Mapping[str, float] | None) -> str:
    """`0.912 [0.88, 0.94]`, or a dash."""
    return f"{figure['value']:.3f} [{figure['low']:.2f}, {figure['high']:.2f}]" if figure else "—"


def short(figure: Mapping[str, float] | None) -> str:
    """`0.912`, or a dash."""
    return f"{figure['value']:.3f}" if figure else "—"


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table, numbers to the right."""
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *lines)) + "\n"
