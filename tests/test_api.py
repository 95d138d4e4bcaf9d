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
from mcp import ClientSession, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from rag.config import PROJECT
from rag.pipeline import Pipeline

KOREAN, ENGLISH = "왜 머스크는 소송을 냈나?", "Which practices does Article 5 ban?"
TOOLS = ["search", "ask", "document"]


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


def over_mcp(address: str, use: Callable[[ClientSession], Awaitable[None]]) -> None:
    async def run() -> None:
        async with streamable_http_client(f"{address}mcp") as (read, write, _), ClientSession(read, write) as client:
            await use(client)

    asyncio.run(run())


def test_exactly_three_tools_with_their_schemas(address: str) -> None:
    async def use(client: ClientSession) -> None:
        offered = (await client.initialize()).capabilities
        listed = (await client.list_tools()).tools
        assert [tool.name for tool in listed] == TOOLS
        for tool in listed:
            assert tool.description and tool.annotations and tool.annotations.readOnlyHint
            assert tool.inputSchema["required"] and tool.outputSchema and tool.outputSchema["properties"]
        assert offered.tools and not offered.resources and not offered.prompts

    over_mcp(address, use)


@pytest.mark.parametrize("question", [KOREAN, ENGLISH])
def test_each_tool(address: str, pipeline: Pipeline, question: str) -> None:
    """The client itself checks what comes back against the tool's schema."""

    async def use(client: ClientSession) -> None:
        await client.initialize()
        answer = await call(client, "ask", question=question)
        assert answer["citations"] == pipeline.invoke({"question": question}).to_json()["citations"]
        cited = answer["citations"][0]
        found = await call(client, "search", query=question, limit=2)
        assert [passage["rank"] for passage in found["passages"]] == [1, 2]
        assert found["passages"][0]["document_id"] == cited["document_id"]
        part = await call(client, "document", id=cited["document_id"], start=cited["start"], end=cited["end"])
        assert part["text"] == cited["quote"]

    over_mcp(address, use)


async def call(client: ClientSession, name: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(name, arguments)
    assert not result.isError, result.content
    assert result.structuredContent is not None
    given: dict[str, Any] = result.structuredContent
    return given


def test_bad_input_by_mcp(address: str) -> None:
    asked: list[tuple[str, dict[str, Any], str]] = [
        ("ask", {"question": " "}, "비어"),
        ("ask", {"query": "?"}, "It takes: question"),
        ("search", {"query": "AI", "limit": 0}, "limit"),
        ("document", {"id": "nowhere"}, "`search` gives the ids"),
        ("converse", {}, "search, ask, document"),
    ]

    async def use(client: ClientSession) -> None:
        await client.initialize()
        for name, arguments, said in asked:
            result = await client.call_tool(name, arguments)
            assert result.isError and said in str(result.content[0])

    over_mcp(address, use)


def test_calls_at_the_same_time_by_mcp(address: str) -> None:
    questions = {KOREAN: "musk-v-openai-ko", ENGLISH: "eu-ai-act-prohibited-en"}

    async def use(client: ClientSession) -> None:
        await client.initialize()
        asked = [*questions] * 6
        answers = await asyncio.gather(*(call(client, "ask", question=question) for question in asked))
        assert [answer["question"] for answer in answers] == asked
        assert [answer["citations"][0]["document_id"] for answer in answers] == [questions[question] for question in asked]

    over_mcp(address, use)


def test_there_is_no_stream_to_hold_open(address: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(f"{address}mcp", timeout=20)
    raised.value.close()
    assert raised.value.code == 405


def test_mcp_over_stdio(index_dir: Path) -> None:
    server = StdioServerParameters(command=sys.executable, args=["-m", "rag", "mcp", "--index", str(index_dir)], cwd=PROJECT)

    async def run() -> None:
        async with stdio_client(server) as (read, write), ClientSession(read, write) as client:
            await client.initialize()
            assert [tool.name for tool in (await client.list_tools()).tools] == TOOLS
            answer = await call(client, "ask", question=KOREAN)
            assert answer["citations"][0]["document_id"] == "musk-v-openai-ko"

    asyncio.run(run())
