"""Every knob, once. Only this module reads the environment."""

import os
import tempfile
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).resolve().parent.parent


def _user_cache() -> Path:
    """The user's cache folder, or one under the temporary folder where there is no home to write to."""
    base = os.environ.get("XDG_CACHE_HOME")
    home = Path(base) if base else Path.home() / ".cache"
    nearest = next(folder for folder in (home, *home.parents) if folder.exists())
    if os.access(nearest, os.W_OK):
        return home / "jiphyeon"
    return Path(tempfile.gettempdir()) / f"jiphyeon-{os.getuid()}"


def _default_index() -> Path:
    """`index/` beside the code; in the cache where the code's folder is read-only, as in some containers."""
    return PROJECT / "index" if os.access(PROJECT, os.W_OK) else _user_cache() / "index"


def is_set(*variables: str) -> bool:
    """Whether one of these variables has a value. Keys are read by their provider's package and by nothing here."""
    return any(os.environ.get(variable) for variable in variables)


def set_variable(variable: str, value: str) -> None:
    """Set what a package reads from the environment when it is used."""
    os.environ[variable] = value


def _port() -> int:
    """The port that the host gave us: PORT, then Gradio's own variable, then 7860."""
    return int(os.environ.get("PORT") or os.environ.get("GRADIO_SERVER_PORT") or 7860)


class Settings(BaseSettings):
    """Read from `JIPHYEON_*` variables; built at a door and passed down."""

    model_config = SettingsConfigDict(env_prefix="JIPHYEON_", extra="ignore")

    corpus: Path = PROJECT / "corpus"
    index: Path = Field(default_factory=_default_index)
    cache_dir: Path = Field(default_factory=_user_cache)
    embedding_model: str = "bundled"
    max_file_bytes: int = Field(default=10_000_000, gt=0)
    chunk_tokens: int = Field(default=400, ge=32, description="of cl100k_base")
    passages: int = Field(default=10, ge=1)
    chat_model: str = Field(default="", description="PROVIDER:MODEL; of several, with commas between, the page offers the choice")
    chat_base_url: str = Field(default="", description="an OpenAI-compatible address, for the models of the provider openai")
    chat_tokens: int = Field(default=6000, ge=500, description="of cl100k_base: passages that a chat model is given")
    chat_silence: float = Field(default=20, gt=0, description="seconds without a word after which a chat model is given up")
    chat_seconds: float = Field(default=90, gt=0, description="seconds that it may write")
    chat_per_minute: int = Field(default=60, gt=0, description="calls of chat models, from all askers")
    own_characters: int = Field(default=300_000, ge=0, description="that a visitor's own documents may hold; 0: none")
    feedback: Annotated[Path | None, BeforeValidator(lambda path: path or None)] = Field(
        default_factory=lambda known: known["cache_dir"] / "feedback.jsonl",
        description="file that judgements of answers are kept in; empty: none are asked for",
    )
    port: int = Field(default_factory=_port, ge=0, le=65535)

    @property
    def chat_models(self) -> tuple[str, ...]:
        """The names in `chat_model`, the default first."""
        return tuple(dict.fromkeys(name.strip() for name in self.chat_model.split(",") if name.strip()))
