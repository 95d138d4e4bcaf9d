"""Lists in a text: a lead-in and its items, as in a list of bullets or in the numbered levels of a statute."""

import re
from collections.abc import Iterator

from rag.text import sentences

# What numbers an item. The levels of a law differ in it: ①, 1., 가. of a Korean act; (1), (a), (i) of an English one.
_MARKER = re.compile(
    r"(?P<indent>[ ]*)(?:(?P<bullet>[-*+•·ㆍ])|(?P<number>\d{1,2}(?:의\d+)?)\.|(?P<half>\d{1,2})\)|\((?P<bracketed>\d{1,2})\)|"
    r"\(?(?P<roman>[ivx]+)[.)]|(?P<letter>[a-z])[.)]|\((?P<lettered>[a-z]{1,2})\)|(?P<syllable>[가-하])[.)]|(?P<circled>[①-⑳]))[ ]*\S"
)
_FIRST = {"1", "a", "i", "가", "①"}
# A Korean act leads in with a whole sentence, which need not be the last of its paragraph: "다음 각 호의 ... 한다. 다만, ..."
_LEADS_IN = re.compile(r"[:：]\s*$|다음 각 ?[호목]|각 ?[호목]의 어느|다음과 같(?:다|이|습니다)|아래와 같(?:다|이|습니다)")
_LINES_ABOVE = 80  # that are looked through for the lead-in of an item


def leads_in(text: str) -> bool:
    """Whether a sentence says that a list follows."""
    return bool(_LEADS_IN.search(text))


def list_around(text: str, start: int, end: int) -> tuple[int, int, int] | None:
    """(start of the lead-in, its end, end of the list) if the span is a list's lead-in or one of its items.

    The list ends before an item of the lead-in's own level; items of lists within it are its own.
    """
    line = _line(text, start)
    if leads_in(text[start:end]) and (list_end := _end_of_list(text, line)):
        return start, line[1], list_end
    level = _level(text, line)
    if level is None:
        return None
    for above in _lines_above(text, line[0]):
        own = _level(text, above)
        if own == level:
            continue
        if own is None and (text.startswith("#", above[0]) or not text[above[0] : above[1]].endswith((":", "：", "."))):
            if not leads_in(text[above[0] : above[1]]):
                return None
        elif own is not None and not leads_in(text[above[0] : above[1]]):
            continue
        list_end = _end_of_list(text, above)
        if list_end and list_end > start:
            spans = sentences(text, *above)
            lead_start = next((left for left, right in reversed(spans) if leads_in(text[left:right])), spans[-1][0])
            return lead_start, above[1], list_end
        if own is None:
            return None
    return None


def _end_of_list(text: str, lead_in: tuple[int, int]) -> int | None:
    """Where the list ends whose lead-in is in the line of that span; None if no list begins behind it."""
    own, levels, list_end = _level(text, lead_in), set[str](), None
    for line in _lines_below(text, lead_in[1]):
        level = _level(text, line)
        begins = level is not None and level not in levels and _is_first(text, line)
        if level is None or level == own or not (level in levels or begins):
            break
        levels.add(level)
        list_end = line[1]
    return list_end


def _level(text: str, line: tuple[int, int]) -> str | None:
    """What kind of marker the line begins with, bullets with their indentation; None without one."""
    marker = _MARKER.match(text, *line)
    kind = marker.lastgroup if marker else None
    return f"{kind}{len(marker['indent'])}" if marker and kind == "bullet" else kind


def _is_first(text: str, line: tuple[int, int]) -> bool:
    """Whether the line's marker begins a list: a bullet may, a number only as the first."""
    marker = _MARKER.match(text, *line)
    return marker is not None and (marker.lastgroup == "bullet" or marker[marker.lastgroup or 0] in _FIRST)


def _line(text: str, position: int) -> tuple[int, int]:
    """The span of the line around the position, without the space at its end."""
    start, end = text.rfind("\n", 0, position) + 1, text.find("\n", position)
    end = len(text) if end < 0 else end
    return start, start + len(text[start:end].rstrip())


def _lines_below(text: str, position: int) -> Iterator[tuple[int, int]]:
    """The lines that are not empty after the one of the position, from there on."""
    while (newline := text.find("\n", position)) >= 0:
        line = _line(text, newline + 1)
        if line[0] < line[1]:
            yield line
        position = max(line[1], newline + 1)


def _lines_above(text: str, position: int) -> Iterator[tuple[int, int]]:
    """The lines that are not empty before the position, from there back, at most so many."""
    for _ in range(_LINES_ABOVE):
        if position <= 0:
            return
        line = _line(text, position - 1)
        position = line[0]
        if line[0] < line[1]:
            yield line
