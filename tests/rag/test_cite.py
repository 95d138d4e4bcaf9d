"""Citations to paste and links to quotes: they parse, they lead back, they say no more than is known."""

import time
from dataclasses import replace

import pytest
from pybtex.database import parse_string

from rag.types import Document
from rag.ui import cite

TEXT = "The Act applies. It bans eight practices. The fine is 7 %."
QUOTE = "It bans eight practices."
SPAN = (TEXT.index(QUOTE), TEXT.index(QUOTE) + len(QUOTE))
LAW = Document(
    id="eu-ai-act",
    title="Regulation {EU} 2024/1689: 100 % of \\AI_Act & $more~ #1^2 [x]*",
    text=TEXT,
    language="en",
    kind="law",
    issuer="European Union",
    published="2024-07-12",
    as_of="2026-08-05",
    url="https://example.org/a_b?c={d} e%20f#g",
)
OURS = replace(LAW, title="EU AI법", author="Jiphyeon", language="ko", issuer="유럽연합")
BARE = Document(id="메모", title="Note", text=TEXT, language="en")


def quoted(document: Document, span: cite.Span = SPAN) -> cite.Quoted:
    return cite.Quoted(document=document, span=span, link="https://host/?doc=x&span=1-2", accessed="2026-11-23")


def styles(document: Document) -> list[str]:
    given = quoted(document)
    return [
        cite.plain(given, "en"),
        cite.plain(given, "ko"),
        cite.markdown(given, "en"),
        cite.korean(given),
        cite.bibtex(given, "en"),
    ]


@pytest.mark.parametrize("style", range(5))
def test_every_style_carries_the_quote_its_place_and_the_dates(style: int) -> None:
    text = styles(OURS)[style]
    for part in (QUOTE, "https://host/?doc=x&span=1-2", "2026-11-23", "2026-08-05", "EU AI법", "유럽연합"):
        assert part in text
    assert "2024" not in text, "the day of the law is not the day of our text about it"
    assert "example.org" not in text, "our text does not stand at the address of its source"


@pytest.mark.parametrize("style", range(5))
def test_what_is_not_known_is_not_said(style: int) -> None:
    text = styles(BARE)[style]
    assert QUOTE in text and "Note" in text
    assert not [wrong for wrong in ("None", "()", ", ,", ",,", "  ]", "as of", "기준", "author", "year", "{}") if wrong in text]


def test_the_styles_word_for_word() -> None:
    law = replace(LAW, title="AI Act", url="https://example.org/act")
    where = "https://example.org/act https://host/?doc=x&span=1-2"
    assert cite.plain(quoted(law), "en") == (
        f"European Union. AI Act. law, published 2024-07-12, as of 2026-08-05. “{QUOTE}” {where} Accessed 2026-11-23."
    )
    assert cite.markdown(quoted(law), "en") == (
        f"> {QUOTE}\n>\n> — European Union, [AI Act](https://host/?doc=x&span=1-2), law, published 2024-07-12, as of 2026-08-05, "
        "<https://example.org/act>, accessed 2026-11-23"
    )
    assert cite.korean(quoted(OURS)) == (
        f"집현, 「EU AI법」, 집현 해설: 법률, 유럽연합, 2026-08-05 기준, “{QUOTE}”, https://host/?doc=x&span=1-2 (검색일: 2026-11-23)."
    )


@pytest.mark.parametrize("document", [LAW, OURS, BARE, replace(BARE, title="}{ unbalanced {", text="a }} b " + TEXT)])
def test_bibtex_is_read_by_a_bibtex_reader(document: Document) -> None:
    span = (0, len(document.text))
    entries = parse_string(cite.bibtex(quoted(document, span), "en"), "bibtex").entries
    (name,) = entries
    entry = entries[name]
    assert name.isascii() and entry.type == "misc"
    assert entry.fields["urldate"] == "2026-11-23" and "eight practices" in entry.fields["note"]
    assert [str(person) for person in entry.persons.get("author", [])] == (
        [f"{{{document.author or document.issuer}}}"] * bool(document.issuer)
    )
    for text in entry.fields.values():
        assert text.count("{") == text.count("}")


def test_bibtex_escapes_what_tex_would_obey() -> None:
    title = parse_string(cite.bibtex(quoted(LAW), "en"), "bibtex").entries["eu-ai-act-17"].fields["title"]
    assert title == (
        r"{Regulation \textbraceleft{}EU\textbraceright{} 2024/1689: 100 \% of \textbackslash{}AI\_Act \& \$more\textasciitilde{} "
        r"\#1\textasciicircum{}2 [x]*}"
    )
    assert "{https://example.org/a_b?c=%7Bd%7D%20e%20f#g}" in cite.bibtex(quoted(LAW), "en")


def test_a_hostile_title_stays_a_title_in_markdown() -> None:
    text = cite.markdown(quoted(replace(BARE, title="](javascript:alert) <b>*x*")), "en")
    assert r"[\](javascript:alert) \<b\>\*x\*](https://host/" in text


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda text: text, QUOTE),
        (lambda text: "A new opening. " + text, QUOTE),  # the words moved
        (lambda text: text[17:], QUOTE),
        (lambda text: text.replace("eight", "nine"), None),  # the words changed
        (lambda text: "Short.", None),
    ],
)
def test_a_link_finds_its_words_or_says_that_they_are_gone(change: object, found: str | None) -> None:
    assert callable(change)
    link = cite.link_to(LAW, SPAN)
    now = replace(LAW, text=change(TEXT))
    followed = cite.follow(link, {now.id: now})
    assert followed.lost == (found is None)
    assert (now.text[slice(*followed.span)] if followed.span else None) == found


def test_of_two_places_the_nearer_is_meant() -> None:
    twice = replace(LAW, text="A. Same words. B. Same words. C.")
    first, second = twice.text.index("Same"), twice.text.rindex("Same")
    for start in (first, second):
        assert cite.follow(cite.link_to(twice, (start, start + 11)), {twice.id: twice}).span == (start, start + 11)


@pytest.mark.parametrize(
    ("link", "document", "lost"),
    [
        ("?doc=eu-ai-act", True, False),
        ("?doc=eu-ai-act&span=0-3", True, False),  # written by hand, without a sum
        ("?doc=eu-ai-act&span=3-3", True, True),
        ("?doc=eu-ai-act&span=5-3", True, True),
        ("?doc=eu-ai-act&span=0-999999999", True, True),
        ("?doc=eu-ai-act&span=x", True, True),
        ("?doc=eu-ai-act&span=" + "9" * 5000 + "-1", True, True),
        ("?doc=eu-ai-act&span=0-3&sum=<script>", True, True),
        ("?doc=<script>", False, False),
        ("?doc=", False, False),
        ("", False, False),
        ("?%ff=%00&&;=", False, False),
        ("?" + "a=b&" * 5000, False, False),
    ],
)
def test_any_address_is_followed_without_harm(link: str, document: bool, lost: bool) -> None:
    followed = cite.follow(link, {LAW.id: LAW})
    assert ((followed.document is not None), followed.lost) == (document, lost)
    assert followed.span in {None, (0, 3)}


def test_a_false_sum_in_a_huge_document_costs_no_minute() -> None:
    huge = replace(LAW, text=TEXT * 100_000)
    for span in ("0-100", "3000000-3000100", "0-5800000"):
        begun = time.process_time()
        assert cite.follow(f"?doc={huge.id}&span={span}&sum=0", {huge.id: huge}).lost
        assert time.process_time() - begun < 5


def test_a_korean_id_survives_the_address() -> None:
    assert cite.follow(cite.link_to(BARE, SPAN), {BARE.id: BARE}).span == SPAN
