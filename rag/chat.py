"""Chat models: which there are, opened through LangChain, and their words as they come, within limits."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from rag.config import is_set
from rag.errors import ChatModelError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage
    from langchain_core.rate_limiters import BaseRateLimiter

    from rag.config import Settings

logger = logging.getLogger(__name__)

QUOTES = "none"  # the choice of quotes alone, among the names of models

# Of each provider that has an extra: the extra's name, and the variables of which one must hold a key.
PROVIDERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "openai": ("openai", ("OPENAI_API_KEY",)),
    "anthropic": ("anthropic", ("ANTHROPIC_API_KEY",)),
    "google_genai": ("google", ("GOOGLE_API_KEY", "GEMINI_API_KEY")),
    "ollama": ("ollama", ()),
    "huggingface": ("huggingface", ("HF_TOKEN", "HUGGINGFACEHUB_API_TOKEN")),
}
HINTS = {
    400: "it may take fewer tokens than JIPHYEON_CHAT_TOKENS and the rules need",
    401: "the provider does not accept the key in the environment",
    403: "the provider does not accept the key in the environment",
    404: "the provider, or the address in JIPHYEON_CHAT_BASE_URL, has no such model",
    429: "the provider's rate limit or credit is used up; JIPHYEON_CHAT_PER_MINUTE keeps calls under it",
}


@dataclass(frozen=True, kw_only=True)
class Chat:
    """A chat model with the limits that its deployer set."""

    name: str
    model: "BaseChatModel | None"  # None: it could not be opened, the log says why
    passage_tokens: int  # of cl100k_base
    silence: float  # seconds
    seconds: float
    limiter: "BaseRateLimiter"  # shared by all models


def open_chats(settings: "Settings", model: "BaseChatModel | None" = None) -> list[Chat]:
    """The chat models that the settings name, the default first; or the one given. One that cannot be opened is logged."""
    from langchain_core.rate_limiters import InMemoryRateLimiter

    burst = max(2.0, settings.chat_per_minute / 6)  # a follow-up takes two calls
    limiter = InMemoryRateLimiter(requests_per_second=settings.chat_per_minute / 60, max_bucket_size=burst)
    limiter.available_tokens = burst  # it would begin empty, and turn the first asker away
    named = [(_name_of(model), model)] if model else [(name, _opened(settings, name)) for name in settings.chat_models]
    return [
        Chat(
            name=name,
            model=model,
            passage_tokens=settings.chat_tokens,
            silence=settings.chat_silence,
            seconds=settings.chat_seconds,
            limiter=limiter,
        )
        for name, model in named
    ]


def open_chat(settings: "Settings", name: str = "") -> "BaseChatModel | None":
    """The chat model called `name`, PROVIDER:MODEL as `init_chat_model` takes it, or the settings' first; None if they name none.

    Raises ChatModelError if its package or key is missing or there is no such provider. No call is made yet.
    """
    name = name or next(iter(settings.chat_models), "")
    if not name:
        return None
    provider, _, model = name.partition(":")
    extra, keys = PROVIDERS.get(provider, ("", ()))
    keyless = bool(provider == "openai" and settings.chat_base_url) or (provider == "huggingface" and Path(model).is_dir())
    if keys and not keyless and not is_set(*keys):
        raise ChatModelError(
            f"The chat model {name!r} needs a key, and {' or '.join(keys)} is not set. Set it in the environment of this process "
            "(on a Space: as a secret)"
            + ("; for a server of your own set JIPHYEON_CHAT_BASE_URL." if provider == "openai" else "."),
            "closed",
        )
    try:
        from langchain.chat_models import init_chat_model

        opened: BaseChatModel = init_chat_model(name, **_arguments(settings, provider, model))
    except ImportError as error:
        wanted = f'".[{extra}]" in the folder of this project' if extra else f"langchain langchain-{provider}"
        raise ChatModelError(
            f"The chat model {name!r} needs a package that is not installed: python -m pip install {wanted}",
            "closed",
        ) from error
    except Exception as error:  # a door: each provider's package raises what it likes
        what = next(iter(str(error).splitlines()), "")
        raise ChatModelError(
            f"The chat model {name!r} cannot be opened ({type(error).__name__}: {what}). "
            "JIPHYEON_CHAT_MODEL takes PROVIDER:MODEL, as in openai:gpt-5.2 or ollama:qwen3:8b.",
            "closed",
        ) from error
    return opened


def words(chat: Chat, messages: "Sequence[BaseMessage]", seconds: float | None = None) -> Iterator[str]:
    """What the model writes, as it comes; it is read in a thread, since a provider's own limits begin anew with every byte.

    Raises ChatModelError when the model is closed, over the deployer's rate, silent or writing for too long, or fails.
    """
    if chat.model is None:
        raise ChatModelError(f"The chat model {chat.name!r} could not be opened when this started.", "closed")
    if not chat.limiter.acquire(blocking=False):
        raise ChatModelError(f"More calls a minute than JIPHYEON_CHAT_PER_MINUTE allows: {chat.name!r} is not called.", "limited")
    pieces: SimpleQueue[str | ChatModelError | None] = SimpleQueue()
    stopped = threading.Event()
    threading.Thread(target=_read, args=(chat, messages, pieces, stopped), daemon=True, name="chat model").start()
    deadline = time.monotonic() + (seconds or chat.seconds)
    try:
        while (left := deadline - time.monotonic()) > 0:
            try:
                piece = pieces.get(timeout=min(left, chat.silence))
            except Empty:
                break
            if piece is None:
                return
            if isinstance(piece, ChatModelError):
                raise piece
            yield piece
        raise ChatModelError(f"The chat model {chat.name!r} was silent, or wrote, for too long.", "slow")
    finally:
        stopped.set()


def _read(
    chat: Chat, messages: "Sequence[BaseMessage]", pieces: "SimpleQueue[str | ChatModelError | None]", stopped: threading.Event
) -> None:
    assert chat.model
    try:
        for chunk in chat.model.stream(list(messages)):
            if stopped.is_set():  # leaving the loop closes the connection
                return
            pieces.put(str(chunk.text))
        pieces.put(None)
    except Exception as error:  # noqa: BLE001 - a door: providers share no class of errors, and no asker must wait for a dead thread
        status = getattr(error, "status_code", None) or getattr(error, "code", None)
        # Not the message: some providers repeat a part of the key in it.
        known = f"{type(error).__name__}, status {status}" if isinstance(status, int) else type(error).__name__
        hint = f": {HINTS[status]}" if status in HINTS else ""
        failed = f"The chat model {chat.name!r} failed ({known}){hint}"
        logger.log(logging.DEBUG if stopped.is_set() else logging.WARNING, "%s", failed)
        pieces.put(ChatModelError(failed, "limited" if status == 429 else "failed"))


def _opened(settings: "Settings", name: str) -> "BaseChatModel | None":
    try:
        return open_chat(settings, name)
    except ChatModelError as error:
        logger.warning("%s Answers are quotes without it.", error)
        return None


def _arguments(settings: "Settings", provider: str, model: str) -> dict[str, Any]:
    """What `init_chat_model` is given for a provider. No retries: the quotes are there at once."""
    timeout = settings.chat_silence + 5  # ends the thread that reads, after its asker was told
    match provider:
        case "ollama":  # its own default would silently cut the passages off
            return {"num_ctx": settings.chat_tokens + 2000, "client_kwargs": {"timeout": timeout}}
        case "huggingface":  # from the hub's servers, unless the weights are in a folder here
            return {} if Path(model).is_dir() else {"backend": "endpoint", "timeout": timeout}
        case "openai" if settings.chat_base_url:
            own = {} if is_set("OPENAI_API_KEY") else {"api_key": "none"}
            return {"base_url": settings.chat_base_url, "timeout": timeout, "max_retries": 0, **own}
        case _:
            return {"timeout": timeout, "max_retries": 0}


def _name_of(model: "BaseChatModel") -> str:
    return str(getattr(model, "model_name", None) or getattr(model, "model", None) or type(model).__name__)
