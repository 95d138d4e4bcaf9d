"""What the corpus covers, in one sentence."""

from rag.index import Index
from rag.types import Document, Language


def coverage(index: Index, language: Language) -> str:
    """Topics, languages and newest *as of* date of the corpus, in the asker's language."""
    documents = list(index.documents.values())
    topics = _topics(documents, language)
    named = ", ".join(document.title for document in topics[:8])
    newest = max((document.as_of or document.published for document in documents), default="")
    languages = sorted({document.language for document in documents})
    if language == "ko":
        rest = f" 외 {len(topics) - 8}건" if len(topics) > 8 else ""
        names = "·".join({"ko": "한국어", "en": "영어"}.get(code, code) for code in languages)
        until = f" 가장 최근 기준일은 {newest}입니다." if newest else ""
        return f"이 자료는 문서 {len(documents)}건({names})으로, 다음을 다룹니다: {named}{rest}.{until}"
    rest = f" and {len(topics) - 8} more" if len(topics) > 8 else ""
    names = " and ".join({"ko": "Korean", "en": "English"}.get(code, code) for code in languages)
    until = f" The newest as-of date is {newest}." if newest else ""
    return f"The corpus holds {len(documents)} documents ({names}) on: {named}{rest}.{until}"


def _topics(documents: list[Document], language: Language) -> list[Document]:
    """One document a topic: of two counterparts the one in the asker's language."""
    pairs = {document.pair for document in documents if document.language == language}
    return sorted(
        (document for document in documents if document.language == language or document.id not in pairs),
        key=lambda document: (document.language != language, document.title),
    )
