"""The words of the page, in both languages. The words inside an answer's text are `rag.answer.frame`'s."""

from dataclasses import dataclass

from rag.types import Language

LANGUAGES: tuple[Language, ...] = ("ko", "en")
TITLE = "집현 Jiphyeon"


@dataclass(frozen=True, kw_only=True)
class Strings:
    """One language of the page. Braces are filled by `str.format`."""

    switch: str  # to the other language, in the other language
    tagline: str
    covers: str
    languages: dict[str, str]
    placeholder: str
    send: str
    try_one: str
    across: str
    beyond: str
    # work behind the page
    preparing: str
    loading: str
    stages: dict[str, str]
    step: str
    left: str
    # answers
    footer: str
    generated: str
    failed: str
    writing: str
    model: str
    quotes_only: str
    copy: str
    copied: str
    marker: str
    refused: str
    nearest: str
    answerable: str
    # the conversation's controls
    controls: str
    stop: str
    stopped: str
    again: str
    edit: str
    editing: str
    keep: str
    new: str
    save: str  # as a kind of file
    # evidence
    evidence: str
    document: str
    sources: str
    status: str
    brief: str
    counterpart: str
    previous: str
    next: str
    of: str
    close: str
    corpus: str
    corpus_hint: str
    more: str
    sections: str
    cut: str
    refused_hint: str
    source: str
    # reading: links and citations
    linked: str
    link_unknown: str
    link_lost: str
    copy_link: str
    cite_as: str
    cite_plain: str
    cite_korean: str
    side_by_side: str
    conversation: str
    # problems
    problem: str
    problem_open: str
    unexpected: str
    gone: str


KOREAN = Strings(
    switch="English",
    tagline="AI 거버넌스 자료에서 답이 되는 문장을 그대로 옮기고, 그 문장이 놓인 자리를 보여 줍니다.",
    covers="문서 {documents}건 · {languages} · 최신 기준일 {newest}",
    languages={"ko": "한국어", "en": "영어"},
    placeholder="AI 거버넌스에 관해 물어보세요",
    send="보내기",
    try_one="이렇게 물어볼 수 있습니다",
    across="다른 언어로 묻기",
    beyond="자료에 없는 내용",
    preparing="자료를 준비하고 있습니다. 준비가 끝나면 바로 답합니다.",
    loading="모델과 색인을 여는 중",
    stages={
        "chunks": "문서 나누기",
        "vectors": "벡터 만들기",
        "store": "색인에 넣기",
        "words": "형태소 분석",
        "verified": "색인 확인",
    },
    step="{what} {done:,}/{total:,}",
    left="{seconds}초쯤 남음",
    footer="문서 {documents}건에서 인용 {quotes}개 · 지어내지 않고 그대로 인용 · {seconds}초",
    generated="{model} 모델이 쓰고 문장마다 자료에서 확인 · 문서 {documents}건에서 인용 {quotes}개 · {seconds}초",
    failed="확인하지 못해 표시하거나 뺀 문장 {count}개",
    writing="{model} 모델이 쓰고 있습니다. 확인된 문장부터 보입니다.",
    model="답을 쓰는 모델",
    quotes_only="모델 없이 인용만",
    copy="출처와 함께 복사",
    copied="복사했습니다",
    marker="{marker}번 인용의 근거 보기",
    refused="자료에서 답을 찾지 못했습니다",
    nearest="가장 가까운 대목",
    answerable="이런 질문에는 답할 수 있습니다",
    controls="대화",
    stop="멈추기",
    stopped="답을 멈췄습니다.",
    again="다시 답하기",
    edit="질문 고치기",
    editing="마지막 질문을 고치는 중입니다. 보내면 그 답을 대신합니다.",
    keep="그대로 두기",
    new="새 대화",
    save="대화를 {kind} 파일로 저장",
    evidence="근거",
    document="문서",
    sources="출처",
    status="현황",
    brief="집현이 쓴 해설입니다. 원문은 출처에서 확인하세요.",
    counterpart="같은 대목, {language}",
    previous="이전 인용",
    next="다음 인용",
    of="인용 {marker}/{total}",
    close="닫기",
    corpus="자료 목록",
    corpus_hint="답의 번호를 누르면 여기에 근거가 나옵니다.",
    more="그 밖에 {count}건",
    sections="차례",
    cut="문서가 길어 인용 주변만 보입니다.",
    refused_hint="가장 가까운 대목입니다. 질문의 답은 아닙니다.",
    source="출처 열기",
    linked="링크가 가리키는 인용",
    link_unknown="링크가 가리키는 문서({document})가 지금 자료에 없습니다. 빠졌거나 주소가 잘못되었을 수 있습니다.",
    link_lost="링크가 가리키는 문장이 이 문서에 없습니다. 문서가 바뀌었거나 주소가 잘못되었을 수 있어 문서 전체를 보입니다.",
    copy_link="링크 복사",
    cite_as="인용 표기 복사",
    cite_plain="본문용",
    cite_korean="한국어 각주",
    side_by_side="나란히",
    conversation="대화",
    problem="답하지 못했습니다",
    problem_open="자료를 열지 못했습니다. 아래 문제를 해결한 뒤 다시 질문하면 새로 엽니다.",
    unexpected="예상하지 못한 오류가 났습니다. 다시 질문해 보세요. 되풀이되면 서버 기록에 자세한 내용이 있습니다.",
    gone="앞선 대화가 서버에 남아 있지 않습니다. 필요한 질문은 다시 보내 주세요.",
)

ENGLISH = Strings(
    switch="한국어",
    tagline="Answers on AI governance, quoted word for word from its documents, each quote shown where it stands.",
    covers="{documents} documents · {languages} · newest as of {newest}",
    languages={"ko": "Korean", "en": "English"},
    placeholder="Ask about AI governance",
    send="Send",
    try_one="You could ask",
    across="across languages",
    beyond="not in the corpus",
    preparing="Still preparing. Your question is answered as soon as the documents are ready.",
    loading="Opening the model and the index",
    stages={
        "chunks": "Splitting documents",
        "vectors": "Computing vectors",
        "store": "Filling the index",
        "words": "Analysing words",
        "verified": "Verifying the index",
    },
    step="{what} {done:,}/{total:,}",
    left="about {seconds} s left",
    footer="{quotes} quotes from {documents} documents · quoted, not generated · {seconds} s",
    generated="written by {model}, checked sentence by sentence · {quotes} quotes from {documents} documents · {seconds} s",
    failed="{count} not verified, marked or left out",
    writing="{model} is writing. Each sentence appears once it is checked.",
    model="Model that writes the answer",
    quotes_only="Quotes only, no model",
    copy="Copy with sources",
    copied="Copied",
    marker="Show the evidence of quote {marker}",
    refused="The corpus does not answer this",
    nearest="Nearest passages",
    answerable="Questions it can answer",
    controls="Conversation",
    stop="Stop",
    stopped="The answer was stopped.",
    again="Regenerate",
    edit="Edit",
    editing="Editing your last question. Its answer will be replaced.",
    keep="Leave it",
    new="New chat",
    save="Save the conversation as {kind}",
    evidence="Evidence",
    document="Document",
    sources="Sources",
    status="Status",
    brief="A summary written by Jiphyeon. For the original wording, open the sources.",
    counterpart="The same section in {language}",
    previous="Previous quote",
    next="Next quote",
    of="Quote {marker} of {total}",
    close="Close",
    corpus="Corpus",
    corpus_hint="Press a number in an answer to see its evidence here.",
    more="and {count} more",
    sections="Contents",
    cut="The document is long: only the part around the quote is shown.",
    refused_hint="The nearest passage. It does not answer the question.",
    source="Open the source",
    linked="The quote that the link points at",
    link_unknown="The document of this link ({document}) is not in the corpus now: it was taken out, or the address is wrong.",
    link_lost="The quote of this link does not stand in this document: the text has changed, or the address is wrong. "
    "The whole document is shown.",
    copy_link="Copy link",
    cite_as="Copy citation",
    cite_plain="Plain text",
    cite_korean="Korean footnote",
    side_by_side="Side by side",
    conversation="Conversation",
    problem="No answer",
    problem_open="The documents could not be opened. Mend what is named below and ask again: they are then opened anew.",
    unexpected="Something unexpected went wrong. Ask again; if it happens again, the server's log has the details.",
    gone="The server no longer holds the earlier part of this conversation. Please ask those questions again.",
)

STRINGS: dict[Language, Strings] = {"ko": KOREAN, "en": ENGLISH}


@dataclass(frozen=True, kw_only=True)
class Example:
    """A question to try. `topic`: the id, without its language, of the text that answers; empty for none."""

    question: str
    topic: str
    across: bool = False


EXAMPLES: dict[Language, tuple[Example, ...]] = {
    "ko": (
        Example(question="왜 머스크는 소송을 냈나?", topic="musk-v-openai"),
        Example(question="FLI 공개서한은 무엇을 요구했나?", topic="fli-pause-letter"),
        Example(question="한국에서 AI로 만든 이미지에 표시를 해야 하나?", topic="kr-ai-basic-act-transparency"),
        Example(question="Which practices does Article 5 ban?", topic="eu-ai-act-prohibited", across=True),
        Example(question="Who controls OpenAI now?", topic="openai-structure", across=True),
        Example(question="EU AI법 제150조는 무엇을 정하나?", topic=""),
    ),
    "en": (
        Example(question="Which practices does Article 5 ban?", topic="eu-ai-act-prohibited"),
        Example(question="What did the FLI open letter ask for?", topic="fli-pause-letter"),
        Example(question="Does the AI Basic Act apply to foreign companies?", topic="kr-ai-basic-act-scope"),
        Example(question="왜 머스크는 소송을 냈나?", topic="musk-v-openai", across=True),
        Example(question="오픈AI는 지금 누가 지배하나?", topic="openai-structure", across=True),
        Example(question="What does Article 150 of the EU AI Act say?", topic=""),
    ),
}


@dataclass(frozen=True, kw_only=True)
class OwnStrings:
    """What the page says of a visitor's own documents. `reasons`: by `DocumentError.reason`, why a file was not taken."""

    attach: str
    title: str
    note: str
    remove: str
    reading: str
    queued: str
    indexing: str
    lost: str
    reasons: dict[str, str]


OWN_STRINGS: dict[Language, OwnStrings] = {
    "ko": OwnStrings(
        attach="내 문서 올리기",
        title="내가 올린 문서",
        note="이 창에서만 검색하며, 창을 닫으면 한 시간 안에 지웁니다.",
        remove="{name} 지우기",
        reading="{name} 읽는 중 ({done}/{total})",
        queued="앞선 방문자의 문서를 읽고 있습니다. 곧 차례가 옵니다.",
        indexing="찾을 수 있게 준비하고 있습니다.",
        lost="연결이 끊긴 사이에 올린 문서가 서버에서 지워졌습니다. 다시 올릴 때까지는 집현의 자료에서만 답합니다.",
        reasons={
            "suffix": "{name}: 읽을 수 없는 형식입니다. {suffixes} 파일을 올려 주세요.",
            "format": "{name}: 내용이 파일 이름의 형식과 다릅니다. 만든 프로그램에서 다시 저장하거나 PDF로 저장해 주세요.",
            "encrypted": "{name}: 암호가 걸려 있습니다. 암호를 풀고 저장해 다시 올려 주세요.",
            "broken": "{name}: 파일이 손상되었습니다. 만든 프로그램에서 다시 저장하거나 PDF로 저장해 주세요.",
            "empty": "{name}: 글자가 없습니다. 스캔한 문서라면 문자 인식(OCR)을 거쳐 다시 올려 주세요.",
            "large": "{name}: 파일이 너무 큽니다. 나누어 올려 주세요.",
            "long": "{name}: 모두 합쳐 {characters:,}자(약 {pages}쪽)까지 올릴 수 있습니다. 다른 문서를 지우거나 필요한 부분만 올려 주세요.",
            "many": "{name}: 문서는 {documents}건까지 올릴 수 있습니다. 다른 문서를 지우고 다시 올려 주세요.",
            "full": "{name}: 지금은 다른 방문자들의 문서로 자리가 없습니다. 나중에 다시 올려 주세요.",
            "slow": "{name}: 읽는 데 시간이나 메모리가 너무 많이 듭니다. 나누거나 텍스트로 저장해 올려 주세요.",
            "unreadable": "{name}: 읽지 못했습니다. UTF-8 텍스트나 PDF로 저장해 다시 올려 주세요.",
        },
    ),
    "en": OwnStrings(
        attach="Add your documents",
        title="Your documents",
        note="Searched in this window only, and gone within an hour of closing it.",
        remove="Remove {name}",
        reading="Reading {name} ({done} of {total})",
        queued="Reading another visitor's documents first. Yours are next.",
        indexing="Making them searchable.",
        lost="Your documents are gone from the server: the connection was lost. Until you add them again, answers come from the corpus alone.",
        reasons={
            "suffix": "{name}: not a format that is read. Add a file in {suffixes}.",
            "format": "{name}: not what its name says. Save it again in the program that made it, or as PDF.",
            "encrypted": "{name}: locked with a password. Save it without one and add it again.",
            "broken": "{name}: damaged. Save it again in the program that made it, or as PDF.",
            "empty": "{name}: holds no text. If it is a scan, recognise its text (OCR) and add it again.",
            "large": "{name}: too large. Split it.",
            "long": "{name}: your documents may hold {characters:,} characters together (about {pages} pages). Remove another, or add only the part you need.",
            "many": "{name}: you may add {documents} documents. Remove one and add this again.",
            "full": "{name}: other visitors' documents take all the room for now. Try again later.",
            "slow": "{name}: takes too much time or memory to read. Split it, or save it as plain text.",
            "unreadable": "{name}: could not be read. Save it as UTF-8 text or PDF and add it again.",
        },
    ),
}
