"""What several rooms' tests share: the real embedder, one real index of the project's corpus, a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from ingest.build import build
from rag.config import PROJECT, Settings
from rag.embed import Embedder, load_embedder
from rag.pipeline import Pipeline, open_pipeline
from tests.browser import launched, served
from tests.small_model import small_model


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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, anew in each module: while it runs, no test can run an event loop of its own."""
    with sync_playwright() as playwright:
        browser = launched(playwright.chromium)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(index_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where one `python app.py` serves, for all modules that look at the page."""
    with served(tmp_path_factory.mktemp("server") / "log", index=str(index_dir)) as url:
        yield url


@pytest.fixture(scope="session")
def small_model_url() -> Iterator[str]:
    """Where a real small chat model answers, in a process of its own."""
    with small_model() as url:
        yield url
