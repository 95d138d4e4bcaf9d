"""What a chat model thinks of a run's answers, asked by ragas: beside the figures that need no judge, never in their place."""

import asyncio
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.metrics import mean
from evals.run import Progress, Record
from rag.chat import open_chat
from rag.config import Settings, set_variable
from rag.embed import Embedder
from rag.errors import ChatModelError

if TYPE_CHECKING:
    from ragas.llms import BaseRagasLLM
    from ragas.metrics.base import SingleTurnMetric

TITLES = {
    "faithfulness": "of what is said, carried by the passages",
    "answer_relevancy": "answers to what was asked (a cosine: compare runs, not values)",
    "context_precision": "useful passages ranked first",
}
CONTEXTS = 5  # passages that are judged one by one, a call each
NO_JSON = "no valid JSON"
Judgement = dict[str, Any]


def open_judge(settings: Settings, name: str) -> "BaseRagasLLM":
    """The chat model called `name`, as ragas takes it. Raises ChatModelError if ragas or the model's package or key is missing."""
    model = open_chat(settings.model_copy(update={"chat_silence": settings.chat_seconds}), name)  # it does not stream here
    set_variable("RAGAS_DO_NOT_TRACK", "true")  # read once, at its first report
    try:
        from ragas.llms import LangchainLLMWrapper
        from ragas.run_config import RunConfig
    except ImportError as error:
        raise ChatModelError(
            f'The judge needs a package that is not installed ({error.name}): python -m pip install ".[judge]" in the folder of '
            "this project",
            "closed",
        ) from error
    return LangchainLLMWrapper(model, RunConfig(timeout=math.ceil(settings.chat_seconds), max_retries=3, max_wait=20))


def judge(
    records: Sequence[Record], llm: "BaseRagasLLM", name: str, embedder: Embedder, out: Path, progress: Progress
) -> dict[str, Any]:
    """The judgements of all answers that are no refusals, as scores.json holds them: the judge's name, ragas' version, groups.

    Each is appended to `out/judged.jsonl` as it comes; an answer is judged again only if it is another one, or if the judge failed
    on it.
    """
    from ragas.metrics import Faithfulness, LLMContextPrecisionWithoutReference, ResponseRelevancy

    metrics: dict[str, SingleTurnMetric] = {
        "faithfulness": Faithfulness(llm=llm),
        # One question: at ragas' temperature three would be the same.
        "answer_relevancy": ResponseRelevancy(llm=llm, embeddings=embedder, strictness=1),
        "context_precision": LLMContextPrecisionWithoutReference(llm=llm),
    }
    path, by = out / "judged.jsonl", {"judge": name, "ragas": version("ragas")}
    stored = {found["token"]: found for found in _stored(path) if by.items() <= found.items() and not found["failed"]}
    answered = [record for record in records if not record["refused"]]

    async def all_judged() -> list[Judgement]:
        judgements = []
        for record in answered:
            found = stored.get(record["token"])
            if found is None:
                found = {"id": record["id"], "token": record["token"], **by, **await _judged(record, metrics)}
                with open(path, "a", encoding="utf-8") as file:
                    file.write(json.dumps(found, ensure_ascii=False) + "\n")
            judgements.append(found)
            progress(len(judgements), len(answered))
        return judgements

    return {**by, "groups": _groups(answered, asyncio.run(all_judged()))}


async def _judged(record: Record, metrics: "Mapping[str, SingleTurnMetric]") -> Judgement:
    """What each metric gives, between 0 and 1, and why others give nothing."""
    from ragas.dataset_schema import SingleTurnSample

    contexts = [passage["text"] for passage in record["passages"]]
    quotes = [citation["quote"] for citation in record["citations"]]
    said = " ".join(quotes) if record["mode"] == "extractive" else re.sub(r"\s*\[\d+\]", "", record["text"])
    wide = SingleTurnSample(user_input=record["question"], response=said, retrieved_contexts=[*contexts, *quotes])
    narrow = wide.model_copy(update={"retrieved_contexts": contexts[:CONTEXTS]})
    # The inner method: the outer one writes down for ragas' makers what was run, and names the user in a file for it.
    # Providers share no class of errors, and one failure must not cost the other metrics.
    given = await asyncio.gather(
        *(m._single_turn_ascore(narrow if name == "context_precision" else wide, []) for name, m in metrics.items()),
        return_exceptions=True,
    )
    scores, failed = {}, {}
    for name, value in zip(metrics, given, strict=True):
        if isinstance(value, BaseException):
            failed[name] = {"RagasOutputParserException": NO_JSON}.get(type(value).__name__, type(value).__name__)
        elif math.isnan(value):
            failed[name] = "nothing to judge"
        else:
            scores[name] = min(1.0, max(0.0, float(value)))
    return {"scores": scores, "failed": failed}


def _stored(path: Path) -> list[Judgement]:
    """The judgements already there; the last line of a run that was killed may be half a line."""
    found = []
    for line in path.read_text(encoding="utf-8").split("\n") if path.exists() else ():
        with suppress(json.JSONDecodeError):
            found.append(json.loads(line))
    return found


def _groups(records: Sequence[Record], judgements: Sequence[Judgement]) -> list[dict[str, Any]]:
    groups = []
    for name in ("all", "ko", "en"):
        of = [found for record, found in zip(records, judgements, strict=True) if name in ("all", record["language"])]
        scores = {metric: mean([found["scores"][metric] for found in of if metric in found["scores"]]) for metric in TITLES}
        failed = Counter(f"{metric}: {why}" for found in of for metric, why in found["failed"].items())
        if of:
            groups.append(
                {
                    "name": name,
                    "answers": len(of),
                    "scores": {metric: asdict(figure) for metric, figure in scores.items() if figure},
                    "failed": dict(failed.most_common()),
                }
            )
    return groups


def lines(found: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of a table: figures with their intervals and number, then what the judge failed at."""
    head = ["", *(f"{group['name']} ({group['answers']})" for group in found)]
    rows = []
    for metric, title in TITLES.items():
        figures = [group["scores"].get(metric) for group in found]
        cells = (f"{f['value']:.3f} [{f['low']:.2f}, {f['high']:.2f}], n = {f['n']}" if f else "—" for f in figures)
        rows.append([f"{metric}: {title}", *cells])
    for reason in found[0]["failed"] if found else ():
        rows.append([f"not judged, {reason}", *(str(group["failed"].get(reason, 0)) for group in found)])
    return head, rows
