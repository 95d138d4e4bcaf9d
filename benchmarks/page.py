"""The page as a visitor feels it, in Chromium, served by a process of its own: python -m benchmarks.page [--questions 20] [--visitors 20]

From Enter to the first words of an answer and to its citations, with nobody else there and with visitors asking at once; what
the first load weighs; how long the process takes to start. The corpus is the settings' own and is indexed before the clock starts.
"""

import argparse
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from gradio_client import Client
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from rich.table import Table

from evals.questions import read_questions
from ingest.build import build
from rag.config import PROJECT, Settings
from rag.embed import load_embedder

FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update")
SECONDS = 1000  # milliseconds, as Chromium counts

# The page's own clock, of which Playwright's polling is no part. What is there is timed when it has been painted.
CLOCK = """() => {
  const clock = (window.clock = {});
  const mark = (name) => clock[name] ?? (clock[name] = 0, requestAnimationFrame(() => setTimeout(() => (clock[name] = performance.now()))));
  const look = () => {
    const box = document.querySelector("#question textarea");
    if (box && !box.disabled && window.jiphyeon) mark("usable");
    if (document.querySelector(".welcome .chip")) mark("welcome");
    const rows = document.querySelectorAll("#chat .bot-row");
    if (clock.begun === undefined || rows.length <= clock.rows) return;
    const row = rows[rows.length - 1];
    if (row.querySelector(".answer :is(p, blockquote)")?.textContent) mark("words");
    if (row.querySelector(".answer a.cite")) mark("citations");
    if (row.querySelector(".answer:not(.growing) :is(.footer, .refusal)")) mark("complete");
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true });
  addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    for (const name of ["words", "citations", "complete"]) delete clock[name];
    Object.assign(clock, { begun: performance.now(), rows: document.querySelectorAll("#chat .bot-row").length });
  }, true);
}"""


@contextmanager
def serving(settings: Settings, log: Path) -> Iterator[tuple[str, float]]:
    """Where `python app.py` serves, and when it was started; from the moment that it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {"PORT": str(port), "JIPHYEON_INDEX": str(settings.index), "JIPHYEON_CORPUS": str(settings.corpus)}
    begun = time.perf_counter()
    with log.open("wb") as out:
        server = subprocess.Popen(
            ["env", *(f"{name}={value}" for name, value in environment.items()), sys.executable, "app.py"],
            cwd=PROJECT,
            stdout=out,
            stderr=out,
        )
    url = f"http://127.0.0.1:{port}/"
    try:
        while True:
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except OSError:
                if server.poll() is not None or time.perf_counter() - begun > 120:
                    raise SystemExit(f"the page did not come up:\n{log.read_text()}") from None
                time.sleep(0.02)
        yield url, begun
    finally:
        server.terminate()
        server.wait(20)


def loaded(browser: Browser, url: str) -> tuple[Page, dict[str, float]]:
    """A page that was just opened with an empty cache, and what that took: ms, requests, bytes that went over the wire."""
    page = browser.new_context(viewport={"width": 1360, "height": 860}).new_page()
    weight = {"requests": 0.0, "bytes": 0.0}
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")

    def finished(event: dict[str, Any]) -> None:
        weight["requests"] += 1
        weight["bytes"] += event["encodedDataLength"]

    wire.on("Network.loadingFinished", finished)
    page.add_init_script(f"({CLOCK})()")
    page.goto(url)
    page.wait_for_function("clock.usable && clock.welcome", timeout=60 * SECONDS)
    page.wait_for_timeout(1000)  # what the page still fetches behind the input
    clock = page.evaluate("clock")
    return page, weight | {"usable": clock["usable"], "welcome": clock["welcome"]}


def asked(page: Page, question: str) -> dict[str, float]:
    """Milliseconds from Enter to the first words, the first citation that can be pressed, and the complete answer."""
    page.locator("#question textarea").fill(question)
    page.wait_for_timeout(100)  # Gradio takes the text in
    page.keyboard.press("Enter")
    page.wait_for_function("clock.complete && clock.words", timeout=60 * SECONDS)
    clock = page.evaluate("clock")
    return {name: clock[name] - clock["begun"] for name in ("words", "citations", "complete") if name in clock}


def crowd(url: str, questions: Sequence[str], visitors: int, meanwhile: Callable[[], Any]) -> tuple[list[float], list[str]]:
    """Milliseconds of the answers to as many visitors, who ask two questions each at the same time, and the errors they saw."""
    clients = [Client(url, verbose=False) for _ in range(visitors)]
    taken: list[float] = []
    errors: list[str] = []

    def visit(number: int) -> None:
        for question in (questions[number % len(questions)], questions[(number + 7) % len(questions)]):
            begun = time.perf_counter()
            try:
                clients[number].predict(question, api_name="/ask")
                taken.append(1000 * (time.perf_counter() - begun))
            except Exception as error:  # noqa: BLE001 - whatever a visitor meets is the finding
                errors.append(f"{type(error).__name__}: {error}")

    with ThreadPoolExecutor(visitors) as threads:
        visits = [threads.submit(visit, number) for number in range(visitors)]
        meanwhile()
        for done in visits:
            done.result()
    for client in clients:
        client.close()
    return taken, errors


def spread(values: Sequence[float]) -> str:
    """Median / 95th percentile."""
    return f"{np.median(values):.0f} / {np.percentile(values, 95):.0f}" if values else "none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=20)
    parser.add_argument("--visitors", type=int, default=20)
    arguments = parser.parse_args()
    settings = Settings()
    build(settings, load_embedder(settings))
    known = [q for q in read_questions(PROJECT / "evals/data/corpus/questions.jsonl") if q.split == "dev" and not q.history]
    half = arguments.questions // 2
    of_each = [[q.question for q in known if q.lang == language] for language in ("ko", "en")]
    questions = [question for group in of_each for question in group[:: max(1, len(group) // half)][:half]]
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

    table = Table("", "", title=f"{len(questions)} questions in two languages, {arguments.visitors} visitors")
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(settings, Path(folder) / "log") as (url, begun),
        sync_playwright() as playwright,
    ):
        up = time.perf_counter() - begun
        Client(url, verbose=False).predict(questions[0], api_name="/ask")
        table.add_row("start of the process to the page, to the first answer, s", f"{up:.1f}, {time.perf_counter() - begun:.1f}")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page, load = loaded(browser, url)
        table.add_row("first load: input usable, welcome complete, ms", f"{load['usable']:.0f}, {load['welcome']:.0f}")
        table.add_row("its weight: requests, MB over the wire", f"{load['requests']:.0f}, {load['bytes'] / 1e6:.2f}")
        alone = [asked(page, question) for question in questions]
        together: list[dict[str, float]] = []
        page.reload()
        page.wait_for_function("clock.usable && clock.welcome", timeout=60 * SECONDS)
        taken, errors = crowd(
            url, questions, arguments.visitors, lambda: together.extend(asked(page, question) for question in questions[::7])
        )
        for who, times in (("alone", alone), ("among them", together)):
            for name in ("words", "citations", "complete"):
                found = [each[name] for each in times if name in each]
                table.add_row(f"{who}: Enter to {name}, ms, median / p95 of {len(found)}", spread(found))
        table.add_row(f"{arguments.visitors} at once: answers by the API, ms, median / p95 of {len(taken)}", spread(taken))
        table.add_row("their errors", str(len(errors)))
        browser.close()
    console = Console()
    console.print(table)
    for error in sorted(set(errors)):
        console.print(error)
    raise SystemExit(bool(errors))


if __name__ == "__main__":
    main()
