"""A server that speaks as an OpenAI-compatible chat model and says what a test tells it to, streamed over a real connection."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rag.config import Settings

Request = dict[str, Any]  # the body of a call to /chat/completions


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One reply. `stalls`, `cuts` and `closes` count the pieces that are sent before it happens."""

    text: str = ""
    size: int = 5  # characters of a piece
    status: int = 200
    error: str = "scripted"
    stalls: int | None = None  # says nothing more, and keeps the connection
    cuts: int | None = None  # drops the connection
    closes: int | None = None  # ends as if all were said
    endless: bool = False  # says the text again and again
    pause: float = 0.0  # seconds before each piece

    def pieces(self) -> Iterator[str]:
        while True:
            yield from (self.text[at : at + self.size] for at in range(0, len(self.text), self.size))
            if not self.endless:
                return


Script = Callable[[Request], Reply]


@dataclass
class Scripted:
    """A running server: where it is, and what it was asked."""

    url: str
    requests: list[Request] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def settings(self, **others: Any) -> Settings:
        """Settings whose chat model is this server."""
        own: dict[str, Any] = {"chat_model": "openai:scripted", "chat_base_url": self.url, "chat_silence": 5, "chat_seconds": 20}
        return Settings(**own | others)


def prompt(request: Request) -> str:
    """Everything that the model is given."""
    return "\n".join(str(message["content"]) for message in request["messages"])


def passage_with(request: Request, words: str) -> int:
    """The number of the first passage that holds the words."""
    for number, text in re.findall(r"<passage (\d+) \w+>\n(.*?)\n</passage", prompt(request), re.DOTALL):
        if words in text:
            return int(number)
    raise AssertionError(f"No passage holds {words!r}")


@contextmanager
def scripted(script: Script | Reply | str) -> Iterator[Scripted]:
    """A server on a free port of loopback that replies by the script, or always the same."""
    if isinstance(script, str):
        script = Reply(text=script)
    reply_to: Script = (lambda request: script) if isinstance(script, Reply) else script

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.headers.append(dict(self.headers))
            state.requests.append(request)
            reply = reply_to(request)
            try:
                self._send(reply, bool(request.get("stream")))
            except OSError:  # who asked has left
                self.close_connection = True

        def _send(self, reply: Reply, streams: bool) -> None:
            if reply.status != 200:
                body = json.dumps({"error": {"message": reply.error, "type": "scripted"}}).encode()
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return
            if not streams:
                self._whole(reply.text)
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self._event({"role": "assistant", "content": ""}, None)
            for number, piece in enumerate(reply.pieces()):
                if number == reply.stalls:
                    state.stopped.wait(30)
                if number == reply.cuts:
                    self.close_connection = True
                    return  # without the last chunk: the client sees a broken body
                if number == reply.closes or state.stopped.wait(reply.pause):
                    break
                self._event({"content": piece}, None)
            if reply.closes is None:
                self._event({}, "stop")
                self._chunk("data: [DONE]\n\n")
            self.wfile.write(b"0\r\n\r\n")

        def _whole(self, text: str) -> None:
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            said = {"id": "1", "object": "chat.completion", "created": 1, "model": "scripted", "choices": [choice]}
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _event(self, delta: dict[str, str], finish: str | None) -> None:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "scripted", "choices": [choice]}
            self._chunk(f"data: {json.dumps(event, ensure_ascii=False)}\n\n")

        def _chunk(self, text: str) -> None:
            encoded = text.encode()
            self.wfile.write(f"{len(encoded):x}\r\n".encode() + encoded + b"\r\n")
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state = Scripted(url=f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
