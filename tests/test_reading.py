"""Reading the evidence in a real browser: cards, keys, links, citations, both languages, and Korean without a Korean font."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fontTools import subset
from fontTools.ttLib import TTFont
from playwright.sync_api import Browser, BrowserContext, FloatRect, Locator, Page, expect

from rag.config import PROJECT
from rag.pipeline import Pipeline
from rag.types import Citation
from rag.ui import cite, evidence
from rag.ui.strings import STRINGS
from tests.browser import ENGLISH, KOREAN, REFUSED, SECONDS, ask, expect_marked, flat, launched, served

FONTS = PROJECT / "rag" / "ui" / "fonts"


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh Korean browser that may use its clipboard."""
    context = browser.new_context(
        locale="ko-KR",
        viewport={"width": 1280, "height": 800},
        reduced_motion="reduce",
        permissions=["clipboard-read", "clipboard-write"],
    )
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, address: str) -> Iterator[Page]:
    page = context.new_page()
    errors: list[str] = []
    requests: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address)
    expect(page.locator(".welcome .chip")).to_have_count(6, timeout=30 * SECONDS)
    yield page
    page.close()
    assert errors == []
    assert {urlsplit(url).netloc for url in requests if not url.startswith(("data:", "blob:"))} == {urlsplit(address).netloc}


@pytest.fixture(scope="module")
def cited(pipeline: Pipeline) -> tuple[Citation, ...]:
    """What the answer to the Korean question cites: two quotes at least."""
    citations = pipeline.invoke({"question": KOREAN}).citations
    assert len(citations) > 1
    return citations


def link_of(citation: Citation, pipeline: Pipeline) -> str:
    return cite.link_to(pipeline.index.documents[citation.document_id], (citation.start, citation.end))


def marker(page: Page, number: int) -> Locator:
    return page.locator("#chat blockquote a.cite").nth(number)


@pytest.mark.parametrize("by", ["mouse", "key"])
def test_a_marker_shows_its_card(by: str, page: Page, cited: tuple[Citation, ...]) -> None:
    ask(page, KOREAN)
    card, link = page.get_by_role("tooltip"), marker(page, 1)
    expect(card).to_have_count(0)
    expect(link).to_have_accessible_name(STRINGS["ko"].marker.format(marker=2))
    if by == "mouse":
        link.hover()
    else:
        to_marker(page, 1)
    expect(card).to_be_in_viewport(ratio=1)
    known = cited[1]
    for part in (known.quote, known.title, known.issuer, known.status, known.as_of, "소송 사건"):
        assert part and flat(part) in flat(card.inner_text())
    expect(link).to_have_accessible_description(re.compile(re.escape(known.quote[:20])))
    if by == "mouse":
        card.hover()  # on the card it stays, so that it can be read and copied from
        page.wait_for_timeout(400)
        expect(card).to_be_visible()
        page.mouse.move(5, 5)
    else:
        page.keyboard.press("Escape")
        expect(link).to_be_focused()
    expect(card).to_have_count(0)


def to_marker(page: Page, number: int) -> None:
    """Go to a marker by the Tab key alone."""
    page.locator("#question textarea").focus()
    for _ in range(30):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("link => document.activeElement === link", marker(page, number).element_handle()):
            return
    pytest.fail("No marker can be reached by Tab")


def test_everything_by_key(page: Page, cited: tuple[Citation, ...]) -> None:
    ask(page, KOREAN)
    to_marker(page, 0)
    page.keyboard.press("Enter")
    pane = page.locator("#evidence .evidence")
    expect(pane).to_be_focused()
    expect(pane).to_have_accessible_name(re.compile(re.escape(cited[0].title)))
    expect(page.locator("#said")).to_contain_text(flat(cited[0].quote))
    expect_marked(page, cited[0].quote)
    page.keyboard.press("ArrowRight")
    expect_marked(page, cited[1].quote)
    expect(page.locator("#said")).to_contain_text(flat(cited[1].quote))
    page.keyboard.press("ArrowLeft")
    expect_marked(page, cited[0].quote)
    page.keyboard.press("ArrowLeft")  # there is none before the first
    expect_marked(page, cited[0].quote)
    following = page.get_by_role("button", name=STRINGS["ko"].next)
    following.focus()
    page.keyboard.press("Enter")
    expect_marked(page, cited[1].quote)
    expect(following).to_be_focused()  # though the pane was drawn anew
    page.get_by_role("tab", name=STRINGS["ko"].evidence).focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name=STRINGS["ko"].document, selected=True)).to_be_focused()
    expect(page.locator("#evidence .outline")).to_be_visible()
    page.keyboard.press("Escape")
    expect(marker(page, 0)).to_be_focused()
    expect(page.get_by_role("tooltip")).to_have_count(0)


def test_a_complete_answer_and_a_refusal_are_told_once(page: Page) -> None:
    ask(page, KOREAN)
    said = page.locator("#said")
    expect(said).to_have_role("status")
    expect(said).to_contain_text("인용")
    ask(page, REFUSED)
    expect(said).to_contain_text(STRINGS["ko"].refused)
    expect(page.get_by_role("log")).to_have_attribute("aria-live", "off")
    expect(page.get_by_role("log")).to_have_accessible_name(STRINGS["ko"].conversation)


def test_the_counterpart_is_marked_below_and_beside(page: Page, cited: tuple[Citation, ...], pipeline: Pipeline) -> None:
    ask(page, KOREAN)
    mark, other = page.locator("#evidence mark.current").first, page.locator("#evidence .counterpart mark.pair")
    pair = pipeline.index.documents[pipeline.index.documents[cited[0].document_id].pair]
    expect(other.first).to_have_text(re.compile("betrayed"))  # 저버렸다고
    assert flat(other.first.inner_text()) in flat(pair.text)

    def boxes() -> tuple[FloatRect, FloatRect]:
        ours, theirs = (
            page.locator("#evidence .pages > div").bounding_box(),
            page.locator("#evidence .counterpart").bounding_box(),
        )
        assert ours and theirs
        return ours, theirs

    ours, theirs = boxes()
    assert theirs["y"] >= ours["y"] + ours["height"]
    page.get_by_role("button", name=STRINGS["ko"].side_by_side).click()
    ours, theirs = boxes()
    assert theirs["x"] >= ours["x"] + ours["width"] and abs(theirs["y"] - ours["y"]) < 2
    expect(mark).to_be_in_viewport()
    expect(other.first).to_be_in_viewport()
    page.get_by_role("tab", name=STRINGS["ko"].document).click()
    expect(page.locator("#evidence .outline")).to_be_visible()
    expect(mark).to_be_in_viewport()
    expect(other.first).to_be_in_viewport()


@pytest.mark.parametrize("width", [1280, 360])
def test_a_copied_link_opens_by_itself_in_a_fresh_browser(
    width: int, page: Page, browser: Browser, cited: tuple[Citation, ...], pipeline: Pipeline
) -> None:
    ask(page, KOREAN)
    marker(page, 1).click()
    expect_marked(page, cited[1].quote)
    page.get_by_role("button", name=STRINGS["ko"].copy_link).click()
    expect(page.locator("#said")).to_have_text(STRINGS["ko"].copied)
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url + link_of(cited[1], pipeline)
    fresh = browser.new_page(locale="en-GB", viewport={"width": width, "height": 740}, reduced_motion="reduce")
    fresh.goto(link)
    expect_marked(fresh, cited[1].quote)
    expect(fresh.locator("#evidence mark.current").first).to_be_in_viewport()
    expect(fresh.locator("#said")).to_contain_text(flat(cited[1].quote))
    expect(fresh.locator("#evidence .counterpart .text")).to_have_attribute("lang", "en")
    assert fresh.evaluate("document.documentElement.scrollWidth <= innerWidth")
    fresh.get_by_role("tab", name=STRINGS["en"].document).click()
    expect(fresh.locator("#evidence .outline")).to_be_visible()
    expect_marked(fresh, cited[1].quote)
    fresh.close()


def test_a_link_opened_before_the_documents_waits_for_them(
    browser: Browser, index_dir: Path, tmp_path: Path, cited: tuple[Citation, ...], pipeline: Pipeline
) -> None:
    with served(tmp_path / "log", index=str(index_dir)) as url:
        page = browser.new_page(locale="ko-KR")
        page.goto(url + link_of(cited[0], pipeline))
        expect(page.locator("#evidence .waiting")).to_be_visible(timeout=20 * SECONDS)
        expect(page.locator("#evidence mark.current").first).to_be_visible(timeout=60 * SECONDS)
        expect_marked(page, cited[0].quote)
        page.close()


@pytest.mark.parametrize("locale", ["ko-KR", "en-GB"])
@pytest.mark.parametrize(
    "link", ["?doc=no-such<b>", "?doc=musk-v-openai-ko&span=0-99999999", "?doc=musk-v-openai-ko&span=3-20&sum=0"]
)
def test_a_link_to_what_is_gone_says_so(link: str, locale: str, browser: Browser, address: str) -> None:
    page = browser.new_page(locale=locale)
    page.goto(address + link)
    strings = STRINGS["ko" if locale == "ko-KR" else "en"]
    lost = page.locator("#evidence .lost")
    unknown = "no-such" in link
    expect(lost).to_have_text(
        strings.link_unknown.format(document="no-such<b>") if unknown else strings.link_lost, timeout=30 * SECONDS
    )
    expect(page.locator("#evidence .text")).to_have_count(0 if unknown else 1)
    expect(page.locator("#evidence mark")).to_have_count(0)
    page.close()


@pytest.mark.parametrize("clipboard", [True, False], ids=["https", "http"])
def test_citations_are_copied_filled_in(clipboard: bool, page: Page, cited: tuple[Citation, ...]) -> None:
    ask(page, KOREAN)
    if not clipboard:  # as on an address without https
        page.evaluate("window.pasted = navigator.clipboard; Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    read = "(window.pasted ?? navigator.clipboard).readText()"
    today = page.evaluate("new Date().toLocaleDateString('sv')")
    page.locator("#evidence .citing summary").click()
    buttons = page.locator("#evidence .citing li button")
    expect(buttons).to_have_count(4)
    seen: set[str] = set()
    for number in range(4):
        buttons.nth(number).click()
        expect(buttons.nth(number)).to_have_text(STRINGS["ko"].copied)
        text = page.evaluate(read)
        assert flat(cited[0].quote) in flat(text) and today in text and cited[0].as_of in text
        assert re.search(re.escape(page.url) + r"\?doc=musk-v-openai-ko&span=\d+-\d+&sum=\w{8}", text)
        assert evidence.LINK not in text and evidence.TODAY not in text
        seen.add(text)
    assert len(seen) == 4


@pytest.mark.parametrize("question", [KOREAN, ENGLISH])
def test_each_passage_names_its_language(question: str, page: Page) -> None:
    """Korean letters stand under `lang="ko"`, wherever a voice reads them; and Korean words are not cut at a line's end."""
    ask(page, question)
    wrong = page.evaluate("""() => {
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), wrong = [];
        while (walker.nextNode()) {
            const text = walker.currentNode.data.trim(), at = walker.currentNode.parentElement;
            if (!text || at.closest("style, script, noscript, #said") || !at.checkVisibility()) continue;
            const korean = (text.match(/[가-힣]/g) ?? []).length, latin = (text.match(/[a-z]/gi) ?? []).length;
            const expected = korean && 2.5 * korean >= latin ? "ko" : latin > 40 && !korean ? "en" : null;
            if (expected && at.closest("[lang]").lang !== expected) wrong.push(expected + ": " + text.slice(0, 60));
            if (getComputedStyle(at).wordBreak !== "keep-all") wrong.push("word-break: " + text.slice(0, 60));
        }
        return wrong;
    }""")
    assert wrong == []


def test_the_font_holds_what_korean_text_needs() -> None:
    common, rare = (set(TTFont(FONTS / f"{name}.woff2").getBestCmap()) for name in ("common", "rare"))
    assert {*range(0xAC00, 0xD7A4)} <= common | rare
    assert {code for code in range(0xAC00, 0xD7A4) if len(chr(code).encode("euc_kr")) == 2} <= common
    words = "".join(path.read_text(encoding="utf-8") for path in [*PROJECT.glob("corpus/ko/*.md"), *PROJECT.glob("rag/ui/*.py")])
    letters = {ord(letter) for letter in words if "가" <= letter <= "힣" or "!" <= letter <= "~" or letter in "“”‘’「」·…–—‹›①"}
    assert letters <= common | rare
    assert sum(path.stat().st_size for path in FONTS.iterdir()) < 1_000_000
    assert "SIL OPEN FONT LICENSE" in (FONTS / "OFL.txt").read_text(encoding="utf-8")


def test_korean_is_drawn_where_no_font_has_it(browser: Browser, address: str, tmp_path: Path) -> None:
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    font = TTFont(FONTS / "common.woff2")
    only_latin = subset.Subsetter()
    only_latin.populate(unicodes=range(0x20, 0x7F))
    only_latin.subset(font)
    font.flavor = None
    for record in font["name"].names:
        record.string = "Latin"
    font.save(fonts / "latin.ttf")
    config = tmp_path / "fonts.conf"
    config.write_text(f"<fontconfig><dir>{fonts}</dir><cachedir>{tmp_path / 'cache'}</cachedir></fontconfig>", encoding="utf-8")
    poor = launched(browser.browser_type, FONTCONFIG_FILE=str(config))

    def drawn(with_fonts: bool, *syllables: str) -> tuple[set[bytes], list[str]]:
        """The different pictures that the syllables make, and the fonts that were fetched for them."""
        page = poor.new_page(locale="ko-KR")
        fetched: list[str] = []
        page.on("request", lambda request: fetched.append(Path(request.url).name) if request.url.endswith(".woff2") else None)
        if not with_fonts:
            page.route("**/*.woff2", lambda route: route.abort())
        page.goto(address)
        name = page.locator(".masthead .name b")
        expect(name).to_be_visible()
        pictures = set()
        for syllable in syllables:
            name.evaluate("(element, text) => (element.textContent = text)", syllable)
            page.evaluate("document.fonts.ready")
            page.wait_for_timeout(300)
            pictures.add(name.screenshot())
        page.close()
        return pictures, fetched

    pictures, fetched = drawn(True, "소", "송", "됐")
    assert len(pictures) == 3 and {name for name in fetched if name in ("common.woff2", "rare.woff2")} == {"common.woff2"}
    pictures, fetched = drawn(True, "뷁", "햏")
    assert len(pictures) == 2 and "rare.woff2" in fetched
    pictures, _ = drawn(False, "소", "송")
    assert len(pictures) == 1, "without the page's fonts this browser draws the same box for every syllable"
    poor.close()
