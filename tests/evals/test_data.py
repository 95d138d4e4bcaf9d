"""evals/data: our questions against the texts that they are about."""

import re
from collections import Counter
from pathlib import Path

import pytest

from evals.questions import KINDS, PAIRS, EvalQuestion, Qrels, read_qrels, read_questions
from evals.run import DATA, Keys, own
from ingest.load import load_corpus
from rag.config import PROJECT
from rag.types import Document

CORPUS = read_questions(DATA / "corpus" / "questions.jsonl")
NOTES = read_questions(DATA / "notes" / "questions.jsonl")
CORPUS_QRELS = read_qrels(DATA / "corpus" / "qrels.txt")
NOTES_QRELS = read_qrels(DATA / "notes" / "qrels.txt")
EVERYTHING = [*CORPUS, *NOTES]


def documents(folder: Path) -> dict[str, Document]:
    found, refused, _ = load_corpus(folder, 10_000_000)
    assert not refused
    return {document.id: document for document in found}


@pytest.fixture(scope="module")
def sections() -> dict[str, dict[str, str]]:
    """Key -> language -> the text of that section, heading included."""
    found: dict[str, dict[str, str]] = {}
    for document in documents(PROJECT / "corpus").values():
        for number, part in enumerate(re.split(r"(?m)^(?=## )", document.text)):
            found.setdefault(f"{min(document.id, document.pair)}#{number}", {})[document.language] = part
    return found


def test_sizes_and_balance() -> None:
    answerable = Counter(question.pair for question in EVERYTHING if question.answerable)
    assert len(EVERYTHING) >= 600 and answerable.total() >= 450
    assert set(answerable) == set(PAIRS)
    for count in answerable.values():
        assert abs(count / (answerable.total() / 4) - 1) <= 0.15, answerable
    unanswerable = Counter(question.lang for question in EVERYTHING if not question.answerable)
    assert unanswerable.total() >= 150 and abs(unanswerable["ko"] - unanswerable["en"]) <= 0.15 * unanswerable.total() / 2
    assert len(NOTES) >= 40
    for split in ("dev", "test"):
        assert {question.kind for question in CORPUS if question.split == split} == set(KINDS)


def test_ids_and_questions_are_unique() -> None:
    assert len({question.id for question in EVERYTHING}) == len(EVERYTHING)
    assert len(
        {(question.question, question.history[-1:] and question.history[-1]["content"]) for question in EVERYTHING}
    ) == len(EVERYTHING)


@pytest.mark.parametrize(("questions", "qrels"), [(CORPUS, CORPUS_QRELS), (NOTES, NOTES_QRELS)], ids=["corpus", "notes"])
def test_the_answerable_have_gold_and_nuggets_and_no_other(questions: list[EvalQuestion], qrels: Qrels) -> None:
    assert qrels.keys() == {question.id for question in questions if question.answerable}
    assert all(bool(question.nuggets) == question.answerable for question in questions)
    assert all(question.why for question in CORPUS if not question.answerable and not question.id.startswith("old-"))
    assert all(len(question.sides) >= 2 for question in questions if question.kind == "disagreement")
    assert all(question.history for question in questions if question.kind == "follow-up")


def test_every_nugget_stands_in_its_gold_text_in_both_languages(sections: dict[str, dict[str, str]]) -> None:
    for question in CORPUS:
        gold = CORPUS_QRELS.get(question.id, {})
        assert not gold.keys() - sections.keys(), question.id
        for language in ("ko", "en"):
            text = "\n".join(sections[key][language] for key in gold)
            for forms in (*question.nuggets, *question.sides):
                assert any(form in text for form in forms), (question.id, language, forms)
        both = "\n".join(text for key in gold for text in sections[key].values())
        assert not [form for form in question.must_not if form in both], question.id


def test_every_nugget_of_the_notes_stands_in_its_post() -> None:
    posts = documents(DATA / "notes" / "posts")
    assert len(posts) == 24
    for question in NOTES:
        text = "\n".join(posts[key].text for key in NOTES_QRELS.get(question.id, ()))
        for forms in question.nuggets:
            assert any(form in text for form in forms), (question.id, forms)
        assert {posts[key].language for key in NOTES_QRELS.get(question.id, ())} <= {question.evidence}, question.id


def test_the_split_is_by_topic() -> None:
    """No text that a dev question is answered from answers a test question, but for those that need texts of both splits."""
    topics = {
        question.id: frozenset(key.partition("#")[0] for key in qrels[question.id])
        for questions, qrels in ((CORPUS, CORPUS_QRELS), (NOTES, NOTES_QRELS))
        for question in questions
        if question.answerable
    }
    dev = {topic for question in EVERYTHING if question.split == "dev" for topic in topics.get(question.id, ())}
    assert len(dev) > 20
    for question in EVERYTHING:
        if question.answerable:
            assert (question.split == "dev") == (topics[question.id] <= dev), question.id


def test_a_cross_question_is_asked_where_its_evidence_has_no_counterpart(tmp_path: Path) -> None:
    sittings = own(tmp_path)
    assert sum(len(sitting.questions) for sitting in sittings) == len(EVERYTHING)
    for sitting in sittings[:-1]:
        assert sitting.corpus
        files = {path.stem: set[str]() for path in sitting.corpus().rglob("*.md")}
        for path in sitting.corpus().rglob("*.md"):
            files[path.stem].add(path.parent.name)
        assert sitting.name in ("full", "only-ko", "only-en") or len({frozenset(codes) for codes in files.values()}) == 2
        for question in sitting.questions:
            for key in sitting.qrels.get(question.id, ()):
                topic = key.partition("#")[0].removesuffix("-en")
                hidden = question.evidence != question.lang
                assert files[topic] == ({question.evidence} if hidden else {"ko", "en"}), (sitting.name, question.id)


def test_keys_count_headings(sections: dict[str, dict[str, str]], index_dir: Path) -> None:
    from rag.config import Settings
    from rag.pipeline import open_pipeline

    index = open_pipeline(Settings(index=index_dir)).index
    keys = Keys(index, {"q": {"musk-v-openai-en#1": 1}})
    for document in list(index.documents.values())[:4]:
        at = 0
        for number, part in enumerate(re.split(r"(?m)^(?=## )", document.text)):
            expected = f"{min(document.id, document.pair)}#{number}"
            assert keys.of(document.id, at) == expected == keys.of(document.id, at + len(part) - 1)
            assert keys.known(expected)
            at += len(part)
        assert not keys.known(f"{min(document.id, document.pair)}#{number + 1}")
    assert Keys(index, {"q": {"musk-v-openai-en": 1}}).of("musk-v-openai-ko", 5000) == "musk-v-openai-en"
