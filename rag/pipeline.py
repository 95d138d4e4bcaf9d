"""The order of the steps: question (and history) -> query -> ranking -> sentences -> answer or refusal."""

import threading
import time
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig

from rag import crosslingual, lexical
from rag.answer import extract, refuse
from rag.config import Settings
from rag.embed import Embedder, load_embedder
from rag.errors import QuestionError
from rag.index import Index, open_index
from rag.places import places
from rag.questions import parts, with_context
from rag.retrieve import Query, Scored, joined, make_query, passages, rank
from rag.text import language_of, normalise
from rag.types import Answer, Question

MAX_QUESTION = 4000  # characters


class Pipeline(Runnable[Question, Answer]):
    """Stateless and thread-safe. `invoke` gives the answer; `stream` gives it growing by a block at a time."""

    def __init__(self, index: Index, embedder: Embedder, passages: int = 10) -> None:
        self.index = index
        self.embedder = embedder
        self._passages = passages

    def over(self, index: Index) -> "Pipeline":
        """This pipeline over another index of the same embedder: the corpus with a visitor's own documents beside it."""
        other = copy(self)
        other.index = index
        return other

    def invoke(self, input: Question, config: RunnableConfig | None = None, **kwargs: Any) -> Answer:
        """The answer. Raises QuestionError if the question is empty or too long."""
        return list(self.stream(input, config))[-1]

    def stream(self, input: Question, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[Answer]:
        """The answer as it grows: each has all that the one before had; the last is complete, with its timings."""
        begun = time.perf_counter()
        text = check(input["question"])
        searched = normalise(with_context(text, input.get("history", ())))
        asked = parts(text) if searched == text else []  # the question before is context, not a part
        queries = [make_query(part, self.embedder) for part in (searched, *asked)]
        rankings = [rank(self.index, query) for query in queries]
        scored = joined(rankings)
        retrieved = time.perf_counter()
        bare = Answer(
            question=text,
            language=language_of(text),
            text="",
            passages=passages(self.index, scored, input.get("passages", self._passages)),
            index={
                "fingerprint": self.index.manifest.fingerprint,
                "built_at": self.index.manifest.built_at,
                "embedding_model": self.index.manifest.embedding_model,
            },
        )
        answer = bare
        for answer in self._answers(bare, queries, rankings):
            yield answer
        done = time.perf_counter()
        timings = {"retrieve": retrieved - begun, "answer": done - retrieved, "total": done - begun}
        yield replace(answer, timings_ms={name: round(1000 * seconds, 1) for name, seconds in timings.items()})

    def _answers(self, answer: Answer, queries: Sequence[Query], rankings: Sequence[Sequence[Scored]]) -> Iterator[Answer]:
        query, scored = queries[0], rankings[0]
        missing = refuse.missing_provision(self.index, query)
        found = extract.candidates(self.index, query, scored)
        answer = replace(answer, confidence=0.0 if missing or not found else refuse.answerable(scored, answer.language))
        if answer.confidence < 0.5:
            why = refuse.reason(answer.language, provision=missing, elsewhere=not found and bool(places(query.text)))
            text = refuse.refusal_text(self.index, answer.language, why, answer.passages)
            yield replace(answer, text=text, refused=True, refusal_reason=why)
            return
        of_parts = [extract.candidates(self.index, *part) for part in zip(queries[1:], rankings[1:], strict=True)]
        blocks, citations = extract.compose(extract.choose(found, *of_parts), answer.language)
        for number in range(1, len(blocks) + 1):
            shown = "\n\n".join(blocks[:number])
            yield replace(answer, text=shown, citations=tuple(c for c in citations if f"[{c.marker}]" in shown))


def open_pipeline(settings: Settings | None = None, embedder: Embedder | None = None) -> Pipeline:
    """The pipeline over the index that the settings name, with everything loaded that the first question needs.

    `embedder` is one that is loaded already, for who opens several indexes.
    Raises IndexMissingError, IndexMismatchError, IndexDamagedError or EmbeddingModelError.
    """
    settings = settings or Settings()
    analyser = threading.Thread(target=_warm)  # a second or two, beside the model's
    analyser.start()
    embedder = embedder or load_embedder(settings)
    index = open_index(settings.index, embedder.name)
    analyser.join()
    return Pipeline(index, embedder, settings.passages)


def _warm() -> None:
    lexical.warm()
    crosslingual.warm()


def check(question: object) -> str:
    """The question, normalised. Raises QuestionError if there is none, or too much of it."""
    if not isinstance(question, str) or not (text := normalise(question)):
        raise QuestionError("The question is empty; write one. 질문이 비어 있습니다. 질문을 적어 주세요.")
    if len(text) > MAX_QUESTION:
        raise QuestionError(
            f"The question has {len(text):,} characters, over the limit of {MAX_QUESTION:,}; shorten it. "
            f"질문이 {MAX_QUESTION:,}자를 넘습니다. 줄여 주세요."
        )
    return text
