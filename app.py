"""The page: what `python app.py` and a Hugging Face Space run. Importing this loads no model."""

import logging
from typing import TYPE_CHECKING

from rag.config import Settings
from rag.ui.handlers import Opening, Progress
from rag.ui.page import make_page, serve

if TYPE_CHECKING:
    from rag.pipeline import Pipeline

settings = Settings()


def open_pipeline(progress: Progress) -> "Pipeline":
    """The pipeline, over an index that is built first where there is none or the corpus has changed."""
    from ingest.build import build
    from rag.embed import load_embedder
    from rag.errors import JiphyeonError
    from rag.index import current_build
    from rag.pipeline import open_pipeline as opened

    try:
        build(settings, load_embedder(settings), progress)
    except JiphyeonError as error:
        if current_build(settings.index) is None:
            raise
        logging.getLogger(__name__).warning("The index could not be brought up to date, the old one answers: %s", error)
    return opened(settings)


opening = Opening(open_pipeline)
demo = make_page(opening)

if __name__ == "__main__":
    serve(demo, settings.port, opening)
