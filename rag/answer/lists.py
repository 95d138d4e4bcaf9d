"""Lists in a text: a lead-in and its items."""

import re

from rag.text import sentences

_ITEM = re.compile(r"[ ]*(?:[-*+•·ㆍ]|\d{1,2}[.)]|[a-z][.)]|\([a-z0-9]{1,2}\)|[가-하][.)]|[①-⑳])[ ]*\S")


def list_around(text: str, start: int, end: int) -> tuple[int, int, int] | None:
    """(start of the lead-in, its end, end of the list) if the span is a list's lead-in or one of its items."""
    line_start = text.rfind("\n", 0, start) + 1
    if text[start:end].rstrip().endswith((":", "：")):
        lead_start, lead_end = start, end
    elif _ITEM.match(text, line_start):
        above = line_start
        while above > 0:
            previous_start = text.rfind("\n", 0, above - 1) + 1
            line = text[previous_start : above - 1]
            if line.strip() and not _ITEM.match(line):
                break
            above = previous_start
        if above == 0:
            return None
        lead_end = previous_start + len(text[previous_start : above - 1].rstrip())
        line = text[previous_start:lead_end]
        if not line.endswith((":", "：", ".")) or line.startswith("#"):
            return None
        lead_start = sentences(text, previous_start, lead_end)[-1][0]
    else:
        return None
    position = lead_end
    list_end = None
    while (newline := text.find("\n", position)) >= 0:
        line_end = text.find("\n", newline + 1)
        line_end = len(text) if line_end < 0 else line_end
        line = text[newline + 1 : line_end]
        if line.strip() and not _ITEM.match(line):
            break
        if line.strip():
            list_end = newline + 1 + len(line.rstrip())
        position = newline + 1
    return (lead_start, lead_end, list_end) if list_end else None
