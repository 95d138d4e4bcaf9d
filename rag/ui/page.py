"""The layout of the page, and what calls what."""

import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import api
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from rag import tools
from rag.chat import QUOTES
from rag.mcp_server import OverHttp
from rag.types import Answer, Language, Turn
from rag.ui import feedback, handlers, render
from rag.ui.handlers import Message, Opening
from rag.ui.strings import STRINGS, TITLE
from rag.ui.uploads import Ingest, Own, Uploads, beside

HERE = Path(__file__).parent
# The reader's own first; the page's (rag/ui/fonts, declared in page.css) is fetched only where all of these are missing.
KOREAN_FONTS = ("Pretendard", "Apple SD Gothic Neo", "Noto Sans KR", "Noto Sans CJK KR", "Malgun Gothic")
FONTS = (*KOREAN_FONTS, "Jiphyeon Sans", "Jiphyeon Rare", "system-ui", "sans-serif")
CONCURRENT = 8  # questions answered at once
QUEUED = 64  # events that wait; more are told to come again


def make_page(
    opening: Opening, models: Sequence[str] = (), ingest: Ingest | None = None, judgements: Path | None = None
) -> gr.Blocks:
    """The page. The pipeline of `opening` answers; the page does not wait for it.

    Of several `models` the asker may choose; with `ingest` the page takes the visitor's own documents, and in
    the file `judgements` it keeps what visitors judge of answers.
    """
    # Files of visitors who left while one was on its way are deleted within the hour.
    page = gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, fill_height=True, delete_cache=(600, 3600))
    with page:
        answers = gr.State([])
        language = gr.Textbox(visible="hidden", elem_id="language")
        pick = gr.Textbox(visible="hidden", elem_id="pick")
        act, again, saved, wanted = (gr.Textbox(visible="hidden", elem_id=name) for name in ("act", "again", "saved", "wanted"))
        masthead = gr.HTML(
            elem_id="masthead",
            apply_default_css=False,
            padding=False,
            js_on_load="watch('value', () => window.jiphyeon.speaks(element))",
        )
        with gr.Row(elem_id="panes"):
            with gr.Column(elem_id="conversation"):
                welcome = gr.HTML(elem_id="welcome", apply_default_css=False, padding=False)
                chat = gr.Chatbot(
                    elem_id="chat",
                    show_label=False,
                    container=False,
                    layout="panel",
                    height="100%",
                    buttons=[],
                    feedback_options=None,
                    latex_delimiters=[],
                    autoscroll=False,  # the page's script keeps the question in view: what is being read must not move
                    allow_file_downloads=False,
                )
                controls = gr.HTML(elem_id="controls", apply_default_css=False, padding=False)
                editing = gr.HTML(
                    elem_id="editing",
                    apply_default_css=False,
                    padding=False,
                    js_on_load="watch('value', () => window.jiphyeon.editing(element))",
                )
                if judgements:
                    feedback.draw(judgements, answers, language)
                own = Uploads(opening, ingest).draw(language) if ingest else gr.State(None)
                box = gr.Textbox(
                    elem_id="question", show_label=False, container=False, lines=1, max_lines=6, autofocus=True, submit_btn=True
                )
                model: gr.Dropdown | gr.State = gr.State("")
                if len(models) > 1:
                    model = gr.Dropdown(
                        choices(models, "en"),
                        value=models[0],
                        label=STRINGS["en"].model,
                        elem_id="model",
                        filterable=False,
                        container=False,
                    )
            with gr.Column(elem_id="pane"):
                evidence = gr.HTML(
                    elem_id="evidence",
                    apply_default_css=False,
                    padding=False,
                    js_on_load="watch('value', () => { window.jiphyeon.shown(); window.jiphyeon.explored(); })",
                )
        warming = gr.Timer(0.5)

        def arrive(stored: str, link: str, request: gr.Request) -> tuple[str, str]:
            opening.start()
            return handlers.preferred_language(request.headers.get("accept-language", ""), stored), link

        def speak(name: str, answers: Sequence[Answer], pick: str, own: Own | None) -> tuple[Any, ...]:
            language = handlers.spoken(name)
            head, pane, more = handlers.first_visit(language, opening)
            if answers or pick:
                pane = handlers.show(pick or '[0, "c1", "quote"]', answers, language, beside(opening, own))
            hint = STRINGS[language].placeholder
            below = render.controls(language)
            return render.masthead(language), head, pane, gr.Textbox(placeholder=hint, label=hint), gr.Timer(active=more), below

        def warm(name: str, answers: Sequence[Answer], pick: str, wanted: str, shown: str | None) -> tuple[Any, ...]:
            if not name:  # not told yet; `speak` will draw
                return gr.skip(), gr.skip(), gr.skip()
            head, pane, more = handlers.first_visit(handlers.spoken(name), opening)
            if pick:  # a link's passage, once: what the visitor turned to since must not be drawn over
                pane = handlers.show(pick, answers, name, opening) if render.waits(shown) else gr.skip()
                more = more or not shown
            return head, gr.skip() if answers or wanted else pane, gr.Timer(active=more)

        def converse(
            question: str,
            chat: Sequence[Message],
            answers: Sequence[Answer],
            language: str,
            own: Own | None,
            model: str,
            editing: str,
        ) -> Iterator[Any]:
            if editing and question.strip():
                chat, answers = handlers.without_last(chat, answers)
            for state in handlers.ask(question, chat, answers, language, beside(opening, own), model):
                yield *state, ""

        def regenerate(
            chat: Sequence[Message], answers: Sequence[Answer], language: str, own: Own | None, model: str
        ) -> Iterator[Any]:
            yield from handlers.again(chat, answers, language, beside(opening, own), model)

        def control(
            act: str, chat: Sequence[Message], answers: Sequence[Answer], language: str, own: Own | None
        ) -> tuple[Any, ...]:
            return handlers.control(act, chat, answers, language, beside(opening, own))

        def offer(name: str) -> gr.Dropdown:
            language = handlers.spoken(name)
            return gr.Dropdown(choices(models, language), label=STRINGS[language].model)

        def show(pick: str, answers: Sequence[Answer], language: str, own: Own | None) -> Any:
            return handlers.show(pick, answers, language, beside(opening, own))

        def search(query: str, limit: int = tools.PASSAGES, language: Language | None = None) -> tools.SearchResult:
            given: tools.SearchResult = handlers.call(opening, "search", query=query, limit=limit, language=language)
            return given

        def ask(question: str, history: list[Turn] | None = None) -> tools.AnswerRecord:
            given: tools.AnswerRecord = handlers.call(opening, "ask", question=question, history=history or [])
            return given

        def document(id: str, start: int = 0, end: int | None = None) -> tools.DocumentRecord:
            given: tools.DocumentRecord = handlers.call(opening, "document", id=id, start=start, end=end)
            return given

        def explore(wanted: str, answers: Sequence[Answer], language: str) -> Iterator[Any]:
            # Of the corpus alone: what is computed for these views is kept, and a visitor's own documents must not be.
            yield from handlers.explored(wanted, answers, language, opening)

        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        page.load(arrive, [language, pick], [language, pick], js="() => window.jiphyeon.arrives()", **quiet)
        language.change(speak, [language, answers, pick, own], [masthead, welcome, evidence, box, warming, controls], **quiet)
        if len(models) > 1:
            language.change(offer, language, model, **quiet)
        warming.tick(warm, [language, answers, pick, wanted, evidence], [welcome, evidence, warming], **quiet)
        asked = box.submit(
            converse, [box, chat, answers, language, own, model, editing], [box, chat, answers, evidence, editing], **quiet
        )
        asked_again = again.change(regenerate, [chat, answers, language, own, model], [box, chat, answers, evidence], **quiet)
        acted = act.change(
            control,
            [act, chat, answers, language, own],
            [box, chat, answers, evidence, editing, saved],
            cancels=[asked, asked_again],
            **quiet,
        )
        acted.then(handlers.stopped, [act, chat, language], chat, **quiet)
        acted.then(None, saved, None, js="(file) => window.jiphyeon.save(file)", **quiet)
        pick.change(show, [pick, answers, language, own], evidence, trigger_mode="always_last", **quiet)
        wanted.change(explore, [wanted, answers, language], evidence, trigger_mode="always_last", **quiet)
        for tool in (search, ask, document):
            api(tool, api_name=tool.__name__, api_description=tools.TOOLS[tool.__name__].description)
    page.queue(default_concurrency_limit=CONCURRENT, max_size=QUEUED)
    return page


def choices(models: Sequence[str], language: Language) -> list[tuple[str, str]]:
    """The models by their names, then quotes alone."""
    return [*((name, name) for name in models), (STRINGS[language].quotes_only, QUOTES)]


def serve(page: gr.Blocks, port: int, opening: Opening) -> None:
    """Serve the page, then open the pipeline: in this order the page answers while the model loads."""
    script = "".join((HERE / name).read_text(encoding="utf-8") for name in ("page.js", "explore.js", "feedback.js"))
    style = "".join((HERE / name).read_text(encoding="utf-8") for name in ("page.css", "explore.css", "feedback.css"))
    style = style.replace("FONTS", ", ".join(f'"{font}"' for font in FONTS[:-2]))
    page.launch(
        server_name="0.0.0.0",
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        show_error=True,
        ssr_mode=False,  # wants Node.js
        enable_monitoring=False,
        footer_links=[],
        favicon_path=HERE / "favicon.svg",
        max_file_size="20mb",  # a backstop: `ingest` refuses smaller ones in the visitor's language
        allowed_paths=[],
        mcp_server=False,  # its own; see rag/mcp_server.py
        app_kwargs={
            "routes": [
                Route("/mcp", OverHttp(partial(handlers.opened, opening)), methods=["POST"]),
                Mount("/fonts", StaticFiles(directory=HERE / "fonts")),
            ]
        },
        theme=gr.themes.Base(font=FONTS, font_mono=("monospace",)),
        head=f"<style>{style}</style><script>{script}</script>",
    )
    opening.start()
    threading.Thread(target=handlers.draw_ahead, args=(opening,), daemon=True, name="map").start()
    print(f"Jiphyeon: http://localhost:{port}", flush=True)
    page.block_thread()
