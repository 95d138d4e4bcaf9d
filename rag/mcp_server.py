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
    from mcp.types import CallToolResult, TextContent, Tool, ToolAnnotations

    server: Server[Any] = Server("jiphyeon", version=__version__, instructions=INSTRUCTIONS)
    reads = ToolAnnotations(readOnlyHint=True, idempotentHint=True, openWorldHint=False)
    at_once = anyio.CapacityLimiter(CONCURRENT)

    @server.list_tools()  # type: ignore[no-untyped-call, untyped-decorator]
    async def list_tools() -> list[Tool]:
        return [
            Tool(
                name=name,
                description=tool.description,
                inputSchema=tool.input_schema,
                outputSchema=tool.output_schema,
                annotations=reads,
            )
            for name, tool in tools.TOOLS.items()
        ]

    @server.call_tool(validate_input=False)  # type: ignore[untyped-decorator]  # ours says how to mend it
    async def call_tool(name: str, arguments: dict[str, Any]) -> CallToolResult:
        try:
            given = await anyio.to_thread.run_sync(tools.call, pipeline, name, arguments, limiter=at_once)
        except JiphyeonError as error:  # a door
            return CallToolResult(content=[TextContent(type="text", text=str(error))], isError=True)
        # The text is for clients that do not read structured content.
        text = TextContent(type="text", text=json.dumps(given, ensure_ascii=False))
        return CallToolResult(content=[text], structuredContent=given)

    return server


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
