"""What becomes of answers by models of several kinds: `python -m benchmarks.writers [--questions 24]`, with the test extra.

The same development questions are put to a real small model, as it writes and held to a grammar, and to scripted servers that play
what models do: write what stands there, invent, name no source, fail. Each gets a report of `evals run`; the table sets them side by side.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from rich.console import Console

from evals import generative, report, scores
from evals.questions import EvalQuestion
from evals.run import Record, Sitting, ask, build_all, circumstances, own
from rag.config import Settings
from rag.embed import Embedder, load_embedder
from rag.text import normalise, sentences
from tests.scripted_model import Reply, Request, passage_with, prompt, scripted
from tests.small_model import MARKED, NAME, small_model

FACTOR = 7  # an inventor's: no figure times it stands in the same passage but by chance
FAILURES = (Reply(status=429), Reply(status=500), Reply(text="Half a sentence", stalls=1), Reply(text="Half a sentence", cuts=2))
LEAD = {"ko": "자료에 따르면 {}", "en": "According to the document, {}"}
Quotes = Mapping[str, Sequence[str]]  # by the question, the sentences that the answer without a model quotes


def faithful(quotes: Quotes, marked: bool, request: Request) -> Reply:
    """What stands there, with a lead-in, and with the markers where they are wanted."""
    return Reply(text=" ".join(_said(request, quote, marked, quote) for quote in _known(quotes, request)))


def inventor(quotes: Quotes, request: Request) -> Reply:
    """The same with other figures; and, where there is none, with a name that stands nowhere."""
    return Reply(text=" ".join(_said(request, quote, True, altered(quote)) for quote in _known(quotes, request)))


def failing(turns: Iterator[int], request: Request) -> Reply:
    """A rate limit, an error, a silence, a broken connection, in turn."""
    return FAILURES[next(turns) % len(FAILURES)]


def altered(sentence: str) -> str:
    """The sentence with every figure multiplied, or with an invented name before it."""
    figures = "".join(
        str(int(letter) * FACTOR % 10 or 3) if letter.isascii() and letter.isdigit() else letter for letter in sentence
    )
    if figures != sentence:
        return figures
    return (
        f"할로웨이 연구소는 {sentence}"
        if any("가" <= letter <= "힣" for letter in sentence)
        else f"Halloway Institute: {sentence}"
    )


def _known(quotes: Quotes, request: Request) -> list[str]:
    given = prompt(request)
    return [quote for quote in quotes[given.rpartition("Question: ")[2]] if quote in given]


def _said(request: Request, quote: str, marked: bool, said: str) -> str:
    lead = LEAD["ko" if any("가" <= letter <= "힣" for letter in said) else "en"]
    return lead.format(said) + (f" [{passage_with(request, quote)}]" if marked else "")


def _sentences(record: Record) -> list[str]:
    """Those of an answer's quotes in its own language. A list's lead-in says nothing by itself."""
    quotes = [normalise(citation["quote"]) for citation in record["citations"] if citation["language"] == record["language"]]
    found = [quote[start:end] for quote in quotes for start, end in sentences(quote)]
    return [sentence for sentence in found if not sentence.endswith(":")]


@contextmanager
def played(script: Callable[[Request], Reply]) -> Iterator[str]:
    with scripted(script) as server:
        yield server.url


def chosen(sitting: Sitting, number: int) -> list[EvalQuestion]:
    """As many answerable development questions, half of them Korean, spread over the file."""
    found = []
    for language in ("ko", "en"):
        all = [
            q
            for q in sitting.questions
            if q.split == "dev" and q.answerable and q.lang == language and q.nuggets and not q.history
        ]
        found += all[:: max(1, len(all) // (number // 2))][: number // 2]
    return found


def run(sitting: Sitting, settings: Settings, embedder: Embedder, out: Path) -> tuple[dict[str, Any], list[Record]]:
    """The scores of all the questions, written as `evals run` writes them, and the answers."""
    done = Console(stderr=True)
    made = {**circumstances(settings), "data": "evals/data", "split": "dev", "pairs": ["ko-ko", "en-en"], "every": 1}
    records, made["indexes"] = ask([sitting], out, settings, embedder, lambda n, of: done.print(f"{out.name}: {n} of {of}"))
    found = scores.scored(scores.rows([sitting], records), made)
    model = next(iter(settings.chat_models), "")
    found["generative"] = generative.groups([sitting], found["questions"], records, model)
    report.write(found, records, [sitting], out)
    return found, records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=24)
    parser.add_argument("--writers", nargs="*", help="some of them, by their names in the table")
    parser.add_argument("--out", type=Path, default=Path("runs/writers"))
    parser.add_argument("--index", type=Path, default=Settings().cache_dir / "evals", help="folder of the indexes of evals run")
    arguments = parser.parse_args()
    [full, *_] = own(arguments.index)
    full = replace(full, questions=chosen(full, arguments.questions))
    build_all([full], lambda done, of: None)
    embedder = load_embedder(Settings())
    alone, records = run(full, Settings(chat_model=""), embedder, arguments.out / "quotes")
    quotes = {record["question"]: _sentences(record) for record in records}
    slow = {"chat_silence": 300, "chat_seconds": 600, "chat_tokens": 500}
    writers: dict[str, tuple[Any, str, dict[str, Any]]] = {
        "faithful": (lambda: played(partial(faithful, quotes, True)), "scripted", {}),
        "invents": (lambda: played(partial(inventor, quotes)), "scripted", {}),
        "no markers": (lambda: played(partial(faithful, quotes, False)), "scripted", {}),
        "fails": (lambda: played(partial(failing, count())), "scripted", {"chat_silence": 2}),
        "small, held to markers": (partial(small_model, MARKED), NAME, slow),
        "small": (small_model, NAME, slow),
    }
    columns = {"quotes alone": alone}
    for name in arguments.writers or writers:
        open_server, model, limits = writers[name]
        with open_server() as url:
            settings = Settings(chat_model=f"openai:{model}", chat_base_url=url, chat_per_minute=100_000, **limits)
            columns[name], _ = run(full, settings, embedder, arguments.out / name.replace(", ", "-").replace(" ", "-"))
    print(side_by_side(columns))


def side_by_side(columns: Mapping[str, Mapping[str, Any]]) -> str:
    """A table with a column a writer: what it wrote, then what the asker got, quotes where it failed included."""
    shown = [
        (name, found["generative"][0] if found["generative"] else {}, found["groups"][0]["scores"])
        for name, found in columns.items()
    ]
    rows = []
    for metric, title in generative.TITLES.items():
        rows.append([title, *(report.short(group.get("scores", {}).get(metric)) for _, group, _ in shown)])
    for counted, title in generative.COUNTS.items():
        rows.append([title, *(str(group.get(counted, "—")) for _, group, _ in shown)])
    for metric, title in (
        ("nugget_recall", "facts in the quotes of all answers"),
        ("citation_precision", "those in the right section"),
    ):
        rows.append([title, *(report.short(all.get(metric)) for _, _, all in shown)])
    for title, counted in (("quoted instead", "fallbacks"), ("failed for", "failed")):
        rows.append([title, *(", ".join(f"{k} {v}" for k, v in group.get(counted, {}).items()) or "—" for _, group, _ in shown)])
    return report.table(["", *(name for name, _, _ in shown)], rows)


if __name__ == "__main__":
    main()
