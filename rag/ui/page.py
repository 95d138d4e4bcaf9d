"""The layout of the page, and what calls what."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import api

from rag.types import Answer
from rag.ui import handlers, render
from rag.ui.handlers import Message, Opening
from rag.ui.strings import STRINGS, TITLE

HERE = Path(__file__).parent
FONTS = ("Pretendard", "Apple SD Gothic Neo", "Noto Sans KR", "Noto Sans CJK KR", "Malgun Gothic", "system-ui", "sans-serif")
CONCURRENT = 8  # questions answered at once
QUEUED = 64  # events that wait; more are told to come again


def make_page(opening: Opening) -> gr.Blocks:
    """The page. The pipeline of `opening` answers; the page does not wait for it."""
    page = gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, fill_height=True)
    with page:
        answers = gr.State([])
        language = gr.Textbox(visible="hidden", elem_id="language")
        pick = gr.Textbox(visible="hidden", elem_id="pick")
        wanted = gr.Textbox(visible="hidden", elem_id="wanted")
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
                box = gr.Textbox(
                    elem_id="question", show_label=False, container=False, lines=1, max_lines=6, autofocus=True, submit_btn=True
                )
            with gr.Column(elem_id="pane"):
                evidence = gr.HTML(
                    elem_id="evidence",
                    apply_default_css=False,
                    padding=False,
                    js_on_load="watch('value', () => { window.jiphyeon.shown(); window.jiphyeon.explored(); })",
                )
        warming = gr.Timer(0.5)

        def arrive(stored: str, request: gr.Request) -> str:
            opening.start()
            return handlers.preferred_language(request.headers.get("accept-language", ""), stored)

        def speak(name: str, answers: Sequence[Answer], pick: str) -> tuple[Any, ...]:
            language = handlers.spoken(name)
            head, pane, more = handlers.first_visit(language, opening)
            if answers:
                pane = handlers.show(pick or '[0, "c1", "quote"]', answers, language, opening)
            hint = STRINGS[language].placeholder
            return render.masthead(language), head, pane, gr.Textbox(placeholder=hint, label=hint), gr.Timer(active=more)

        def warm(name: str, answers: Sequence[Answer], *chosen: str) -> tuple[Any, ...]:
            if not name:  # not told yet; `speak` will draw
                return gr.skip(), gr.skip(), gr.skip()
            head, pane, more = handlers.first_visit(handlers.spoken(name), opening)
            return head, gr.skip() if answers or any(chosen) else pane, gr.Timer(active=more)

        def converse(question: str, chat: Sequence[Message], answers: Sequence[Answer], language: str) -> Iterator[Any]:
            yield from handlers.ask(question, chat, answers, language, opening)

        def show(pick: str, answers: Sequence[Answer], language: str) -> Any:
            return handlers.show(pick, answers, language, opening)

        def explore(wanted: str, answers: Sequence[Answer], language: str) -> Iterator[Any]:
            yield from handlers.explored(wanted, answers, language, opening)

        def ask_json(question: str, history: list[dict[str, str]] | None = None) -> dict[str, Any]:
            """The answer with its citations as JSON. `history`: earlier turns, each {"role", "content"}."""
            return handlers.ask_json(question, history, opening)

        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        page.load(arrive, language, language, js="() => window.jiphyeon.language()", **quiet)
        language.change(speak, [language, answers, pick], [masthead, welcome, evidence, box, warming], **quiet)
        warming.tick(warm, [language, answers, pick, wanted], [welcome, evidence, warming], **quiet)
        box.submit(converse, [box, chat, answers, language], [box, chat, answers, evidence], **quiet)
        pick.change(show, [pick, answers, language], evidence, trigger_mode="always_last", **quiet)
        wanted.change(explore, [wanted, answers, language], evidence, trigger_mode="always_last", **quiet)
        api(ask_json, api_name="ask")
    page.queue(default_concurrency_limit=CONCURRENT, max_size=QUEUED)
    return page


def serve(page: gr.Blocks, port: int, opening: Opening) -> None:
    """Serve the page, then open the pipeline: in this order the page answers while the model loads."""
    script = "".join((HERE / name).read_text(encoding="utf-8") for name in ("page.js", "explore.js"))
    style = "".join((HERE / name).read_text(encoding="utf-8") for name in ("page.css", "explore.css"))
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
        max_file_size="1mb",  # nothing takes files yet
        allowed_paths=[],
        theme=gr.themes.Base(font=FONTS, font_mono=("monospace",)),
        head=f"<style>{style}</style><script>{script}</script>",
    )
    opening.start()
    print(f"Jiphyeon: http://localhost:{port}", flush=True)
    page.block_thread()
