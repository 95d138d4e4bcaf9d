"""The claim checks, measured on claims of which it is known whether their passage supports them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evals.metrics import Estimate, mean
from rag.answer.claims import Claim, Known, check
from rag.config import PROJECT
from rag.embed import Embedder
from rag.errors import QuestionError
from rag.index import Index
from rag.text import plain
from rag.types import Language, Passage

DATA = PROJECT / "evals" / "data" / "claims" / "claims.jsonl"
Kind = Literal[
    "true", "number", "date", "provision", "name", "moved", "jurisdiction", "parties", "outcome", "negation", "detail", "marker"
]
KINDS = get_args(Kind)[1:]  # of alterations


class EvalClaim(BaseModel):
    """A line of claims.jsonl: a claim, the section that it cites, and whether the section supports it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1, pattern=r"^\S+$")
    document: str
    heading: str
    claim: str = Field(min_length=1)
    language: Language
    kind: Kind
    supported: bool
    altered_from: str
    split: Literal["dev", "test"]


def read_claims(path: Path = DATA) -> list[EvalClaim]:
    """The claims of a JSONL file, in order. Raises QuestionError naming file and line."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            found.append(EvalClaim.model_validate_json(line))
        except ValidationError as error:
            raise QuestionError(
                f"{path}:{number}: {error.errors()[0]['msg']}; the fields are those of evals.claims.EvalClaim"
            ) from error
    return found


def cited(claim: EvalClaim, index: Index) -> list[Passage]:
    """The passages of the section that a claim cites, best rank first. Raises QuestionError if the index lacks it."""
    chunks = [chunk for chunk in index.chunks if chunk.document_id == claim.document and plain(claim.heading) in chunk.headings]
    if not chunks:
        raise QuestionError(
            f"the index holds no section {claim.heading!r} of {claim.document!r}, which the claim {claim.id!r} cites"
        )
    document = index.documents[claim.document]
    return [Passage(rank=rank, score=1.0, chunk=chunk, document=document) for rank, chunk in enumerate(chunks, start=1)]


def measure(
    claims: Sequence[EvalClaim], index: Index, embedder: Embedder, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Detection and false-alarm rates by kind, language and pair, and what was said of each claim."""
    verdicts = []
    known: dict[tuple[str, str], Known] = {}  # a section is read once for all its claims
    for done, claim in enumerate(claims, start=1):
        passages = cited(claim, index)
        markers = tuple(passage.rank for passage in passages)
        asked = Claim(text=claim.claim, markers=markers, start=0, end=len(claim.claim))
        read = known.setdefault((claim.document, claim.heading), {})
        verdict = check([asked], passages, embedder, read, index.documents)[0]
        verdicts.append(
            {**claim.model_dump(), "flagged": not verdict.supported, "reason": verdict.reason, "detail": verdict.detail}
        )
        if progress:
            progress(done, len(claims))
    return {"groups": rates(verdicts), "claims": verdicts}


def rates(verdicts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row a group: detection is the share of the altered claims that were flagged, false alarms that of the true ones."""
    groups: dict[str, list[Mapping[str, Any]]] = {"all": list(verdicts)}
    for verdict in verdicts:
        crossed = verdict["language"] != verdict["document"].rpartition("-")[2]
        groups.setdefault("Korean" if verdict["language"] == "ko" else "English", []).append(verdict)
        groups.setdefault("across languages" if crossed else "within a language", []).append(verdict)
    for kind in KINDS:
        groups[kind] = [verdict for verdict in verdicts if verdict["kind"] == kind]
    return [
        {
            "group": name,
            "detection": _estimate([float(verdict["flagged"]) for verdict in members if not verdict["supported"]]),
            "false_alarms": _estimate([float(verdict["flagged"]) for verdict in members if verdict["supported"]]),
        }
        for name, members in groups.items()
        if members
    ]


def _estimate(values: Sequence[float]) -> dict[str, float] | None:
    found: Estimate | None = mean(values)
    return {"value": found.value, "low": found.low, "high": found.high, "n": found.n} if found else None


HEAD = ["claims", "altered ones flagged", "true ones flagged"]


def lines(groups: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """The rates as rows of a table under HEAD, with 95 % bootstrap intervals."""
    return [[row["group"], _cell(row["detection"]), _cell(row["false_alarms"])] for row in groups]


def _cell(rate: Mapping[str, float] | None) -> str:
    return f"{rate['value']:.2f} [{rate['low']:.2f}, {rate['high']:.2f}] of {rate['n']}" if rate else ""
