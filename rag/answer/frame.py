"""The words around quotes, which are ours, in both languages."""

import re

from rag.types import Document, Language

KINDS: dict[str, dict[str, str]] = {
    "en": {
        "law": "law", "decree": "decree", "bill": "bill", "treaty": "treaty", "declaration": "declaration", "standard": "standard",
        "order": "executive order", "case": "court case", "letter": "letter", "policy": "policy", "guidance": "guidance",
        "commentary": "commentary", "report": "report", "article": "article of law", "own": "your document",
    },
    "ko": {
        "law": "법률", "decree": "시행령", "bill": "법안", "treaty": "조약", "declaration": "선언", "standard": "표준",
        "order": "행정명령", "case": "소송 사건", "letter": "서한", "policy": "정책", "guidance": "지침",
        "commentary": "논평", "report": "보고서", "article": "법 조문", "own": "올린 문서",
    },
}  # fmt: skip
LANGUAGE_NAMES = {"en": {"en": "English", "ko": "Korean"}, "ko": {"en": "영어", "ko": "한국어"}}
OWN = "own"  # the kind of a visitor's own documents, and what their ids begin with
OURS = "Jiphyeon"  # the author of the texts that come with the project: summaries, not the instruments themselves
_SHORT = re.compile(
    r"[\w-]{1,20}( [\w-]{1,20})?"
)  # a kind that we have no word for; a longer one would be a sentence in our name

UNVERIFIED: dict[Language, str] = {"ko": "[확인되지 않음]", "en": "[not verified]"}  # behind a sentence that failed a check
# What became of a chat model's answer, by the reason of a ChatModelError; quotes follow but where it was only cut off.
_NOTICES: dict[Language, dict[str, str]] = {
    "ko": {
        "closed": "{model} 모델을 지금 쓸 수 없습니다. 해결 방법은 서버 기록에 있습니다.",
        "slow": "{model} 모델이 제때 답하지 않았습니다.",
        "limited": "{model} 모델의 호출 한도에 이르렀습니다. 잠시 뒤에 다시 질문해 보세요.",
        "failed": "{model} 모델이 답하는 중에 오류가 났습니다.",
        "empty": "{model} 모델이 아무것도 쓰지 않았습니다.",
        "abstained": "{model} 모델은 찾은 대목에 답이 없다고 판단했습니다.",
        "unverified": "{model} 모델이 쓴 문장을 자료에서 하나도 확인하지 못했습니다.",
        "language": "{model} 모델이 질문과 다른 언어로 답했습니다.",
        "instead": "대신 자료의 문장을 그대로 옮깁니다.",
        "cut": "{model} 모델의 글이 끝나기 전에 끊겼습니다. 끝까지 쓴 문장만 보입니다.",
    },
    "en": {
        "closed": "{model} is not available. The server's log says how to mend it.",
        "slow": "{model} did not answer in time.",
        "limited": "{model} has reached its rate limit. Try again in a while.",
        "failed": "{model} failed while answering.",
        "empty": "{model} wrote nothing.",
        "abstained": "{model} found no answer in the passages.",
        "unverified": "Nothing that {model} wrote could be verified in the documents.",
        "language": "{model} answered in another language than the question's.",
        "instead": "Quoted instead, word for word:",
        "cut": "{model} was cut off before the end. Only its finished sentences are shown.",
    },
}


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


def notice(reason: str, model: str, language: Language) -> str:
    """What became of a chat model's answer, and that quotes are given instead where they are."""
    said = _NOTICES[language][reason].format(model=model)
    return said if reason == "cut" else f"{said} {_NOTICES[language]['instead']}"
