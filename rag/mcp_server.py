"""The tools of `rag.tools` for agents, by the Model Context Protocol: over HTTP beside the page, or over stdio.

The protocol's own server is used, not Gradio's: that one names tools after the Space, gives results as text without a schema,
and calls itself by HTTP for each.
"""

import json
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import anyio
from starlette.types import Receive, Scope, Send

from rag import __version__, tools
from rag.errors import JiphyeonError

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server
    from mcp_types import CallToolResult

    from rag.pipeline import Pipeline

CONCURRENT = 8  # calls answered at once
MAX_BODY = 1_000_000  # bytes: a long history fits, a document does not
INSTRUCTIONS = (
    "Answers on AI governance in Korean and English, quoted word for word from a corpus, each quote with its place. "
    "`ask` answers, `search` finds passages, `document` gives the text they stand in."
)


def make_server(pipeline: Callable[[], "Pipeline"]) -> "Server[Any]":
    """A server of the three tools and nothing else. `pipeline` is called in a worker thread and may wait."""
    from mcp.server.lowlevel import Server
    from mcp_types import CallToolResult, ListToolsResult, TextContent, Tool, ToolAnnotations

    reads = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
    offered = [
        Tool(
            name=name,
            description=tool.description,
            input_schema=tool.input_schema,
            output_schema=tool.output_schema,
            annotations=reads,
        )
        for name, tool in tools.TOOLS.items()
    ]
    at_once = anyio.CapacityLimiter(CONCURRENT)

    async def list_tools(context: object, asked: object) -> ListToolsResult:
        return ListToolsResult(tools=offered)

    async def call_tool(context: object, asked: Any) -> "CallToolResult":
        try:
            given = await anyio.to_thread.run_sync(tools.call, pipeline, asked.name, asked.arguments or {}, limiter=at_once)
        except JiphyeonError as error:  # a door: the message says how to mend it
            return CallToolResult(content=[TextContent(text=str(error))], is_error=True)
        # The text is for clients that do not read structured content.
        text = TextContent(text=json.dumps(given, ensure_ascii=False))
        return CallToolResult(content=[text], structured_content=given)

    return Server(
        "jiphyeon",
        title="집현 Jiphyeon",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


class OverHttp:
    """The server as an ASGI application that answers each request for itself. The protocol is imported with the first one."""

    def __init__(self, pipeline: Callable[[], "Pipeline"]) -> None:
        self._server = cache(partial(make_server, pipeline))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        server = await anyio.to_thread.run_sync(self._server)
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        # A manager runs once; without sessions it has nothing to keep from one request to the next.
        manager = StreamableHTTPSessionManager(server, json_response=True, stateless=True, max_request_body_size=MAX_BODY)
        async with manager.run():
            await manager.handle_request(scope, receive, send)


def over_stdio(pipeline: Callable[[], "Pipeline"]) -> None:
    """Serve on standard input and output until the input ends."""
    from mcp.server.stdio import stdio_server

    server = make_server(pipeline)

    async def serve() -> None:
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    anyio.run(serve)
