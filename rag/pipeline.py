"""The order of the steps: question (and history) -> query -> ranking -> refusal, or an answer written and checked, or quoted."""

import threading
import time
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableConfig

from rag import crosslingual, glossary, lexical, rewrite
from rag.answer import extract, generate, refuse
from rag.answer.frame import notice
from rag.chat import QUOTES, Chat, open_chats
from rag.config import Settings
from rag.embed import Embedder, load_embedder
from rag.errors import ChatModelError, QuestionError
from rag.index import Index, open_index
from rag.places import places
from rag.questions import parts, with_context
from rag.retrieve import Query, Scored, joined, make_queries, missed, passages, rank
from rag.text import language_of, normalise
from rag.types import Answer, Question

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

MAX_QUESTION = 4000  # characters
# Of the words of a follow-up, by idf. Of 126 development questions asked after one on another topic 1 lacks so little there, of 68
# on other subjects none, of 32 follow-ups that were written for this 19.
MISSED = 0.2


class Pipeline(Runnable[Question, Answer]):
    """Stateless and thread-safe. `invoke` gives the answer; `stream` gives it growing by a block or a sentence at a time."""

    def __init__(self, index: Index, embedder: Embedder, passages: int = 10, chats: Sequence[Chat] = ()) -> None:
        """`chats`: the chat models that may write the answer, the default first; without any it is quotes."""
        self.index = index
        self.embedder = embedder
        self._passages = passages
        self._chats = tuple(chats)

    def over(self, index: Index) -> "Pipeline":
        """This pipeline over another index of the same embedder: the corpus with a visitor's own documents beside it."""
        other = copy(self)
        other.index = index
        return other

    def invoke(self, input: Question, config: RunnableConfig | None = None, **kwargs: Any) -> Answer:
        """The answer. Raises QuestionError if the question is empty or too long."""
        return list(self.stream(input, config))[-1]

    def stream(self, input: Question, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[Answer]:
        """The answer as it grows: each has all that the one before had; the last is complete, with its timings.

        Where a chat model fails in the middle, quotes take the place of what it wrote, and `notice` says so.
        """
        begun = time.perf_counter()
        text = check(input["question"])
        chat = self._chat(input.get("model", ""))
        history = input.get("history", ())
        alone = rewrite.stand_alone(chat, text, history) if chat else ""
        searched = normalise(alone or with_context(text, history, self._goes_on))
        asked = parts(searched) if alone or searched == text else []  # the question before is context, not a part
        queries = make_queries(searched, asked, self.embedder, alone or text)
        rankings = [rank(self.index, query) for query in queries]
        scored = joined(rankings)
        leans = searched != text
        shown = "\n".join(turn["content"] for turn in history if leans and turn["role"] == "assistant")
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
        for answer in self._answers(bare, queries, rankings, scored, shown, chat):
            yield answer
        done = time.perf_counter()
        timings = {"retrieve": retrieved - begun, "answer": done - retrieved, "total": done - begun}
        yield replace(answer, timings_ms={name: round(1000 * seconds, 1) for name, seconds in timings.items()})

    def _goes_on(self, question: str, before: str) -> bool:
        """Whether the document that answers what was asked before holds the words of this question: "Who signed?", "벌금은 얼마인가요?"

        It could be asked of many documents, and is meant of that one. A question about something else has words of its own.
        """
        if parts(question):
            return False
        [asked], [earlier] = (make_queries(text, [], self.embedder) for text in (question, before))
        found = rank(self.index, earlier) if not asked.provisions else []
        if not found:
            return False
        pool, document = found[0].pool, found[0].chunk.document_id
        rows = (row for row, chunk in enumerate(pool.chunks) if chunk.document_id == document)
        return sum(missed(pool, asked, rows)) <= MISSED

    def _answers(
        self,
        answer: Answer,
        queries: Sequence[Query],
        rankings: Sequence[Sequence[Scored]],
        of_all: Sequence[Scored],
        shown: str,
        chat: Chat | None,
    ) -> Iterator[Answer]:
        query, scored = queries[0], rankings[0]
        missing = refuse.missing_provision(self.index, query)
        found = extract.candidates(self.index, query, scored, shown)
        answer = replace(answer, confidence=0.0 if missing else refuse.answerable(query, scored, found))
        if answer.confidence < 0.5:
            why = refuse.reason(answer.language, provision=missing, elsewhere=not found and bool(places(query.text)))
            text = refuse.refusal_text(self.index, answer.language, why, answer.passages)
            yield replace(answer, text=text, refused=True, refusal_reason=why)
            return
        if chat:
            written = answer
            try:
                read = passages(self.index, of_all, generate.PASSAGES)
                for written in generate.generate(chat, answer, query.text, read, self.embedder, self.index.documents):
                    yield written
                return
            except ChatModelError as error:
                why = notice(error.reason, chat.name, answer.language)
                answer = replace(answer, notice=why, unsupported=written.unsupported)
        read_of_all = {entry.chunk.document_id for entry in scored[: extract.PASSAGES]}
        of_parts = [
            extract.candidates(
                self.index, part, [entry for entry in ranked if places(part.text) or entry.chunk.document_id in read_of_all]
            )
            for part, ranked in zip(queries[1:], rankings[1:], strict=True)
        ]
        blocks, citations = extract.compose(extract.choose(found, *of_parts), answer.language)
        for number in range(1, len(blocks) + 1):
            shown = "\n\n".join(blocks[:number])
            yield replace(answer, text=shown, citations=tuple(c for c in citations if f"[{c.marker}]" in shown))

    def _chat(self, name: str) -> Chat | None:
        """The chat model to write with; None for quotes. Raises QuestionError if there is none of that name."""
        allowed = {chat.name: chat for chat in self._chats}
        if name == QUOTES or not (name or allowed):
            return None
        if name and name not in allowed:
            raise QuestionError(f"There is no chat model {name!r} here, choose one of: {', '.join([*allowed, QUOTES])}.")
        return allowed[name] if name else self._chats[0]


def open_pipeline(
    settings: Settings | None = None, embedder: Embedder | None = None, chat: "BaseChatModel | None" = None
) -> Pipeline:
    """The pipeline over the index that the settings name, with everything loaded that the first question needs.

    `embedder` is one that is loaded already, for who opens several indexes; `chat` is a chat model, in place of those
    that the settings name. One of theirs that cannot be opened is logged, and its answers say so.
    Raises IndexMissingError, IndexMismatchError, IndexDamagedError or EmbeddingModelError.
    """
    settings = settings or Settings()
    warming = threading.Thread(target=warm)  # a second or two, beside the model's
    warming.start()
    embedder = embedder or load_embedder(settings)
    index = open_index(settings.index, embedder.name)
    warming.join()
    return Pipeline(index, embedder, settings.passages, open_chats(settings, chat))


def warm() -> None:
    """Load what the first question would wait for, but for the embedder: the analyser, the glossary and the second encoder."""
    lexical.warm()
    glossary.warm()
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
