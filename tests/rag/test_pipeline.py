"""rag/pipeline.py with everything under it: the real model, the real index of the project's texts."""

import asyncio
import json
import shutil
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rag import open_pipeline
from rag.answer.extract import candidates
from rag.config import PROJECT, Settings
from rag.errors import QuestionError
from rag.pipeline import Pipeline
from rag.places import is_about, places
from rag.retrieve import HybridRetriever, make_query, rank
from rag.types import Answer


def holds(pipeline: Pipeline, answer: Answer) -> None:
    """Every quote is its document's span, and every marker of the text has its citation."""
    for number, citation in enumerate(answer.citations, start=1):
        assert citation.marker == number and f"[{number}]" in answer.text
        assert pipeline.index.documents[citation.document_id].text[citation.start : citation.end] == citation.quote
    assert f"[{len(answer.citations) + 1}]" not in answer.text


@pytest.mark.parametrize(
    ("question", "document", "held"),
    [
        ("왜 머스크는 소송을 냈나?", "musk-v-openai-ko", "주장"),
        ("why did Musk sue?", "musk-v-openai-en", "alleges"),
        ("Which practices does Article 5 ban?", "eu-ai-act-prohibited-en", "social scoring"),
        ("EU AI법 제5조는 어떤 AI를 금지하나?", "eu-ai-act-prohibited-ko", "사회적 점수 평가"),
        ("AI 기본법을 어기면 과태료는 얼마인가?", "kr-ai-basic-act", "3천만 원"),
        ("How large is the fine under Korea's AI Basic Act?", "kr-ai-basic-act", "KRW 30 million"),
        ("FLI 공개서한은 무엇을 요구했나?", "fli-pause-letter-ko", "6개월"),
        ("Who controls OpenAI?", "openai-structure-en", "OpenAI Foundation"),
    ],
)
def test_answers(pipeline: Pipeline, question: str, document: str, held: str) -> None:
    answer = pipeline.invoke({"question": question})
    assert not answer.refused and answer.mode == "extractive"
    assert answer.citations[0].document_id.startswith(document)
    assert any(held in citation.quote for citation in answer.citations)
    assert {citation.language for citation in answer.citations} == {answer.language}
    assert 1 <= len(answer.citations) <= 6
    assert set(answer.timings_ms) == {"retrieve", "answer", "total"}
    holds(pipeline, answer)


def test_what_is_called_by_name_is_told_of_by_name(pipeline: Pipeline) -> None:
    """The AI Office of the EU, and not the Information Commissioner's."""
    answer = pipeline.invoke({"question": "What is the AI Office?"})
    assert all("AI Office" in citation.quote for citation in answer.citations)
    assert any(citation.document_id.startswith("eu-ai-act") for citation in answer.citations)


def test_a_list_is_quoted_with_its_lead_in(pipeline: Pipeline) -> None:
    quote = pipeline.invoke({"question": "Which practices does Article 5 ban?"}).citations[0].quote
    assert quote.splitlines()[0].endswith(":") and quote.count("\n- ") == 8


def test_a_lead_in_that_says_no_to_something_else_is_no_denial(pipeline: Pipeline) -> None:
    answer = pipeline.invoke({"question": "델라웨어 법무장관 이름이랑 오픈AI가 안전 관련해서 약속한 조건"})
    assert "이의가 없다는 의견서를 냈습니다:" in answer.citations[0].quote and answer.citations[0].quote.count("\n- ") == 3


@pytest.mark.parametrize(
    "question", ["What is Brazil's AI bill about?", "호주에는 AI법이 있나?", "How does India fine AI companies?"]
)
def test_a_text_of_another_country_answers_only_where_it_names_the_one_asked_about(pipeline: Pipeline, question: str) -> None:
    asked, query = places(question), make_query(question, pipeline.embedder)
    found = candidates(pipeline.index, query, rank(pipeline.index, query))
    assert found
    for one in found:
        assert is_about(one.document, "", asked) or asked & places(one.document.text[one.start : one.end])


def test_sentences_of_one_text_may_be_near_and_say_different_things(pipeline: Pipeline) -> None:
    answer = pipeline.invoke({"question": "When did DeepSeek stop downloads in South Korea, and when did it resume them?"})
    assert all(any(date in citation.quote for citation in answer.citations) for date in ("15 February 2025", "28 April 2025"))


@pytest.mark.parametrize(
    ("question", "language", "said"),
    [
        ("김치찌개 끓이는 법 알려줘", "ko", "찾지 못했습니다"),
        ("How do I bake sourdough bread?", "en", "nothing is guessed"),
        ("AI 기본법 제77조는 무엇을 정하나?", "ko", "제77조"),
        ("What does Article 5(1)(z) of the EU AI Act prohibit?", "en", "5(1)(z)"),
        ("Explain Recital 999", "en", "Recital 999"),
    ],
)
def test_refusals(pipeline: Pipeline, question: str, language: str, said: str) -> None:
    answer = pipeline.invoke({"question": question})
    assert answer.refused and answer.language == language and said in answer.refusal_reason
    assert answer.citations == () and len(answer.passages) == 10
    assert answer.refusal_reason in answer.text and answer.passages[0].document.title in answer.text
    assert max(document.as_of for document in pipeline.index.documents.values()) in answer.text  # what the corpus covers


def test_streaming_grows_and_ends_with_the_answer(pipeline: Pipeline) -> None:
    snapshots = list(pipeline.stream({"question": "Why did Musk leave OpenAI's board?"}))
    for before, after in pairwise(snapshots):
        assert after.text.startswith(before.text)
    assert snapshots[-1].timings_ms and snapshots[-1].text == pipeline.invoke({"question": snapshots[-1].question}).text


def test_the_asynchronous_twins(pipeline: Pipeline) -> None:
    async def both() -> tuple[Answer, list[Answer]]:
        question = {"question": "Who controls OpenAI?"}
        return await pipeline.ainvoke(question), [answer async for answer in pipeline.astream(question)]  # type: ignore[arg-type]

    answer, snapshots = asyncio.run(both())
    assert answer.text == snapshots[-1].text != ""


def test_many_threads(pipeline: Pipeline) -> None:
    questions = ["왜 머스크는 소송을 냈나?", "Who controls OpenAI?"] * 6
    expected = {question: pipeline.invoke({"question": question}).text for question in set(questions)}
    found: list[tuple[str, str]] = []
    threads = [
        threading.Thread(target=lambda asked=question: found.append((asked, pipeline.invoke({"question": asked}).text)))
        for question in questions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12 and all(text == expected[question] for question, text in found)


def test_a_follow_up_goes_with_the_question_before_it(pipeline: Pipeline) -> None:
    history = [{"role": "user", "content": "한국의 AI 생성물 표시 의무"}, {"role": "assistant", "content": "…"}]
    answer = pipeline.invoke({"question": "그럼 언제부터?", "history": history})  # type: ignore[typeddict-item]
    assert answer.question == "그럼 언제부터?"
    assert answer.citations[0].document_id == "kr-ai-basic-act-transparency-ko"


def said(*questions: str) -> list[Any]:
    """A conversation in which these were asked."""
    return [turn for text in questions for turn in ({"role": "user", "content": text}, {"role": "assistant", "content": "…"})]


@pytest.mark.parametrize(
    ("before", "question", "topic"),
    [
        (["What is California's SB 53?"], "Who signed the bill?", "california-sb1047-sb53"),
        (["캘리포니아 SB 53은 누구에게 적용되나요?"], "벌금은 최대 얼마인가요?", "california-sb1047-sb53"),
        (["서울 선언은 언제 채택되었나?"], "법적 구속력이 있나요?", "seoul-declaration-commitments"),
        (["유럽평의회 AI 협약은 어떤 협약인가?"], "몇 나라가 비준했지?", "coe-framework-convention"),
        (["What did the UNESCO recommendation on AI ethics set out?"], "How many countries adopted the text?", "unesco-ai-ethics-recommendation"),
        (["개인정보위는 딥시크에 어떤 조치를 했나요?"], "과징금도 부과했나요?", "kr-pipc-ai-guidance"),
        # and one of the usual kind after it leans on both
        (["What is California's SB 53?", "Who signed the bill?"], "And when does it apply?", "california-sb1047-sb53"),
    ],
)  # fmt: skip
def test_a_question_that_many_documents_answer_is_asked_of_the_one_before(
    pipeline: Pipeline, before: list[str], question: str, topic: str
) -> None:
    assert pipeline.invoke({"question": question, "history": said(*before)}).citations[0].document_id.startswith(topic)


@pytest.mark.parametrize(
    "question",
    [
        "고영향 AI 사업자는 무엇을 해야 하나?",
        "Which practices does Article 5 ban?",
        "AI 기본법 31조 3항 내용 뭐야",
        "How do Korea and the EU differ on fines?",
        "내일 서울 비 와?",
        "Who is the president of France?",
    ],
)
def test_a_question_on_another_subject_stands_alone(pipeline: Pipeline, question: str) -> None:
    """Asked in a conversation it is answered, or refused, as if nothing had been said."""
    history = said("왜 머스크는 소송을 냈나?", "What is California's SB 53?")
    alone, after = (pipeline.invoke({"question": question, "history": turns}) for turns in ([], history))
    assert (alone.refused, alone.citations) == (after.refused, after.citations)


@pytest.mark.parametrize("question", ["", "  \n", "\u200b", "x" * 5000])
def test_questions_that_cannot_be_asked(pipeline: Pipeline, question: str) -> None:
    with pytest.raises(QuestionError):
        pipeline.invoke({"question": question})


def test_decomposed_hangul_asks_the_same(pipeline: Pipeline) -> None:
    import unicodedata

    question = "왜 머스크는 소송을 냈나?"
    assert (
        pipeline.invoke({"question": unicodedata.normalize("NFD", question)}).text == pipeline.invoke({"question": question}).text
    )


def test_the_retriever_works_in_a_chain(pipeline: Pipeline) -> None:
    retriever = HybridRetriever(index=pipeline.index, embedder=pipeline.embedder, k=3)
    chain = retriever | (lambda documents: [document.metadata["document_id"] for document in documents])
    assert chain.invoke("Which practices does Article 5 ban?")[0] == "eu-ai-act-prohibited-en"


def test_evidence_of_the_other_language_is_found_and_labelled(embedder: object, tmp_path: Path) -> None:
    from ingest.build import build
    from rag.embed import Embedder

    assert isinstance(embedder, Embedder)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for topic in ("eu-ai-act-prohibited", "fli-pause-letter"):
        shutil.copy(PROJECT / "corpus" / "en" / f"{topic}.md", corpus)
    settings = Settings(corpus=corpus, index=tmp_path / "index")
    build(settings, embedder)
    answer = open_pipeline(settings).invoke({"question": "EU AI법 제5조는 어떤 AI를 금지하나?"})
    assert answer.language == "ko" and answer.citations[0].document_id == "eu-ai-act-prohibited-en"
    assert "(영어)" in answer.text


def rag(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "rag", *arguments], cwd=PROJECT, capture_output=True, text=True, timeout=120)


def test_the_command_line(index_dir: Path, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text(
        '{"id": 1, "question": "왜 머스크는 소송을 냈나?"}\n{"id": "b", "question": "Who controls OpenAI?", "history": []}\n',
        encoding="utf-8",
    )
    out = tmp_path / "new" / "answers.jsonl"
    done = rag("ask", "--batch", str(questions), "--out", str(out), "--index", str(index_dir), "--passages", "3")
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [answer["id"] for answer in answers] == [1, "b"]
    assert set(answers[0]) == {
        *("id", "question", "language", "text", "mode", "model", "refused", "refusal_reason", "confidence", "citations"),
        *("unsupported", "notice", "passages", "timings_ms", "index"),
    }
    assert [len(answer["passages"]) for answer in answers] == [3, 3]
    assert set(answers[0]["passages"][0]) == {"rank", "score", "document_id", "chunk_id", "start", "end", "text"}
    assert set(answers[0]["index"]) == {"fingerprint", "built_at", "embedding_model"}
    assert {
        "marker",
        "document_id",
        "chunk_id",
        "title",
        "url",
        "language",
        "kind",
        "status",
        "as_of",
        "quote",
        "start",
        "end",
        "verified",
    } <= set(answers[0]["citations"][0])


def test_the_command_line_says_what_is_wrong(tmp_path: Path) -> None:
    missing = rag("ask", "Who?", "--index", str(tmp_path / "none"))
    assert missing.returncode == 2 and "python -m ingest build" in missing.stderr and "Traceback" not in missing.stderr
    (tmp_path / "q.jsonl").write_text('{"id": "a", "question": "x"}\n{"id": "b"}\n', encoding="utf-8")
    broken = rag("ask", "--batch", str(tmp_path / "q.jsonl"), "--out", str(tmp_path / "a.jsonl"))
    assert broken.returncode == 2 and "q.jsonl:2" in broken.stderr and "question" in broken.stderr
