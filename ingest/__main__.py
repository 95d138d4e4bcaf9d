"""python -m ingest build | check | show | vectors"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from rag.config import Settings
from rag.errors import DocumentError
from rag.terminal import console, main

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="From files to an index.")
IndexOption = Annotated[Path | None, typer.Option("--index", help="Folder of the index.")]


@contextmanager
def bars() -> Iterator[Callable[[str, int, int], None]]:
    """Progress bars on standard error, one for each kind of work."""
    columns = (TextColumn("{task.description:>12}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = shown.add_task(what, total=total)
            shown.update(tasks[what], completed=done)

        yield progress


def _settings(corpus: Path | None = None, index: Path | None = None) -> Settings:
    chosen = {name: path for name, path in (("corpus", corpus), ("index", index)) if path is not None}
    return Settings(**chosen)  # type: ignore[arg-type]


@app.command()
def build(
    corpus: Annotated[Path | None, typer.Option("--corpus", help="A folder, read recursively, or one file.")] = None,
    index: IndexOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Build the index. Exit code 1 if a file was refused (the others are in the index)."""
    from ingest.build import build as build_index
    from rag.embed import load_embedder

    settings = _settings(corpus, index)
    with bars() as progress:
        report = build_index(settings, load_embedder(settings), progress)
    for line in report.refused:
        console.print(f"refused  {line}", style="red", markup=False, highlight=False, soft_wrap=True)
    for line in report.skipped:
        console.print(f"skipped  {line}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    if json:
        print(dumps(asdict(report), ensure_ascii=False))
    else:
        state = "unchanged" if report.unchanged else f"{report.embedded} texts embedded, {report.reused} reused"
        print(
            f"{report.index}: {report.documents} documents, {report.chunks} chunks ({state}), "
            f"{len(report.refused)} refused, {len(report.skipped)} skipped, {report.seconds} s"
        )
    raise typer.Exit(1 if report.refused else 0)


@app.command()
def check(index: IndexOption = None, corpus: Annotated[Path | None, typer.Option("--corpus")] = None) -> None:
    """Check that every chunk is reachable, every span true, nothing stale. Exit code 1 otherwise."""
    from ingest.build import verify
    from ingest.load import load_corpus
    from rag.answer.coverage import card
    from rag.embed import load_embedder
    from rag.index import corpus_hash, open_index

    settings = _settings(index=index)
    opened = open_index(settings.index, load_embedder(settings).name)
    with bars() as progress:
        verify(opened, progress)
    source = corpus or Path(opened.manifest.corpus)
    print(
        f"{settings.index}: {len(opened.documents)} documents, {len(opened.chunks)} chunks, every one reachable, every span true"
    )
    if not source.exists():
        print(f"the corpus it was built from, {str(source)!r}, is not here: not checked for staleness")
        print(card(opened))
        return
    documents, _, _ = load_corpus(source, settings.max_file_bytes)
    if corpus_hash(documents) != opened.manifest.corpus_hash:
        raise DocumentError(
            f"stale: {str(source)!r} has changed since the build of {opened.manifest.built_at}. Build it again: "
            f"python -m ingest build --corpus {source} --index {settings.index}"
        )
    print(f"up to date with {source}")
    print(card(opened))


@app.command()
def vectors(
    corpus: Annotated[Path | None, typer.Option("--corpus", help="The folder that the vectors travel with.")] = None,
    index: IndexOption = None,
) -> None:
    """Write the index's vectors into the corpus's folder: a build elsewhere then embeds only what has changed."""
    from ingest.vectors import FILE, write
    from rag.embed import load_embedder
    from rag.index import open_index

    settings = _settings(corpus, index)
    written = write(open_index(settings.index, load_embedder(settings).name), settings.corpus / FILE)
    print(f"{settings.corpus / FILE}: {written} vectors")


@app.command()
def show(document_id: str, index: IndexOption = None) -> None:
    """Print the document's normalised text, exactly: the text whose code points all spans count."""
    from rag.index import current_build, open_build, open_index, read_manifest

    settings = _settings(index=index)
    folder = current_build(settings.index)
    opened = open_build(folder, read_manifest(folder)) if folder else open_index(settings.index, "")
    document = opened.documents.get(document_id)
    if document is None:
        raise DocumentError(
            f"{str(settings.index)!r} holds no document {document_id!r}. It holds: {', '.join(sorted(opened.documents)[:20])}"
        )
    sys.stdout.buffer.write(document.text.encode())


if __name__ == "__main__":
    main(app)
