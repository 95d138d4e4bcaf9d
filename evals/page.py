"""The report as one page: figures, plots that answer to the pointer, and the worst questions with what was said to them."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from plotly import graph_objects as go
from plotly.io import to_html
from plotly.offline import get_plotlyjs
from sklearn.metrics import roc_curve

from evals import claims, generative, judge
from evals.questions import EvalQuestion
from evals.run import Record, Sitting

Row = Mapping[str, Any]
Group = Mapping[str, Any]

NOTE = (
    "95 % intervals: percentile bootstrap over questions. Everything that is tuned is tuned on the dev split of our data; "
    "the test split is the one to quote."
)
HERE = Path(__file__).parent
# Okabe and Ito's colours: told apart by colour-blind readers, legible on white and on black.
PAIR_COLOURS = {"ko-ko": "#0072B2", "en-en": "#E69F00", "ko-en": "#009E73", "en-ko": "#CC79A7"}
SORT_COLOURS = {"answerable": "#009E73", "near miss": "#E69F00", "far": "#D55E00"}
TILES = "hit@1 recall@5 nugget_recall citation_precision citation_recall verbatim over_refusal auroc".split()
ACROSS = "hit@1 recall@5 ndcg@10 nugget_recall citation_precision citation_recall over_refusal".split()
BY_KIND = "hit@1 recall@5 ndcg@10 nuggets_retrieved nugget_recall citation_precision citation_recall over_refusal refusal_recall".split()
WORST = 20
EDGES = np.linspace(0, 1, 11)


def html(scores: Mapping[str, Any], records: Sequence[Record], sittings: Sequence[Sitting]) -> str:
    """The page: one string, which loads nothing from anywhere."""
    titles = {metric["name"]: metric["title"] for metric in scores["metrics"]}
    groups, rows = scores["groups"], scores["questions"]
    sections: list[tuple[str, str, list[go.Figure | None]]] = [
        (
            "Language pairs",
            "The language of the question, then that of the evidence. The last group is better the lower it is; thin lines are "
            "95 % intervals.",
            [pairs(groups, titles)],
        ),
        (
            "Kinds of question",
            "The redder, the further from the best there could be. A refused answerable question counts 0 for nuggets and citations.",
            [kinds(groups, titles)],
        ),
        (
            "Refusal",
            "How sure it was that the corpus answers, and how often it did. Below a confidence of 0.5 it refuses. The share of "
            "answerable questions is that of the data, not of life.",
            [histogram(rows), roc(rows), reliability(rows)],
        ),
        (
            "Korean minus English",
            "Right of the line Korean has the higher figure. The band is the target, within 0.03.",
            [gaps(scores["gaps"], titles)],
        ),
        ("Latency", "What came of the wait: each dot is a question.", [latency(rows)]),
    ]
    figures = "".join(
        f'<section><h2>{name}</h2><p>{text}</p><div class="plots">{"".join(map(figure, plots))}</div>'
        f"{latencies(groups) if name == 'Latency' else ''}</section>"
        for name, text, drawn in sections
        if (plots := [plot for plot in drawn if plot is not None])
    )
    return Template((HERE / "page.html").read_text(encoding="utf-8")).substitute(
        style=(HERE / "page.css").read_text(encoding="utf-8"),
        plotly=get_plotlyjs(),
        made=made(scores["made"], len(rows)),
        tiles=tiles(groups[0], titles),
        figures=figures + written(scores) + checked(scores),
        worst=worst(rows, records, sittings),
        note=escape(NOTE),
    )


def figure(drawn: go.Figure) -> str:
    """The plot as a `div` with its script."""
    drawn.update_layout(
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "inherit", "size": 13},
        margin={"l": 10, "r": 10, "t": 30, "b": 50},
        legend={"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0},
        bargap=0.25,
    )
    drawn.update_xaxes(automargin=True)
    drawn.update_yaxes(automargin=True)
    return str(to_html(drawn, full_html=False, include_plotlyjs=False, config={"displayModeBar": False, "responsive": True}))


def pairs(groups: Sequence[Group], titles: Mapping[str, str]) -> go.Figure:
    """Each headline metric, a bar a pair."""
    drawn = go.Figure()
    shown = [group for group in groups if group["by"] == "pair"] or list(groups[:1])
    for group in shown:
        found = [(titles[name], group["scores"][name]) for name in ACROSS if name in group["scores"]]
        drawn.add_bar(
            name=f"{group['name']} ({group['questions']})",
            x=[title for title, _ in found],
            y=[value["value"] for _, value in found],
            error_y={
                "array": [value["high"] - value["value"] for _, value in found],
                "arrayminus": [value["value"] - value["low"] for _, value in found],
                "color": "#888",
                "thickness": 1,
                "width": 2,
            },
            marker_color=PAIR_COLOURS.get(group["name"], "#0072B2"),
            customdata=[value["n"] for _, value in found],
            hovertemplate="%{x}: %{y:.3f} (%{customdata} questions)<extra>%{fullData.name}</extra>",
        )
    drawn.update_yaxes(range=[0, 1.04])
    return drawn.update_layout(height=420)


def kinds(groups: Sequence[Group], titles: Mapping[str, str]) -> go.Figure | None:
    """Kinds down, metrics across, the value in each cell; the colour says how far it is from the best there could be."""
    shown = [group for group in groups if group["by"] == "kind"][::-1]
    if not shown:
        return None
    value = [[group["scores"].get(name, {}).get("value", np.nan) for name in BY_KIND] for group in shown]
    badness = [[v if name == "over_refusal" else 1 - v for name, v in zip(BY_KIND, line, strict=True)] for line in value]
    drawn = go.Figure(
        go.Heatmap(
            x=[titles[name] for name in BY_KIND],
            y=[f"{group['name']} ({group['questions']})" for group in shown],
            z=badness,
            text=[["" if np.isnan(v) else f"{v:.2f}" for v in line] for line in value],
            texttemplate="%{text}",
            textfont={"color": "#1a1a1a"},
            colorscale=[[0, "#f4f8f6"], [0.25, "#f3dfa2"], [1, "#c8553d"]],
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=2,
            ygap=2,
            hoverinfo="skip",
        )
    )
    drawn.update_xaxes(side="top", showgrid=False)
    drawn.update_yaxes(showgrid=False)
    return drawn.update_layout(height=90 + 34 * len(shown))


def confidences(rows: Sequence[Row]) -> dict[str, list[float]]:
    """The confidences of each sort of question that there is."""
    found = {sort: [row["confidence"] for row in rows if sort_of(row) == sort] for sort in SORT_COLOURS}
    return {sort: values for sort, values in found.items() if values}


def histogram(rows: Sequence[Row]) -> go.Figure:
    """How confident the answers were, for each sort of question."""
    drawn = go.Figure()
    for sort, found in confidences(rows).items():
        drawn.add_bar(
            x=(EDGES[:-1] + EDGES[1:]) / 2,
            y=100 * np.histogram(found, bins=EDGES)[0] / len(found),
            name=f"{sort} ({len(found)})",
            marker_color=SORT_COLOURS[sort],
            hovertemplate="%{y:.0f} % at %{x:.2f} ± 0.05<extra>%{fullData.name}</extra>",
        )
    drawn.update_xaxes(title="confidence", range=[0, 1])
    drawn.update_yaxes(title="% of its sort")
    return drawn.update_layout(title="Confidence", height=380)


def roc(rows: Sequence[Row]) -> go.Figure | None:
    """Answerable against near misses, and against far ones."""
    found = confidences(rows)
    drawn = go.Figure()
    for sort in ("near miss", "far"):
        if "answerable" in found and sort in found:
            truth = [1] * len(found["answerable"]) + [0] * len(found[sort])
            wrong, right, at = roc_curve(truth, found["answerable"] + found[sort])
            drawn.add_scatter(
                x=wrong,
                y=right,
                customdata=at,
                name=f"against {sort}",
                mode="lines",
                line={"color": SORT_COLOURS[sort]},
                hovertemplate="%{y:.0%} and %{x:.0%} above a threshold of %{customdata:.2f}<extra></extra>",
            )
    drawn.update_xaxes(title="unanswerable above the threshold", range=[0, 1])
    drawn.update_yaxes(title="answerable above it", range=[0, 1.02])
    return drawn.update_layout(title="ROC", height=380) if drawn.data else None


def reliability(rows: Sequence[Row]) -> go.Figure:
    """Confidence in ten bins against the share of answerable questions in each; the larger the dot, the more questions."""
    confidence = np.array([row["confidence"] for row in rows])
    answerable = np.array([row["answerable"] for row in rows], dtype=float)
    bins = np.clip(np.digitize(confidence, EDGES) - 1, 0, 9)
    filled = np.unique(bins)
    sizes = np.array([(bins == number).sum() for number in filled])
    drawn = go.Figure()
    drawn.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": "#888"}, hoverinfo="skip")
    drawn.add_scatter(
        x=[confidence[bins == number].mean() for number in filled],
        y=[answerable[bins == number].mean() for number in filled],
        customdata=sizes,
        mode="markers+lines",
        marker={"size": 6 + 20 * np.sqrt(sizes / sizes.max()), "color": "#0072B2"},
        cliponaxis=False,
        hovertemplate="confidence %{x:.2f}: %{y:.0%} of %{customdata} answerable<extra></extra>",
    )
    drawn.update_xaxes(title="confidence", range=[0, 1])
    drawn.update_yaxes(title="share answerable", range=[0, 1.02])
    return drawn.update_layout(title="Reliability", height=380, showlegend=False)


def gaps(found: Sequence[Group], titles: Mapping[str, str]) -> go.Figure | None:
    """A dot with its interval for each metric and gap."""
    drawn = go.Figure()
    names = [*ACROSS, "refusal_recall", "auroc"][::-1]
    colours = ("#0072B2", "#009E73", "#CC79A7")
    for number, gap in enumerate(found):
        have = [(place, gap["scores"][name]) for place, name in enumerate(names) if name in gap["scores"]]
        if have:
            drawn.add_scatter(
                name=gap["name"],
                x=[value["value"] for _, value in have],
                y=[place + 0.2 * (1 - number) for place, _ in have],
                error_x={
                    "array": [value["high"] - value["value"] for _, value in have],
                    "arrayminus": [value["value"] - value["low"] for _, value in have],
                    "thickness": 1,
                    "width": 3,
                },
                mode="markers",
                marker={"color": colours[number], "size": 8},
                hovertemplate="%{x:+.3f}<extra>%{fullData.name}</extra>",
            )
    if not drawn.data:
        return None
    drawn.add_vrect(x0=-0.03, x1=0.03, fillcolor="#888", opacity=0.18, line_width=0)
    drawn.update_yaxes(tickvals=list(range(len(names))), ticktext=[titles[name] for name in names])
    return drawn.update_layout(height=80 + 46 * len(names))


def latency(rows: Sequence[Row]) -> go.Figure:
    """Time of an answer by what came of it: is what takes long worth the wait?"""
    drawn = go.Figure()
    for name, colour, belongs in (
        ("refused", "#888888", lambda row: row["refused"]),
        ("no nugget", "#D55E00", lambda row: not row["refused"] and row["scores"].get("nugget_recall") == 0),
        ("some nuggets", "#E69F00", lambda row: 0 < row["scores"].get("nugget_recall", 0) < 1),
        ("every nugget", "#009E73", lambda row: row["scores"].get("nugget_recall") == 1),
        ("nothing to hold", "#56B4E9", lambda row: not row["refused"] and "nugget_recall" not in row["scores"]),
    ):
        members = [row for row in rows if belongs(row)]
        if members:
            drawn.add_box(
                name=f"{name} ({len(members)})",
                x=[row["timings_ms"]["total"] for row in members],
                text=[row["id"] for row in members],
                marker={"color": colour, "size": 4},
                boxpoints="all",
                jitter=0.5,
                pointpos=0,
                hovertemplate="%{text}: %{x:.0f} ms<extra></extra>",
                showlegend=False,
            )
    ticks = [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]
    drawn.update_xaxes(type="log", title="milliseconds from question to answer", tickvals=ticks, ticktext=list(map(str, ticks)))
    return drawn.update_layout(height=360)


def sort_of(row: Row) -> str:
    """Which of three sorts a question is, as to refusing."""
    if row["answerable"]:
        return "answerable"
    return "far" if row["kind"] == "unanswerable-far" else "near miss"


def tiles(everything: Group, titles: Mapping[str, str]) -> str:
    """The headline figures with their intervals."""
    return "".join(
        f"<div><dt>{escape(titles[name])}</dt><dd>{found['value']:.3f}</dd><small>{found['low']:.3f} to {found['high']:.3f}, "
        f"n = {found['n']}</small></div>"
        for name in TILES
        if (found := everything["scores"].get(name))
    )


def latencies(groups: Sequence[Group]) -> str:
    """Percentiles as a table."""
    steps = ("retrieve", "answer", "total")
    shown = [group for group in groups if group["by"] in ("all", "pair", "set")]
    head = "".join(f"<th>{step} {quantile}</th>" for step in steps for quantile in ("p50", "p95", "max"))
    lines = "".join(
        f"<tr><th>{escape(group['name'])}</th>"
        + "".join(f"<td>{value:.0f}</td>" for step in steps for value in group["latency_ms"][step].values())
        + "</tr>"
        for group in shown
    )
    return f'<div class="wide"><table><tr><th>ms</th>{head}</tr>{lines}</table></div>'


def written(scores: Mapping[str, Any]) -> str:
    """What a chat model wrote, and what one judged, as tables; nothing where none was asked."""
    sections = ""
    if found := scores.get("generative"):
        sections += _section("Written by a chat model", scores["made"]["settings"]["chat_model"], *generative.lines(found))
    if found := scores.get("judged"):
        by = f"{found['judge']}, asked by ragas {found['ragas']}"
        sections += _section("Judged by a chat model", by, *judge.lines(found["groups"]))
    return sections


def checked(scores: Mapping[str, Any]) -> str:
    """How many of the altered claims the checks flag, and how many of the true ones, as a table."""
    if not scores.get("claims"):
        return ""
    said = "Claims of evals/data/claims, true ones and altered ones; 95 % intervals in brackets."
    return _section("Checks of claims", said, claims.HEAD, claims.lines(scores["claims"]))


def _section(title: str, said: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = "".join(
        f"<tr><th>{escape(first)}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for first, *cells in [head, *rows]
    )
    return f'<section><h2>{escape(title)}</h2><p>{escape(said)}</p><div class="wide"><table>{lines}</table></div></section>'


def made(found: Mapping[str, Any], questions: int) -> str:
    """What was run, on what, when."""
    machine, commit = found["machine"], found["commit"][:10] or "unknown commit"
    facts = [
        f"{questions} questions ({found['data']}, split {found['split']}, every {found['every']})",
        found["date"],
        commit + (" with changes" if found["dirty"] else ""),
        f"{machine['cores']} cores, {machine['cpu']}",
        *{index["embedding_model"]: 1 for index in found["indexes"].values()},
    ]
    return " · ".join(map(escape, facts))


def worst(rows: Sequence[Row], records: Sequence[Record], sittings: Sequence[Sitting]) -> str:
    """The answerable questions with the worst answers, and the unanswerable that were answered with most confidence."""
    by_id = {record["id"]: record for record in records}
    asked = {
        question.id: (question, sitting.qrels.get(question.id, {})) for sitting in sittings for question in sitting.questions
    }
    answerable = sorted((row for row in rows if row["answerable"]), key=lambda row: (quality(row), -row["confidence"], row["id"]))
    answered = sorted((row for row in rows if not (row["answerable"] or row["refused"])), key=lambda row: -row["confidence"])
    parts = [
        (
            f"The {WORST} worst answers",
            "By nuggets held, citations and ranking; of two as bad, the one given with more confidence.",
            answerable[:WORST],
        ),
        ("Answered, though the corpus does not say", "The ones with most confidence.", answered[: WORST // 2]),
    ]
    return "".join(
        f"<section><h2>{escape(name)}</h2><p>{escape(text)}</p>{''.join(shown(row, by_id[row['id']], *asked[row['id']]) for row in members)}</section>"
        for name, text, members in parts
        if members
    )


def quality(row: Row) -> float:
    """Mean of what an answer is worth, of the metrics that the question has."""
    found = [
        row["scores"][name]
        for name in ("nugget_recall", "citation_precision", "citation_recall", "ndcg@10")
        if name in row["scores"]
    ]
    return float(np.mean(found)) if found else 1.0


def shown(row: Row, record: Record, question: EvalQuestion, gold: Mapping[str, int]) -> str:
    """One question: what was wanted, quoted and retrieved."""
    quotes = "".join(
        f'<li class="{"good" if key in gold else ""}"><code>{escape(key)}</code> {escape(citation["quote"])}</li>'
        for key, citation in zip(record["cited"], record["citations"], strict=True)
    )
    retrieved = "".join(
        f'<li class="{"good" if key in gold else ""}"><code>{escape(key)}</code> {escape(excerpt)}</li>'
        for key, excerpt in first_passages(record)
    )
    wanted = "".join(f"<li>{escape(' / '.join(forms))}</li>" for forms in question.nuggets)
    figures = " · ".join(
        f"{name} {value:.2f}"
        for name, value in row["scores"].items()
        if name in ("nugget_recall", "ndcg@10", "citation_precision")
    )
    history = "".join(f"<li>{escape(turn['content'])}</li>" for turn in question.history)
    said = f"<ol>{quotes}</ol>" if quotes else f"<p>Refused: {escape(record['refusal_reason'])}</p>"
    return (
        f'<details><summary><span lang="{row["lang"]}">{escape(row["question"])}</span>'
        f"<small>{escape(row['id'])} · {row['pair']} · {escape(row['kind'])} · confidence {row['confidence']:.2f} · {figures}</small></summary>"
        + (f"<h4>Before it</h4><ul>{history}</ul>" if history else "")
        + (
            f"<h4>Wanted</h4><ul>{wanted}</ul>"
            if wanted
            else f"<h4>Not in the corpus</h4><p>{escape(question.why)}</p>"
            if question.why
            else ""
        )
        + (f"<p>in {', '.join(f'<code>{escape(key)}</code>' for key in gold)}</p>" if gold else "")
        + f"<h4>Quoted</h4>{said}<h4>Retrieved</h4><ol>{retrieved}</ol></details>"
    )


def first_passages(record: Record, limit: int = 5, length: int = 220) -> list[tuple[str, str]]:
    """(key, beginning) of the first passages, as they were ranked."""
    texts: dict[str, str] = {}
    for key, passage in zip(record["passage_keys"], record["passages"], strict=True):
        texts.setdefault(key, passage["text"][:length] + ("…" if len(passage["text"]) > length else ""))
    return list(texts.items())[:limit]
