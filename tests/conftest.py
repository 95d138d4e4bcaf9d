"""What several rooms' tests share: the real embedder and one real index of the project's corpus."""

from pathlib import Path

import pytest

from ingest.build import build
from rag.config import PROJECT, Settings
from rag.embed import Embedder, load_embedder
from rag.pipeline import Pipeline, open_pipeline


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return load_embedder(Settings())


@pytest.fixture(scope="session")
def index_dir(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of corpus/, built once."""
    folder = tmp_path_factory.mktemp("index")
    report = build(Settings(corpus=PROJECT / "corpus", index=folder), embedder)
    assert report.refused == []
    return folder


@pytest.fixture(scope="session")
def pipeline(index_dir: Path) -> Pipeline:
    return open_pipeline(Settings(index=index_dir))
