"""The page: what `python app.py` and a Hugging Face Space run. Importing this loads no model."""

import gc

gc.disable()  # importing gradio allocates a million objects that stay: collecting them took 1 s of its 3
import logging  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from typing import TYPE_CHECKING  # noqa: E402

sys.modules.setdefault("mcp", None)  # type: ignore[arg-type]  # gradio would import it, for 0.4 s; rag.mcp_server does later

from rag.config import Settings  # noqa: E402
from rag.types import Document  # noqa: E402
from rag.ui.handlers import Opening, Progress  # noqa: E402
from rag.ui.page import make_page, serve  # noqa: E402
from rag.ui.uploads import Ingest  # noqa: E402

if sys.modules["mcp"] is None:
    del sys.modules["mcp"]
gc.enable()

if TYPE_CHECKING:
    from rag.index import Index
    from rag.pipeline import Pipeline

logger = logging.getLogger(__name__)
settings = Settings()


def open_pipeline(progress: Progress) -> "Pipeline":
    """The pipeline, over an index that is built first where there is none or the corpus has changed."""
    from ingest.build import build
    from rag.chat import open_chats
    from rag.embed import load_embedder
    from rag.errors import JiphyeonError
    from rag.index import current_build, open_index
    from rag.pipeline import Pipeline, warm

    warming = threading.Thread(target=warm)  # a second or two, beside the model's
    warming.start()
    embedder = load_embedder(settings)
    try:
        for refused in build(settings, embedder, progress).refused:
            logger.warning("Not in the index: %s", refused)
    except JiphyeonError as error:
        if current_build(settings.index) is None:
            raise
        logger.warning("The index could not be brought up to date, the old one answers: %s", error)
    index = open_index(settings.index, embedder.name)
    warming.join()
    return Pipeline(index, embedder, settings.passages, open_chats(settings))


def own_documents() -> Ingest:
    """How the page reads and indexes a visitor's own documents."""
    from ingest.load import SUFFIXES, load_file

    def index(documents: Sequence[Document], pipeline: "Pipeline", before: "Index | None", progress: Progress) -> "Index":
        from ingest.own import own_index

        return own_index(documents, pipeline.index, pipeline.embedder, settings.chunk_tokens, before, progress)

    return Ingest(
        read=lambda path: load_file(path, settings.max_file_bytes),
        index=index,
        suffixes=[suffix for suffix in SUFFIXES if suffix != ".jsonl"],  # many documents in one
        characters=settings.own_characters,
    )


opening = Opening(open_pipeline)
demo = make_page(opening, settings.chat_models, own_documents() if settings.own_characters else None, settings.feedback)

if __name__ == "__main__":
    serve(demo, settings.port, opening)
