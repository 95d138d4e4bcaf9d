"""The field's terms in both languages: what a question calls a thing, and what texts of the other language call it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from rag.config import PROJECT
from rag.lexical import words
from rag.types import Language

FILE = PROJECT / "corpus" / "glossary.yaml"
# Every text here is on these: alone they name no thing.
_OF_ALL = frozenset(("ai", "인공", "지능", "artifici", "intellig"))
_IN_BRACKETS = re.compile(r"\s*\([^)]*\)")

Tokens = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Term:
    """A term that a question uses: its BM25 tokens, its first name in the other language, and the tokens of all its names there.

    `names`: all in both languages.
    """

    tokens: Tokens
    name: str
    translations: tuple[Tokens, ...]
    names: tuple[str, ...]


def terms(text: str, language: Language) -> list[Term]:
    """The terms that the text uses, in order; of two that overlap the one that begins first, of those the longest."""
    known, longest = _known()[language]
    said = words(text)
    found: list[Term] = []
    place = 0
    while place < len(said):
        spans = (said[place:end] for end in range(min(place + longest, len(said)), place, -1))
        term = next(filter(None, (_term(known, span) for span in spans)), None)
        found += [term] if term else []
        place += len(term.tokens) if term else 1
    return found


def _term(known: Mapping[Tokens, Term], span: Sequence[tuple[str, str]]) -> Term | None:
    """The term of these (token, word); a single word must begin like a name, as "important" has the stem of "importer"."""
    term = known.get(tuple(token for token, _ in span))
    beginnings = tuple(name.lower()[:-1] for name in term.names) if term else ()
    return term if len(span) > 1 or not span[0][1].isascii() or span[0][1].startswith(beginnings) else None


def warm() -> None:
    """Read the glossary now rather than at the first question."""
    _known()


@cache
def _known() -> dict[Language, tuple[dict[Tokens, Term], int]]:
    """Of each language the terms by their tokens, and how many tokens the longest has; none where there is no glossary."""
    import yaml

    entries = yaml.load(FILE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) if FILE.is_file() else []
    known: dict[Language, tuple[dict[Tokens, Term], int]] = {}
    pairs: Sequence[tuple[Language, Language]] = (("ko", "en"), ("en", "ko"))
    for language, other in pairs:
        of_tokens: dict[Tokens, Term] = {}
        for entry in entries:
            own, names = _names(entry[language]), _names(entry[other])
            for name in own:
                tokens = _tokens(name)
                if not _OF_ALL.issuperset(tokens):
                    before = of_tokens.get(tokens, Term(tokens=tokens, name=names[0], translations=(), names=()))
                    of_tokens[tokens] = replace(
                        before,
                        translations=(*before.translations, *filter(None, map(_tokens, names))),
                        names=(*before.names, *own, *names),
                    )
        known[language] = of_tokens, max(map(len, of_tokens), default=0)
    return known


def _names(term: Mapping[str, Any]) -> list[str]:
    return [_IN_BRACKETS.sub("", name) for name in (term["term"], *term["variants"])]


def _tokens(name: str) -> Tokens:
    return tuple(token for token, _ in words(name))
