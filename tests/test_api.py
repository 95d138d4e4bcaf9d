"""What other programs reach: a real server process, Gradio's client, and the protocol's own client over HTTP and stdio."""

import asyncio
import sys
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from mcp import Client as McpClient
from mcp import StdioServerParameters

from rag.config import PROJECT
from rag.pipeline import Pipeline

KOREAN, ENGLISH = "왜 머스크는 소송을 냈나?", "Which practices does Article 5 ban?"
TOOLS = ["search", "ask", "document"]
MODES = ["auto", "legacy"]  # the protocol of 2026, and the one with a handshake before it


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Client]:
    client = Client(address, verbose=False)
    yield client
    client.close()


def test_exactly_three_endpoints_with_their_types(client: Client) -> None:
    api = client.view_api(return_format="dict")
    assert list(api["named_endpoints"]) == [f"/{name}" for name in TOOLS] and api["unnamed_endpoints"] == {}
    search = api["named_endpoints"]["/search"]
    assert [parameter["parameter_name"] for parameter in search["parameters"]] == ["query", "limit", "language"]
    assert set(search["returns"][0]["type"]["properties"]) == {"query", "passages", "index"}
    assert all("\n" in endpoint["description"] for endpoint in api["named_endpoints"].values())


@pytest.mark.parametrize("question", [KOREAN, ENGLISH])
def test_each_endpoint(client: Client, pipeline: Pipeline, question: str) -> None:
    expected = pipeline.invoke({"question": question}).to_json()
    given = client.predict(question, api_name="/ask")
    assert given["citations"] == expected["citations"] and given["text"] == expected["text"]
    found = client.predict(question, 3, given["language"], api_name="/search")
    assert len(found["passages"]) == 3 and found["passages"][0]["document_id"] == given["citations"][0]["document_id"]
    cited = given["citations"][0]
    text = client.predict(cited["document_id"], api_name="/document")["text"]
    assert text[cited["start"] : cited["end"]] == cited["quote"]


def test_a_follow_up_by_the_api(client: Client) -> None:
    assert client.predict("그럼 언제?", [{"role": "user", "content": KOREAN}], api_name="/ask")["language"] == "ko"


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("ask", (" ",), "empty"),
        ("ask", (KOREAN, [{"role": "king", "content": "?"}]), "history.0.role"),
        ("search", ("AI", 500), "limit"),
        ("search", ("AI", 3, "fr"), "language"),
        ("document", ("nowhere",), "'nowhere'"),
    ],
)
def test_bad_input_by_the_api(client: Client, name: str, arguments: tuple[Any, ...], said: str) -> None:
    with pytest.raises(AppError, match=said):
        client.predict(*arguments, api_name=f"/{name}")


def over_mcp(address: str, mode: str, use: Callable[[McpClient], Awaitable[None]]) -> None:
    async def run() -> None:
        async with McpClient(f"{address}mcp", mode=mode) as client:
            await use(client)

    asyncio.run(run())


@pytest.mark.parametrize("mode", MODES)
def test_exactly_three_tools_with_their_schemas(address: str, mode: str) -> None:
    async def use(client: McpClient) -> None:
        listed = (await client.list_tools()).tools
        assert [tool.name for tool in listed] == TOOLS
        for tool in listed:
            assert tool.description and tool.annotations and tool.annotations.read_only_hint
            assert tool.input_schema["required"] and tool.output_schema and tool.output_schema["properties"]
        offered = client.server_capabilities
        assert offered.tools and not offered.resources and not offered.prompts

    over_mcp(address, mode, use)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("question", [KOREAN, ENGLISH])
def test_each_tool(address: str, pipeline: Pipeline, mode: str, question: str) -> None:
    """The client itself checks what comes back against the tool's schema."""

    async def use(client: McpClient) -> None:
        await client.list_tools()
        answer = await call(client, "ask", question=question)
        assert answer["citations"] == pipeline.invoke({"question": question}).to_json()["citations"]
        cited = answer["citations"][0]
        found = await call(client, "search", query=question, limit=2)
        assert [passage["rank"] for passage in found["passages"]] == [1, 2]
        assert found["passages"][0]["document_id"] == cited["document_id"]
        part = await call(client, "document", id=cited["document_id"], start=cited["start"], end=cited["end"])
        assert part["text"] == cited["quote"]

    over_mcp(address, mode, use)


async def call(client: McpClient, name: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(name, arguments)
    assert not result.is_error, result.content
    given: dict[str, Any] = result.structured_content
    return given


def test_bad_input_by_mcp(address: str) -> None:
    asked: list[tuple[str, dict[str, Any], str]] = [
        ("ask", {"question": " "}, "비어"),
        ("ask", {"query": "?"}, "It takes: question"),
        ("search", {"query": "AI", "limit": 0}, "limit"),
        ("document", {"id": "nowhere"}, "`search` gives the ids"),
        ("converse", {}, "search, ask, document"),
    ]

    async def use(client: McpClient) -> None:
        for name, arguments, said in asked:
            result = await client.call_tool(name, arguments)
            assert result.is_error and said in str(result.content[0])

    over_mcp(address, "auto", use)


def test_calls_at_the_same_time_by_mcp(address: str) -> None:
    questions = {KOREAN: "musk-v-openai-ko", ENGLISH: "eu-ai-act-prohibited-en"}

    async def use(client: McpClient) -> None:
        asked = [*questions] * 6
        answers = await asyncio.gather(*(call(client, "ask", question=question) for question in asked))
        assert [answer["question"] for answer in answers] == asked
        assert [answer["citations"][0]["document_id"] for answer in answers] == [questions[question] for question in asked]

    over_mcp(address, "auto", use)


def test_there_is_no_stream_to_hold_open(address: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(f"{address}mcp", timeout=20)
    raised.value.close()
    assert raised.value.code == 405


def test_mcp_over_stdio(index_dir: Path) -> None:
    server = StdioServerParameters(command=sys.executable, args=["-m", "rag", "mcp", "--index", str(index_dir)], cwd=PROJECT)

    async def run() -> None:
        async with McpClient(server) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == TOOLS
            answer = await call(client, "ask", question=KOREAN)
            assert answer["citations"][0]["document_id"] == "musk-v-openai-ko"

    asyncio.run(run())
