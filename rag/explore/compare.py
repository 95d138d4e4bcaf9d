"""Jurisdictions side by side: what the texts of each say on an aspect, one quote a cell, or nothing where none says it."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache

from rag.answer import extract
from rag.answer.coverage import PLACES
from rag.answer.lists import list_around
from rag.embed import Embedder
from rag.index import Index
from rag.places import located, places
from rag.retrieve import make_query, rank
from rag.text import blocks
from rag.types import Citation, Document, Language

SEVERAL = ("", "INT")  # the jurisdiction of a text that is of no one place
NEAR = 2.0  # least score of a sentence: from 1.5 to 2.3 the cells that tests know are right
BEGINNING = 24  # characters of a sentence in which its subject stands
LIST = 700  # characters of a list that a cell still holds


@dataclass(frozen=True, kw_only=True, eq=False)
class Aspect:
    """What is compared. The questions are searched for each place; a sentence answers only if it `says` such a thing."""

    name: dict[Language, str]
    questions: dict[Language, tuple[str, ...]]
    says: dict[Language, re.Pattern[str]]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What the texts of a place say on an aspect; no quote where none of them is near enough."""

    place: str
    quote: Citation | None


def _aspect(names: tuple[str, str], korean: tuple[str, ...], english: tuple[str, ...], says: tuple[str, str]) -> Aspect:
    return Aspect(
        name={"ko": names[0], "en": names[1]},
        questions={"ko": korean, "en": english},
        says={"ko": re.compile(says[0], re.IGNORECASE), "en": re.compile(says[1], re.IGNORECASE)},
    )


# Questions with the place's name find the texts about it, those without it the texts of its parts (a state's law).
ASPECTS: dict[str, Aspect] = {
    "who": _aspect(
        ("누가 규제를 받나", "Who is regulated"),
        ("{place} AI법은 어떤 사업자에게 적용되나?", "어떤 개발자와 기업이 의무를 지나?"),
        (
            "Which companies, providers or developers does the AI law of {place} apply to?",
            "Which developers and businesses have duties?",
        ),
        (
            r"(?:사업자|제공자|개발자|개발사|기업|배포자|플랫폼).*(?:적용|의무|대상)|(?:적용|의무).*(?:사업자|제공자|개발자|개발사|기업|배포자|플랫폼)|"
            r"(?:사업자|제공자|개발자|개발사|기업|배포자|플랫폼)\S*[은는].*(?:해야 합니다|하여야 합니다|역할)|기업.*역할을",
            r"(?:appl(?:y|ies) to|covers?|obliges|duties on|means (?:a|any)|regulates?|makes|fall on).*(?:provider|deployer|developer|operator|"
            r"compan|business|platform)|(?:provider|deployer|developer|operator|compan|business|platform)\w*.*(?:are covered|have duties|\bmust\b)|"
            r"assigns? (?:roles|duties) to.*business",
        ),
    ),
    "thresholds": _aspect(
        ("기준값", "Thresholds"),
        (
            "{place}에서 AI 의무가 생기는 학습 연산량(FLOP) 기준은 얼마인가?",
            "연산량이나 매출, 이용자 수가 얼마를 넘으면 의무를 지나?",
        ),
        (
            "Which training compute (FLOP) threshold triggers duties for AI models in {place}?",
            "Above how much compute, revenue or how many users do the duties apply?",
        ),
        (
            r"10\^\d+.*(?:이상|넘|기준|초과)|연산량 ?기준|\d[\d,만억조]* ?(?:원|달러|명|유로).*(?:이상|넘는|넘으면)",
            r"(?:threshold|above|over|more than|at least|exceed|reaches).*(?:10\^\d+|million|\d{3},\d{3})|10\^\d+.*threshold|compute threshold",
        ),
    ),
    "fines": _aspect(
        ("과태료·벌금", "Fines"),
        ("{place}에서 AI 규칙을 어기면 과태료나 과징금, 벌금은 얼마인가?", "위반하면 어떤 과태료나 벌금을 무나?"),
        (
            "Which fines or penalties, and how high, does breaking the AI rules of {place} bring?",
            "Which fines and penalties does the law set?",
        ),
        (r"과태료|과징금|벌금|벌칙|제재금", r"\bfine[sd]?\b|penalt"),
    ),
    "dates": _aspect(
        ("시행일", "Dates in force"),
        ("{place}의 AI법은 언제 시행되었나?", "{place}의 AI 규칙은 언제부터 시행되고 있나?"),
        ("When did the AI law of {place} enter into force?", "Which AI rules of {place} came into force, and when?"),
        (
            r"^(?!.*(?:현재|기준으로|개정|시행령))(?=.*\d{4}년)(?=.*(?:시행|발효|적용))",
            r"^(?!.*\b(?:As of|amendment|amending|Decree))(?=.*\d{4})(?=.*\b(?:in force|into force|t[ao]kes? effect|took effect|effective|appl(?:y|ies|ied) (?:since|from|on|in)))",
        ),
    ),
    "transparency": _aspect(
        ("투명성·표시 의무", "Transparency and labelling"),
        ("{place}에서 AI 생성물에는 어떤 표시를 해야 하나?", "{place}은 AI에 어떤 투명성 의무를 두나?"),
        (
            "What must be labelled or disclosed as AI-generated in {place}?",
            "Which transparency duties does {place} set for AI?",
            "Is there a duty to label AI output in {place}?",
        ),
        (
            r"표시(?:를|하|해|가|와|도|방법| 의무|할)|고지|알[려리릴]|투명성|워터마크|공개해야",
            r"\blabel|watermark|\bdisclos|transparency|(?:tell|inform|notify) (?:users|people|consumers)|clear sign|mark(?:ed|ing)? (?:AI|output|content)|publish records",
        ),
    ),
    "high-risk": _aspect(
        ("고위험·고영향 AI", "High-risk or high-impact AI"),
        ("{place}에서 고위험 또는 고영향 AI란 어떤 AI인가?",),
        ("Which AI counts as high-risk or high-impact in {place}?",),
        (r"고위험|고영향|중대한 결정", r"high[- ]risk|high[- ]impact|consequential decision"),
    ),
    "regulator": _aspect(
        ("규제기관", "Regulator"),
        ("{place}에서 AI 규칙을 집행하고 감독하는 기관은 어디인가?", "{place}의 AI 정책은 누가 맡나?", "법을 누가 집행하나?"),
        (
            "Which authority enforces and supervises the AI rules of {place}?",
            "Who regulates AI or runs AI policy in {place}?",
            "Who enforces the law?",
        ),
        (
            r"집행[하합]|감독[하합]|규제 ?기관은|소관|담당|관장|전략본부는|부처 규정|(?:도구를|총괄을|업무를) 맡",
            r"\benforce[sd]?\b(?! against)|supervise|oversee|\bregulators (?:apply|are)|chairs|issued by|maintain",
        ),
    ),
    "generative": _aspect(
        ("생성형 AI·범용 모델", "Generative AI and general-purpose models"),
        ("{place}에서 생성형 AI나 범용 AI 모델에는 어떤 의무가 있나?", "{place}의 생성형 AI 규정은 무엇을 요구하나?"),
        (
            "Which duties apply to generative AI or general-purpose AI models in {place}?",
            "What do the rules of {place} on generative AI require?",
        ),
        (r"생성형|범용|프런티어|파운데이션", r"generative|general-purpose|GPAI|foundation model|frontier"),
    ),
    "prohibited": _aspect(
        ("금지되는 관행", "Prohibited practices"),
        ("{place}에서 금지되는 AI는 어떤 것인가?", "{place}의 AI법에는 금지되는 AI의 목록이 있나?"),
        ("Which AI practices are banned or prohibited in {place}?", "Does the AI law of {place} have a list of banned AI uses?"),
        (r"금지(?:합|됩|되는|된|하며|하고)|금지 ?(?:관행|목록)|금지하지", r"\bbans\b|\bbanned\b|prohibit|may not"),
    ),
    "support": _aspect(
        ("규제 샌드박스·지원", "Sandboxes and support"),
        ("{place}에는 어떤 AI 규제 샌드박스가 있나?", "{place}은 AI 산업을 어떻게 진흥하고 지원하나?"),
        ("Which regulatory sandboxes for AI does {place} have?", "How does {place} promote and support AI?"),
        (
            r"샌드박스|진흥|육성|지원[하합을]|지원에는|촉진|투자",
            r"sandbox|promot(?:es|ing)|promotion of|supports? (?:companies|small|start-ups)|support covers|invest(?:s|ment)|\bfunds\b|support measures",
        ),
    ),
}
_ENDED = re.compile(
    r"^(?:revoked|repealed|withdrawn)\b|폐지(?:됨|되었음)?$", re.IGNORECASE
)  # the status of what is no longer law
# What only reports, or says that it does not know, answers for no jurisdiction.
_HEARSAY = re.compile(
    r"press report|reported|accounts|not (?:confirmed|checked)|claims?\b|differ|\bblog|\bdrafts?\b|would have|\bsaid\b|\bsays\b|briefing|also planned|"
    r"^다만|보도|확인하지 못|확인되지|대조하지|주장|엇갈|자료마다|블로그|초안|하려 했|말했|밝혔|가이드라인에 따르면",
    re.IGNORECASE,
)
_LACKS = re.compile(r"\b(?:lacks|does not|has (?:no|none))\b[^,]*$|없습니다\.$")


def compare(index: Index, embedder: Embedder, language: Language, asked: Sequence[str], aspect: str) -> tuple[Cell, ...]:
    """A cell for each place asked, in order. Raises KeyError for an aspect that there is not."""
    return tuple(Cell(place=place, quote=_quote(index, embedder, language, place, ASPECTS[aspect])) for place in asked)


def compared(documents: Mapping[str, Document]) -> tuple[str, ...]:
    """The jurisdictions that have texts of their own, those with most first; a state is told with its country."""
    counts = Counter(d.jurisdiction.split("-")[0] for d in documents.values() if d.jurisdiction not in SEVERAL)
    titled = {code for d in documents.values() if d.jurisdiction in SEVERAL for code in places(d.title)}
    return (
        *(place for place, _ in counts.most_common()),
        *sorted(place for place in titled - counts.keys() if place in PLACES["en"]),
    )


@lru_cache(maxsize=512)
def _quote(index: Index, embedder: Embedder, language: Language, place: str, aspect: Aspect) -> Citation | None:
    """The sentence of the place's own texts that answers best; none if the best is too far from the questions."""
    own = own_documents(index.documents, place)
    found: list[extract.Candidate] = []
    for question in aspect.questions[language]:
        query = make_query(question.format(place=PLACES[language].get(place, place)), embedder)
        near = [each for each in extract.candidates(index, query, rank(index, query, among=own)) if each.score >= NEAR]
        found += filter(None, (_whole(candidate, place, aspect.says[query.language]) for candidate in near))
    best = max(found, key=lambda candidate: (not _begins_elsewhere(_sentence(candidate), place), candidate.score), default=None)
    return extract.cite(best.document, best.chunk_id, best.start, best.end, 1) if best else None


def _sentence(candidate: extract.Candidate) -> str:
    return " ".join(candidate.document.text[candidate.start : candidate.end].split())


def _begins_elsewhere(sentence: str, place: str) -> bool:
    """Whether it begins with another place's law: then it compares, or is about that law."""
    named = located(sentence)
    return bool(named) and named[0][1].split("-")[0] != place and named[0][0] <= BEGINNING


def _whole(candidate: extract.Candidate, place: str, says: re.Pattern[str]) -> extract.Candidate | None:
    """The candidate if it says what the aspect is about, with its list if most of that does; none if it does not."""
    text = candidate.document.text
    sentence = _sentence(candidate)
    named = located(sentence)
    lacking = named and named[-1][1].split("-")[0] == place and _LACKS.search(sentence)  # what another has, this one has not
    if (_begins_elsewhere(sentence, place) and not lacking) or sentence.endswith("?") or _HEARSAY.search(sentence):
        return None
    block = list_around(text, candidate.start, candidate.end)
    if block:
        start, lead_end, list_end = block
        items = [text[left:right] for left, right in blocks(text, lead_end, list_end)]
        if says.search(text[start:lead_end]) or 2 * sum(bool(says.search(item)) for item in items) >= len(items):
            ends = [right for _, right in blocks(text, lead_end, list_end) if right - start <= LIST]
            if ends and ends[-1] >= candidate.end:
                return replace(candidate, start=start, end=ends[-1])
    return candidate if says.search(sentence) and not sentence.endswith((":", "：")) else None


def own_documents(documents: Mapping[str, Document], place: str) -> Set[str]:
    """Ids of the texts of a jurisdiction and its parts, and of those of several whose title names it alone; none that are revoked."""
    return {
        document.id
        for document in documents.values()
        if document.jurisdiction.split("-")[0] == place
        or (document.jurisdiction in SEVERAL and places(document.title) == {place})
        if not _ENDED.search(document.status)
    }
