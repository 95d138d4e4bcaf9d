"""What the bundled encoder learns about questions: which sentences answer them, in either language.

Only how questions are read is learned, by a product of low rank added to each matrix (LoRA, Hu et al. 2021, arXiv:2106.09685):
the vectors of documents stay what they are, so nothing but questions passes through the encoder while it learns. A question is
drawn to the sentences that answer it and away from all others of the same language, in each language by itself, so that neither
is preferred (InfoNCE, van den Oord et al. 2018, arXiv:1807.03748).
"""

import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from evals.run import DATA, Sitting, linked
from rag.bundled_model import BOS, EOS, PAD, PARTS, PROMPTS, PackedModel, matrices, words
from rag.config import PROJECT
from rag.errors import QuestionError
from rag.index import Index

QUESTIONS, TEXTS = DATA / "adapt" / "questions.jsonl", DATA / "adapt" / "texts.jsonl"
# Seven tenths of what these learn, and five quarters of it, were no better on a statute and an encyclopaedia that are not learned
# from. Rank and rounds were not compared; with 3,520 questions general ones were forgotten at rank 16 and 1e-3.
RANK, RATE, ROUNDS, BATCH, DROPOUT, TEMPERATURE = 16, 5e-4, 4, 32, 0.1, 0.02
OF_CHUNKS, WITHIN_DOCUMENT = 0.5, 0.5  # weights, against 1 for telling a sentence from those of all documents


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """What the documents of a language say: unit vectors of sentences (m, d) and chunks (n, d); each sentence's chunk and document."""

    sentences: Tensor
    chunks: Tensor
    chunk: NDArray[np.int64]
    document: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question and, for each language that has any, the rows of the sentences that answer it."""

    text: str
    rows: dict[str, list[int]]


def sitting(indexes: Path) -> Sitting:
    """The index to learn from: the topics of the development questions, and invented texts."""
    topics = dict.fromkeys(json.loads(line)["topic"] for line in _lines())
    make = linked(
        indexes / "adapt-corpus",
        {topic: ("ko", "en") for topic in topics if (PROJECT / "corpus" / "en" / f"{topic}.md").exists()},
    )

    def with_texts() -> Path:
        folder = make()
        (folder / TEXTS.name).symlink_to(TEXTS)
        return folder

    return Sitting(name="adapt", questions=(), qrels={}, qrels_path=None, index=indexes / "adapt", corpus=with_texts)


def _lines() -> list[str]:
    return QUESTIONS.read_text(encoding="utf-8").splitlines()


def read(index: Index) -> tuple[list[Asked], dict[str, Told]]:
    """The questions and what the index tells, by language. Raises QuestionError where a document no longer holds an answer."""
    told: dict[str, Told] = {}
    places: dict[str, list[tuple[int, int, int]]] = {}  # of each document: start and end of its sentences, and their rows
    for language, pool in index.pools.items():
        rows = range(len(pool.chunks))
        chunk = [row for row in rows for _ in pool.sentences(row)[0]]
        documents = {name: number for number, name in enumerate(dict.fromkeys(one.document_id for one in pool.chunks))}
        told[language] = Told(
            sentences=torch.from_numpy(np.concatenate([pool.sentence_vectors(row) for row in rows])),
            chunks=torch.from_numpy(pool.vectors(rows)[0]),
            chunk=np.asarray(chunk),
            document=np.asarray([documents[pool.chunks[row].document_id] for row in chunk]),
        )
        spans = (span for row in rows for span in pool.sentences(row)[0])
        for number, (row, (start, end)) in enumerate(zip(chunk, spans, strict=True)):
            places.setdefault(pool.chunks[row].document_id, []).append((start, end, number))
    asked = []
    for line in _lines():
        question = json.loads(line)
        found: dict[str, list[int]] = {}
        for name, answers in question["answers"].items():
            document = index.documents[name]
            for answer in answers:
                at = document.text.find(answer)
                if at < 0:
                    raise QuestionError(f"{name!r} no longer says {answer!r}; mend the question in {str(QUESTIONS)!r}")
                rows_of = [row for start, end, row in places[name] if start < at + len(answer) and at < end]
                found.setdefault(document.language, []).extend(rows_of)
        asked.append(Asked(text=question["question"], rows=found))
    return asked, told


class Dense(nn.Module):
    """A matrix as it is, and beside it the product of two narrow ones that are learned; the second begins as nothing."""

    def __init__(self, weights: NDArray[np.float32], biases: NDArray[np.float32]) -> None:
        super().__init__()
        self.weights, self.biases = torch.from_numpy(weights), torch.from_numpy(biases.copy())
        outputs, inputs = weights.shape
        self.down = nn.Parameter(torch.randn(inputs, RANK) / math.sqrt(inputs))
        self.up = nn.Parameter(torch.zeros(RANK, outputs))

    def forward(self, value: Tensor) -> Tensor:
        return functional.linear(value, self.weights, self.biases) + value @ self.down @ self.up


class Reader(nn.Module):
    """The bundled encoder in float32, with an adapter: questions to unit vectors (n, d)."""

    def __init__(self, model: PackedModel, tokenizer: Any) -> None:
        super().__init__()
        tensors, self._model, self._tokenizer = model.tensors, model, tokenizer
        self._positions = torch.from_numpy(tensors["emb.pos"].reshape(-1, model.hidden) + tensors["emb.type"][: model.hidden])
        self.dense = nn.ModuleDict(
            {f"{layer}_{part}": Dense(*matrices(model, layer, part)) for layer in range(model.layers) for part in PARTS}
        )

    def forward(self, questions: Sequence[str]) -> Tensor:
        rows = [[BOS, *self._tokenizer.encode(PROMPTS["question"] + text), EOS] for text in questions]
        ids = np.full((len(rows), max(map(len, rows))), PAD)
        for padded, row in zip(ids, rows, strict=True):
            padded[: len(row)] = row
        there = torch.from_numpy(ids != PAD)
        state = self._norm("emb.ln", torch.from_numpy(words(self._model, ids)) + self._positions[: ids.shape[1]])
        for layer in range(self._model.layers):
            parts = self.dense[f"{layer}_projected"](state).chunk(3, -1)
            query, key, value = (part.unflatten(-1, (self._model.heads, -1)).transpose(1, 2) for part in parts)
            attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=there[:, None, None])
            joined = attended.transpose(1, 2).flatten(2)
            state = self._residual(f"l{layer}.aln", state, self.dense[f"{layer}_attention"](joined))
            inner = functional.gelu(self.dense[f"{layer}_inner"](state))
            state = self._residual(f"l{layer}.oln", state, self.dense[f"{layer}_outer"](inner))
        weights = there[..., None].float()
        return functional.normalize((state * weights).sum(1), dim=-1)

    def _residual(self, place: str, state: Tensor, added: Tensor) -> Tensor:
        return self._norm(place, state + functional.dropout(added, DROPOUT, self.training))

    def _norm(self, place: str, state: Tensor) -> Tensor:
        gain, shift = (torch.from_numpy(self._model.tensors[f"{place}.{part}"].copy()) for part in "wb")
        return functional.layer_norm(state, gain.shape, gain, shift, self._model.epsilon)

    def adapter(self) -> dict[str, NDArray[np.float16]]:
        """What `rag/bundled_model.py` reads."""
        found = {}
        for name, dense in self.dense.items():
            assert isinstance(dense, Dense)
            place = name.replace("_", ".")
            found[f"{place}.down"] = dense.down.detach().numpy().astype(np.float16)
            found[f"{place}.up"] = dense.up.detach().numpy().astype(np.float16)
        return found


def loss(vectors: Tensor, asked: Sequence[Asked], told: dict[str, Told]) -> Tensor:
    """How far the questions' vectors (n, d) are from telling what answers them from what does not."""
    total = torch.zeros(())
    for language, of in told.items():
        here = [number for number, question in enumerate(asked) if language in question.rows]
        if not here:
            continue
        near, near_chunks = vectors[here] @ of.sentences.T / TEMPERATURE, vectors[here] @ of.chunks.T / TEMPERATURE
        answers, in_chunks = torch.zeros(near.shape, dtype=torch.bool), torch.zeros(near_chunks.shape, dtype=torch.bool)
        beside = torch.zeros(near.shape, dtype=torch.bool)
        for place, number in enumerate(here):
            rows = asked[number].rows[language]
            answers[place, rows] = True
            in_chunks[place, of.chunk[rows]] = True
            beside[place] = torch.from_numpy(np.isin(of.document, of.document[rows]))
        apart = _told_apart(near, answers) + OF_CHUNKS * _told_apart(near_chunks, in_chunks)
        apart = apart + WITHIN_DOCUMENT * _told_apart(near.masked_fill(~beside, -torch.inf), answers)
        total = total + apart * len(here) / len(asked)
    return total


def _told_apart(near: Tensor, answers: Tensor) -> Tensor:
    """InfoNCE: the share of all nearness (n, m) that is not the answers', as a mean of logarithms."""
    return (near.logsumexp(1) - near.masked_fill(~answers, -torch.inf).logsumexp(1)).mean()


def learn(reader: Reader, asked: Sequence[Asked], told: dict[str, Told], progress: Callable[[int, int, float], None]) -> None:
    """Train the reader's adapter; the same on the same machine every time. `progress(done, total, loss)` after every batch."""
    torch.manual_seed(0)
    chance = random.Random(0)
    learned = [parameter for parameter in reader.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(learned, lr=RATE, weight_decay=0.01)
    steps = ROUNDS * math.ceil(len(asked) / BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min(1, (step + 1) / 20) * max(0.02, 1 - step / steps))
    reader.train()
    done = 0
    for _ in range(ROUNDS):
        # Questions of about the same length together: little padding.
        order = sorted(asked, key=lambda question: len(question.text) + chance.uniform(0, 20))
        batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
        chance.shuffle(batches)
        for batch in batches:
            value = loss(reader([question.text for question in batch]), batch, told)
            optimiser.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(learned, 1.0)
            optimiser.step()
            schedule.step()
            done += 1
            progress(done, steps, value.item())
    reader.eval()
