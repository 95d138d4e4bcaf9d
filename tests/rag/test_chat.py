"""rag/chat.py: opening models by name, what is wrong when that fails, and the limits."""

import json
import logging
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage

import rag.__main__
from rag.answer.generate import ABSTENTION
from rag.chat import PROVIDERS, open_chat, open_chats, words
from rag.config import PROJECT, Settings
from rag.errors import ChatModelError
from rag.pipeline import Pipeline
from tests.scripted_model import Reply, scripted

KEY = "sk-secret-0123456789"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for _, keys in PROVIDERS.values():
        for key in keys:
            monkeypatch.delenv(key, raising=False)


def test_no_name_is_no_model() -> None:
    assert open_chat(Settings()) is None and open_chats(Settings()) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("openai:model", "OPENAI_API_KEY is not set"),
        ("anthropic:model", "ANTHROPIC_API_KEY is not set"),
        ("google_genai:model", "GOOGLE_API_KEY or GEMINI_API_KEY is not set"),
        ("mistralai:large", "langchain-mistralai"),
        ("nonsense:model", "PROVIDER:MODEL"),
        ("nonsense", "PROVIDER:MODEL"),
    ],
)
def test_what_is_missing_is_said_with_how_to_mend_it(
    name: str, said: str, pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(chat_model=name)
    with pytest.raises(ChatModelError, match=name) as caught:
        open_chat(settings)
    assert said in str(caught.value)
    [chat] = open_chats(settings)
    assert said in caplog.text and chat.model is None
    answer = Pipeline(pipeline.index, pipeline.embedder, chats=[chat]).invoke({"question": "Who controls OpenAI?"})
    assert answer.citations and answer.mode == "extractive" and f"{name} is not available" in answer.notice


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setitem(sys.modules, "langchain.chat_models", None)
    with pytest.raises(ChatModelError, match=r'pip install "\.\[openai\]"'):
        open_chat(Settings(chat_model="openai:gpt-5.2"))


def test_every_provider_named_has_its_extra() -> None:
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert {extra for extra, _ in PROVIDERS.values()} <= extras.keys()


@pytest.mark.parametrize(
    ("status", "hint"), [(401, "does not accept the key"), (404, "no such model"), (429, "rate limit"), (503, "503")]
)
def test_a_key_is_sent_and_never_told(
    status: int, hint: str, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level(logging.INFO)
    with scripted(Reply(status=status, error=f"Incorrect API key provided: {KEY}")) as server:
        chats = open_chats(server.settings())
        answer = Pipeline(pipeline.index, pipeline.embedder, chats=chats).invoke({"question": "Who controls OpenAI?"})
        assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert hint in caplog.text
    assert KEY not in caplog.text + str(answer) + str(chats) + server.settings().model_dump_json()


def test_calls_are_limited_for_all_together() -> None:
    with scripted("word") as server:
        chats = open_chats(server.settings(chat_model="openai:one,openai:two", chat_per_minute=1))
        message = [HumanMessage("?")]
        assert "".join(words(chats[0], message)) == "".join(words(chats[1], message)) == "word"
        with pytest.raises(ChatModelError) as caught:
            list(words(chats[0], message))
        assert caught.value.reason == "limited" and len(server.requests) == 2


def test_a_model_of_ones_own_may_be_given() -> None:
    with scripted("word") as server:
        [chat] = open_chats(Settings(), open_chat(server.settings()))
        assert chat.name == "scripted" and "".join(words(chat, [HumanMessage("?")])) == "word"


def test_names_with_commas_between_are_choices() -> None:
    assert Settings(chat_model=" openai:a, ollama:b:8b ,openai:a,").chat_models == ("openai:a", "ollama:b:8b")


def test_the_command_line_takes_any_model(index_dir: Path) -> None:
    command = [sys.executable, "-m", "rag", "ask", "Who controls OpenAI?", "--index", str(index_dir), "--model", "openai:other"]
    with scripted(ABSTENTION["en"]) as server:
        environment = os.environ | {"JIPHYEON_CHAT_MODEL": "openai:default", "JIPHYEON_CHAT_BASE_URL": server.url}
        done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=120)
        assert [request["model"] for request in server.requests] == ["other"]
    assert done.returncode == 0 and "openai:other found no answer" in done.stderr and "found no answer" not in done.stdout


def test_the_command_line_takes_none(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[Settings] = []

    def open_it(settings: Settings) -> Pipeline:
        opened.append(settings)
        return pipeline

    monkeypatch.setenv("JIPHYEON_CHAT_MODEL", "openai:default")
    monkeypatch.setattr(rag.__main__, "open_pipeline", open_it)
    rag.__main__.ask("Who controls OpenAI?", json_output=True, model="none")
    assert opened[0].chat_models == () and json.loads(capsys.readouterr().out)["notice"] == ""
