"""What the tests in a real browser share: a real process that serves the page, and a visitor's steps on it."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserType, Locator, Page, expect

from rag.config import PROJECT
from rag.ui.strings import EXAMPLES

KOREAN, ENGLISH = "왜 머스크는 소송을 냈나?", "Which practices does Article 5 ban?"
REFUSED = EXAMPLES["ko"][-1].question
SECONDS = 1000
expect.set_options(timeout=60 * SECONDS)  # other work may share the cores; Playwright gives up after five


FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def launched(chromium: BrowserType, *flags: str, **environment: str) -> Browser:
    """The machine's Chromium, with further flags and variables. Fails where there is none."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.fail("No browser: the page is tested in Chromium. Install one, for example: apt-get install chromium")
    return chromium.launch(executable_path=path, args=[*FLAGS, *flags], env=dict(os.environ | environment))


@contextmanager
def served(log: Path, *script: str, **settings: str) -> Iterator[str]:
    """Where `python app.py`, or another script, serves, from the moment that it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = (
        os.environ | {f"JIPHYEON_{name.upper()}": value for name, value in settings.items()} | {"JIPHYEON_PORT": str(port)}
    )
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, *(script or ("app.py",))], cwd=PROJECT, env=environment, stdout=out, stderr=out
        )
    url = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except OSError:
                assert server.poll() is None, log.read_text()
                time.sleep(0.25)
        yield url
    finally:
        server.terminate()
        server.wait(20)
    assert "Traceback" not in log.read_text()


def ask(page: Page, question: str) -> Locator:
    """Type the question, send it with Enter, wait for the complete answer."""
    before = page.locator("#chat .bot-row").count()
    page.locator("#question textarea").press_sequentially(question, delay=5)
    page.keyboard.press("Enter")
    answer = page.locator("#chat .bot-row").nth(before)
    expect(answer.locator(".footer, .refusal")).to_be_visible(timeout=60 * SECONDS)
    return answer


def flat(text: str) -> str:
    return re.sub(r"[\s-]+", " ", text).strip()


def marked(page: Page) -> str:
    return flat(" ".join(page.locator("#evidence .text mark.quote.current").all_text_contents()))


def expect_marked(page: Page, quote: str) -> None:
    expect(page.locator("#evidence mark.quote.current").first).to_be_visible()
    for _ in range(40):
        if marked(page) == flat(quote):
            return
        page.wait_for_timeout(50)
    assert marked(page) == flat(quote)
