"""The words around quotes, which are ours, in both languages."""

import re

from rag.types import Document, Language

KINDS: dict[str, dict[str, str]] = {
    "en": {
        "law": "law", "decree": "decree", "bill": "bill", "treaty": "treaty", "declaration": "declaration", "standard": "standard",
        "order": "executive order", "case": "court case", "letter": "letter", "policy": "policy", "guidance": "guidance",
        "commentary": "commentary", "report": "report", "article": "article of law",
    },
    "ko": {
        "law": "법률", "decree": "시행령", "bill": "법안", "treaty": "조약", "declaration": "선언", "standard": "표준",
        "order": "행정명령", "case": "소송 사건", "letter": "서한", "policy": "정책", "guidance": "지침",
        "commentary": "논평", "report": "보고서", "article": "법 조문",
    },
}  # fmt: skip
LANGUAGE_NAMES = {"en": {"en": "English", "ko": "Korean"}, "ko": {"en": "영어", "ko": "한국어"}}
OURS = "Jiphyeon"  # the author of the texts that come with the project: summaries, not the instruments themselves
_SHORT = re.compile(
    r"[\w-]{1,20}( [\w-]{1,20})?"
)  # a kind that we have no word for; a longer one would be a sentence in our name


def kind_label(document: Document, language: Language) -> str:
    """What kind of source this is; our own summary of an instrument is not taken for the instrument."""
    kind = KINDS[language].get(document.kind, document.kind if _SHORT.fullmatch(document.kind) else "")
    if document.author != OURS:
        return kind
    if language == "ko":
        return f"집현 해설: {kind}" if kind else "집현 해설"
    return f"Jiphyeon brief: {kind}" if kind else "Jiphyeon brief"


def as_of_label(document: Document, language: Language) -> str:
    """As of when the document speaks, or when it was published; empty if it says neither."""
    if document.as_of:
        return f"{document.as_of} 기준" if language == "ko" else f"as of {document.as_of}"
    if document.published:
        return f"{document.published} 발행" if language == "ko" else f"published {document.published}"
    return ""


def header(document: Document, language: Language) -> str:
    """The line over the quotes of one document."""
    parts = [f"**{document.title}**", kind_label(document, language), as_of_label(document, language)]
    return " · ".join(part for part in parts if part)
