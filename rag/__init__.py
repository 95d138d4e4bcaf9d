"""Answers in Korean and English, each statement quoted from a corpus with its place."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from rag.config import Settings
    from rag.embed import Embedder
    from rag.pipeline import Pipeline

__version__ = "0.1.0"
__all__ = ["open_pipeline"]


def open_pipeline(
    settings: "Settings | None" = None, embedder: "Embedder | None" = None, chat: "BaseChatModel | None" = None
) -> "Pipeline":
    """The Runnable that turns a question (and history) into an `Answer`. See `rag.pipeline`."""
    from rag import pipeline  # imports Chroma and the model's runtime: seconds that `import rag` must not cost

    return pipeline.open_pipeline(settings, embedder, chat)
