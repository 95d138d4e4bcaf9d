"""What the bundled encoder learns about questions: the data, the learning, and that the graph reads as what was trained."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from evals import adapt
from evals.adapt import Reader, learn, loss, read, sitting
from evals.questions import read_questions
from evals.run import DATA, build
from rag.bundled_model import ADAPTER, open_tokenizer, packed_model_path, read_packed_model, unpacked_model
from rag.config import Settings
from rag.embed import Embedder
from rag.errors import QuestionError
from rag.index import Index, open_index

ASKED = ["왜 머스크는 소송을 냈나?", "Who has to appoint a domestic agent in Korea?", "과태료 얼마"]


@pytest.fixture(scope="module")
def index(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Index:
    one = sitting(tmp_path_factory.mktemp("adapt"))
    build(one)
    return open_index(one.index, embedder.name)


@pytest.fixture
def reader() -> Reader:
    packed = packed_model_path()
    assert packed
    return Reader(read_packed_model(packed), open_tokenizer(unpacked_model(Settings().cache_dir)))


def with_adapter(reader: Reader) -> Reader:
    with np.load(ADAPTER) as stored:
        for name, dense in reader.dense.items():
            place = name.replace("_", ".")
            dense.down.data, dense.up.data = (torch.from_numpy(stored[f"{place}.{part}"]).float() for part in ("down", "up"))
    return reader.eval()


def test_questions_are_read_as_they_were_learned(embedder: Embedder, reader: Reader) -> None:
    with torch.no_grad():
        before = reader.eval()(ASKED).numpy()
        learned = with_adapter(reader)(ASKED).numpy()
    found = embedder.encode_question(ASKED)
    assert (learned * found).sum(axis=1).min() > 0.975, "the graph's 8 bits"
    assert (before * found).sum(axis=1).max() < 0.9, "nothing was learned"


def test_only_questions_are_read_with_the_adapter(embedder: Embedder, reader: Reader) -> None:
    """A document that begins with the prompt of questions is a document: its own prompt stands before it."""
    texts = [*ASKED, "question: " + ASKED[0]]
    plain, document = embedder.encode_query(texts), embedder.encode_documents(texts)
    assert (plain * document).sum(axis=1).min() > 0.9
    assert (plain[3] @ embedder.encode_question(ASKED[0])[0]) < 0.9


def test_every_answer_stands_in_its_document_in_both_languages(index: Index) -> None:
    asked, told = read(index)
    assert len(asked) > 3000 and set(told) == {"ko", "en"}
    assert all(question.rows["ko"] and question.rows["en"] for question in asked)
    for language, of in told.items():
        assert len(of.sentences) == len(of.chunk) == len(of.document), language
        assert np.allclose(of.sentences.norm(dim=1), 1, atol=1e-2)


def test_nothing_of_the_test_split_is_learned() -> None:
    learned = {json.loads(line)["topic"] for line in adapt.QUESTIONS.read_text(encoding="utf-8").splitlines()}
    questions = read_questions(DATA / "corpus" / "questions.jsonl")
    gold = {line.split()[0]: set[str]() for line in (DATA / "corpus" / "qrels.txt").read_text().splitlines()}
    for line in (DATA / "corpus" / "qrels.txt").read_text().splitlines():
        gold[line.split()[0]].add(line.split()[2].partition("#")[0].removesuffix("-en").removesuffix("-ko"))
    of_dev = set().union(*(gold.get(question.id, set()) for question in questions if question.split == "dev"))
    assert {topic for topic in learned if (DATA.parent.parent / "corpus" / "en" / f"{topic}.md").exists()} <= of_dev
    asked = {json.loads(line)["question"] for line in adapt.QUESTIONS.read_text(encoding="utf-8").splitlines()}
    assert not asked & {question.question for question in questions}


def test_learning_tells_answers_apart(index: Index, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, told = read(index)
    few = asked[::100][:16]
    monkeypatch.setattr(adapt, "ROUNDS", 6)
    with torch.no_grad():
        before = loss(reader.eval()([question.text for question in few]), few, told).item()
    seen: list[tuple[int, int]] = []
    learn(reader, few, told, lambda done, total, _: seen.append((done, total)))
    with torch.no_grad():
        after = loss(reader([question.text for question in few]), few, told).item()
    assert after < before - 1 and seen[-1] == (6, 6)


def test_an_answer_that_is_gone_is_told(index: Index, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    line = {"topic": "musk-v-openai", "lang": "ko", "question": "?", "answers": {"musk-v-openai-ko": ["이 문장은 없다."]}}
    (tmp_path / "questions.jsonl").write_text(json.dumps(line), encoding="utf-8")
    monkeypatch.setattr(adapt, "QUESTIONS", tmp_path / "questions.jsonl")
    with pytest.raises(QuestionError, match="no longer says '이 문장은 없다.'"):
        read(index)
