"""What the bundled encoder learns about questions: the data, the learning, and that the graph reads as what was trained."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from evals import adapt
from evals.adapt import Reader, learn, loss, read, sitting
from evals.questions import read_qrels, read_questions
from evals.run import DATA, Keys, build
from rag.bundled_model import ADAPTER, open_tokenizer, packed_model_path, read_packed_model, unpacked_model
from rag.config import PROJECT, Settings
from rag.embed import Embedder
from rag.errors import QuestionError
from rag.index import Index, open_index
from rag.pipeline import Pipeline
from rag.text import normalise

ASKED = ["왜 머스크는 소송을 냈나?", "Who has to appoint a domestic agent in Korea?", "과태료 얼마"]


TOPICS = ("musk-v-openai", "eu-ai-act-prohibited", "machines-act-2", "encyclopaedia-1-1")  # the last in one language alone


@pytest.fixture(scope="module")
def index(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """What would be learned from if there were these topics alone."""
    folder = tmp_path_factory.mktemp("adapt")
    lines = [line for line in lines_of(adapt.QUESTIONS) if json.loads(line)["topic"] in TOPICS]
    texts = [line for line in lines_of(adapt.TEXTS) if json.loads(line)["id"].removesuffix("-ko") in TOPICS]
    (folder / "questions.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "texts.jsonl").write_text("\n".join(texts), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapt, "QUESTIONS", folder / "questions.jsonl")
        patch.setattr(adapt, "TEXTS", folder / "texts.jsonl")
        one = sitting(folder)
        build(one)
        yield open_index(one.index, embedder.name)


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


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


def test_questions_and_what_the_index_tells(index: Index) -> None:
    asked, told = read(index)
    assert len(asked) == 213 and set(told) == {"ko", "en"}
    assert all(rows for question in asked for rows in question.rows.values())
    assert sum(set(question.rows) == {"ko"} for question in asked) == 5, "those of the text in one language"
    assert all(set(question.rows) == {"ko", "en"} for question in asked[:208])
    for language, of in told.items():
        assert len(of.sentences) == len(of.chunk) == len(of.document), language
        assert np.allclose(of.sentences.norm(dim=1), 1, atol=1e-2)


def test_every_answer_stands_in_its_document() -> None:
    texts = {path.stem: normalise(path.read_text(encoding="utf-8")) for path in (PROJECT / "corpus").glob("en/*.md")}
    texts = {f"{name}-en": text for name, text in texts.items()} | {
        f"{path.stem}-ko": normalise(path.read_text(encoding="utf-8")) for path in (PROJECT / "corpus").glob("ko/*.md")
    }
    texts |= {text["id"]: text["text"] for text in map(json.loads, lines_of(DATA / "adapt" / "texts.jsonl"))}
    questions = [json.loads(line) for line in lines_of(DATA / "adapt" / "questions.jsonl")]
    assert len(questions) == 9166
    for question in questions:
        assert all(answer in texts[name] for name, answers in question["answers"].items() for answer in answers), question


def test_what_was_learned_holds_for_topics_that_were_not(pipeline: Pipeline) -> None:
    """Korean questions of the test split find their English sections earlier, by the main encoder alone."""
    questions, qrels = read_questions(DATA / "corpus" / "questions.jsonl"), read_qrels(DATA / "corpus" / "qrels.txt")
    asked = [one for one in questions if one.split == "test" and one.pair == "ko-en" and one.id in qrels and not one.history]
    pool = next(pool for pool in pipeline.index.pools.values() if pool.language == "en")
    keys = Keys(pipeline.index, qrels)
    names = [keys.of(chunk.document_id, chunk.start) for chunk in pool.chunks]
    vectors, _ = pool.vectors(range(len(pool.chunks)))

    def reciprocal_rank(encode: Callable[[list[str]], np.ndarray]) -> float:
        ranked = np.argsort(-(encode([one.question for one in asked]) @ vectors.T), axis=1)
        hits = [[names[row] in qrels[one.id] for row in rows] for one, rows in zip(asked, ranked, strict=True)]
        return float(np.mean([1 / (1 + hit.index(True)) for hit in hits]))

    plain, learned = reciprocal_rank(pipeline.embedder.encode_query), reciprocal_rank(pipeline.embedder.encode_question)
    assert len(asked) > 40 and learned > plain + 0.05, (plain, learned)


def test_nothing_of_the_test_split_is_learned() -> None:
    learned = {json.loads(line)["topic"] for line in lines_of(DATA / "adapt" / "questions.jsonl")}
    questions = read_questions(DATA / "corpus" / "questions.jsonl")
    of_dev = {question.id for question in questions if question.split == "dev"}
    gold = [line.split() for line in lines_of(DATA / "corpus" / "qrels.txt")]
    allowed = {key.partition("#")[0].removesuffix("-en").removesuffix("-ko") for id, _, key, _ in gold if id in of_dev}
    assert {topic for topic in learned if (PROJECT / "corpus" / "en" / f"{topic}.md").exists()} <= allowed
    asked = {json.loads(line)["question"] for line in lines_of(DATA / "adapt" / "questions.jsonl")}
    assert not asked & {question.question for question in questions}


def test_learning_tells_answers_apart(index: Index, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, told = read(index)
    few = asked[::10][:16]
    monkeypatch.setattr(adapt, "ROUNDS", 24)
    monkeypatch.setattr(adapt, "RATE", 2e-3)
    with torch.no_grad():
        before = loss(reader.eval()([question.text for question in few]), few, told).item()
    seen: list[tuple[int, int]] = []
    learn(reader, few, told, lambda done, total, _: seen.append((done, total)))
    with torch.no_grad():
        after = loss(reader([question.text for question in few]), few, told).item()
    assert after < before - 1 and seen[-1] == (24, 24)


def test_an_answer_that_is_gone_is_told(index: Index, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    line = {"topic": "musk-v-openai", "lang": "ko", "question": "?", "answers": {"musk-v-openai-ko": ["이 문장은 없다."]}}
    (tmp_path / "questions.jsonl").write_text(json.dumps(line), encoding="utf-8")
    monkeypatch.setattr(adapt, "QUESTIONS", tmp_path / "questions.jsonl")
    with pytest.raises(QuestionError, match="no longer says '이 문장은 없다"):
        read(index)
