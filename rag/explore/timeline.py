"""Events of AI governance with their dates, taken from the texts: a sentence that says what happened, and on which day.

Precision before recall. A date counts where its own clause has a verb of governance and the words around it say that
something happens then ("on", "since", 에, 부터), not that a text is dated or speaks as of it. Where a text has its
counterpart in the other language, both must give the date: two wordings seldom mislead the rules at once.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from rag.index import Index
from rag.lexical import tokens
from rag.places import names_any
from rag.text import sentences
from rag.types import Document, Language

# Share of the shorter sentence's words from which two of one date tell the same: of one jurisdiction, of one and of several.
SAME, SAME_ACROSS = 0.25, 0.45
FIRST = 4  # characters before a date that still begins the sentence
SEVERAL = ("", "INT")  # what is no one jurisdiction
LONGEST = 400  # characters of a sentence: longer ones are several run together
_MONTHS = "January February March April May June July August September October November December".split()
_MONTH = "|".join(_MONTHS)


@dataclass(frozen=True, kw_only=True)
class Event:
    """A sentence and the date on which it happens: `document.text[start:end]`, in which the date is `date_start:date_end`.

    `when` is YYYY-MM-DD or YYYY-MM. `also` are sentences of other texts on the same date and jurisdiction.
    """

    when: str
    jurisdiction: str
    document: Document
    start: int
    end: int
    date_start: int
    date_end: int
    also: tuple["Event", ...] = ()

    @property
    def quote(self) -> str:
        return self.document.text[self.start : self.end]


@dataclass(frozen=True, kw_only=True)
class _Grammar:
    """How a language writes dates, and what around a date makes an event of it."""

    dates: re.Pattern[str]
    leads: re.Pattern[str]  # ends right before the date of an event
    follows: re.Pattern[str]  # begins right after it
    clause_starts: re.Pattern[str]
    clause_ends: re.Pattern[str]
    happens: re.Pattern[str]
    deadline: re.Pattern[str]  # the date ends a term: an event only if something is due
    due: re.Pattern[str]
    doubtful: re.Pattern[str]  # anywhere in the sentence
    denied: re.Pattern[str]  # in the clause


_ENGLISH = _Grammar(
    dates=re.compile(
        rf"(?:(?P<day>\d{{1,2}})(?:(?:,? (?:and|to) |[-–])\d{{1,2}})? )?(?P<month>{_MONTH})(?: (?P<us_day>\d{{1,2}}),)? (?P<year>\d{{4}})\b"
    ),
    leads=re.compile(
        r"(?:^|\b(?:on|in|since|from|effective|by|is|and|late|early|mid)[ -])(?:(?:early|late|mid)[ -])?$", re.IGNORECASE
    ),
    follows=re.compile(r"(?!'s| (?:and|to) \d)"),
    clause_starts=re.compile(r"[;:]|,? (?:while|because|although|whereas)\b|, (?:and|but|so|which|that|as)\b"),
    clause_ends=re.compile(r"[;:]|,? (?:while|because|although|whereas)\b|, (?:and|but|so|which|that|as)\b"),
    happens=re.compile(
        r"\b(?:adopt(?:s|ed)|sign(?:s|ed)|enacted|pass(?:es|ed)|approv(?:es|ed)|veto(?:es|ed)|repeal(?:s|ed)|revok(?:es|ed)|rescinded|"
        r"withdr[ae]wn?|propos(?:es|ed)|publish(?:es|ed)|issu(?:es|ed)|releas(?:es|ed)|announc(?:es|ed)|launch(?:es|ed)|opened|found(?:ed)|"
        r"establish(?:es|ed)|set up|creat(?:es|ed)|appointed|agreed|ratif(?:ies|ied)|concluded|(?:t[ao]kes?|took|with) effect|into force|"
        r"in force|appl(?:y|ies|ied)|starts?|started|begins?|began|begun|ends?|ended|amend(?:s|ed)|replac(?:es|ed)|renamed|became|sued|"
        r"filed|intervened|paused|ruled|rejected|dismissed|denied|verdict|judgment|ordered|settled|hosts?|hosted|met|took place|held|voted|"
        r"delayed|postponed|endorsed|joined|left|promulgated|proclaimed|revised|updated|decided|confirmed|extend(?:s|ed)|committed|due|"
        r"deadline|bann?ed|introduced|fined|planned|effective|elected|released|chaptered|struck|failed|required|requires?|completed|"
        r"converted|moved|implement(?:s|ed)|sent|granted|declined|merged|suspended|lifted|received|countersued|dropped|presented|welcomed|added|closed|handed down|must|restructured|activated)\b"
    ),
    deadline=re.compile(r"\bby (?:early |late |mid-?)?$", re.IGNORECASE),
    due=re.compile(r"\b(?:must|due|deadline|have to|had to|has to|starts?|ends?|apply|applies)\b"),
    doubtful=re.compile(
        r"\b(?:differ|not confirmed|confirm(?:ed)? here|could not|claim(?:s|ed)? that|press reports?|reported as|web page|wiki|trackers?|reported|counts?|counted|had signed|"
        r"known here|by estimate|no record|was originally|was to|were to|was due|was first (?:due|set)|would have|had planned|summaris|cites?)\b",
        re.IGNORECASE,
    ),
    denied=re.compile(r"\b(?:not|no(?!\.)|never|neither|nor)\b", re.IGNORECASE),
)

_KOREAN = _Grammar(
    dates=re.compile(r"(?P<year>\d{4})년 (?P<month>\d{1,2})월(?: (?P<day>\d{1,2})일(?:[과와] \d{1,2}일|[~∼-]\d{1,2}일)?)?"),
    leads=re.compile(r"(?:^|[\s(,:])$"),
    follows=re.compile(
        r"(?:에|에야|부터|까지|입니다|이며|이고|이었고|이었으며)?(?=[\s,.]|$)(?! ?(?:현재|기준|이후|이전|무렵|당시|자 |전에|전까지|보도))"
    ),
    clause_starts=re.compile(r"[;:]|(?<=[가-힣])(?:고|(?<![다라])며|지만|으나|는데|므로|[었했]다가),? |(?<=때문에) "),
    clause_ends=re.compile(r"[;:]|(?<=[가-힣])(?:고|(?<![다라])며|지만|으나|는데|므로|[었했]다가)(?:,| )|(?<=때문에)"),
    happens=re.compile(
        r"시행|발효|공포|공표|서명|발표|채택|가결|통과|의결|제정|개정|폐지|철회|제안|발의|제출|승인|비준|체결|선고|판결|평결|기각|각하|제소|"
        r"소송을 (?:냈|내|제기)|항소|합의|출범|설립|세웠|세운|설치|지정|임명|열렸|열었|열린|열립|열릴|개최|개시|시작|적용|금지|거부권|거부했|공개|"
        r"내놓|냈|낸 |나왔|나온|내어|펴냈|발간|배포|바꾸|바꿨|바뀌|바뀐|대체|연기|미루|미뤄|확정|결정|고시|입법예고|실렸|실린|의무|중단|멈췄|"
        r"참가|서약|권고|투표|문을 열|끝나|끝났|종료|효력|옮겨야|해야|지켜야|시한|기한|취하|갱신|가입|탈퇴|전환|동의|삭제|예고|시작되|넓어|생깁|"
        r"무산|선출|인가|허용|보냈|고쳐|고쳤|마련했|요구하고|제기|개편|보류|부과|다시 썼|정했|꾸렸|꾸려|추가|보고했|반영하도록|환영"
    ),
    deadline=re.compile(r"^까지"),
    due=re.compile(r"야 (?:하|합|했)|시한|기한"),
    doubtful=re.compile(
        r"엇갈|자료마다|보도마다|다르[다며]|달라서|확인하지 못|확인되지|주장합니다|보도에 따르면|보도했|보도된|글이 많|추정|당시|집계|웹페이지|위키|추적 (?:자료|사이트)|예정이었|"
        r"하려 했|하려던|않았으며|알려진 바|적습니다|기록을 찾지"
    ),
    denied=re.compile(r"않[았습]|못했|없[었습]|아닙|아니었"),
)
_GRAMMARS: dict[str, _Grammar] = {"en": _ENGLISH, "ko": _KOREAN}


@lru_cache(maxsize=4)
def timeline(index: Index, language: Language) -> tuple[Event, ...]:
    """The events of all topics, earliest first, each in `language` where the topic has a text in it; kept for the last indexes.

    Of one date in one jurisdiction the plainest sentence stands for the others, which are in its `also`.
    """
    return events(index.documents, language)


def events(documents: Mapping[str, Document], language: Language) -> tuple[Event, ...]:
    """The events that the documents tell, as `timeline` gives them."""
    chosen = [d for d in documents.values() if d.language in _GRAMMARS and (d.language == language or d.pair not in documents)]
    found: list[Event] = []
    for document in chosen:
        told = _of_topic(document)
        pair = documents.get(document.pair)
        if pair is not None and pair.language in _GRAMMARS:
            agreed = {event.when for event in _of_topic(pair)}
            told = [event for event in told if event.when in agreed]
        found += told
    return _merged(found)


def _of_topic(document: Document) -> list[Event]:
    """One event a date: that of the plainest sentence. A month that one of its days names too is left to the day."""
    best: dict[str, tuple[tuple[int, int], Event]] = {}
    for event, dates in _events(document):
        plainness = (dates, event.end - event.start)
        if event.when not in best or plainness < best[event.when][0]:
            best[event.when] = (plainness, event)
    days = {when[:7] for when in best if len(when) == 10}
    return [event for when, (_, event) in best.items() if len(when) == 10 or when not in days]


def _events(document: Document) -> Iterator[tuple[Event, int]]:
    """Every sentence with each of its dates on which something happens, and how many dates it holds."""
    grammar = _GRAMMARS[document.language]
    for start, end in sentences(document.text):
        text = document.text[start:end]
        heading = document.text.rfind("\n", 0, start) + 1
        if document.text[heading] == "#" or text.endswith((":", "?")) or len(text) > LONGEST or grammar.doubtful.search(text):
            continue
        dates = list(grammar.dates.finditer(text))
        for found in dates:
            when = _when(found)
            if len(dates) > 1 and all(len(_when(other)) == 7 for other in dates):
                continue  # a history in a sentence
            if when and when != document.as_of and _happens(grammar, text, found):
                event = Event(
                    when=when,
                    jurisdiction=document.jurisdiction,
                    document=document,
                    start=start,
                    end=end,
                    date_start=start + found.start(),
                    date_end=start + found.end(),
                )
                yield event, len(dates)


def _when(found: re.Match[str]) -> str:
    """The date as ISO 8601 writes it, the first day of several; empty if there is no such day."""
    parts = found.groupdict()
    month = _MONTHS.index(parts["month"]) + 1 if parts["month"] in _MONTHS else int(parts["month"])
    day = parts["day"] or parts.get("us_day")
    try:
        whole = date(int(parts["year"]), month, int(day or 1))
    except ValueError:
        return ""
    return whole.isoformat() if day else whole.isoformat()[:7]


def _happens(grammar: _Grammar, text: str, found: re.Match[str]) -> bool:
    before, after = text[: found.start()], text[found.end() :]
    if not grammar.leads.search(before) or not grammar.follows.match(after):
        return False
    previous = max((match.end() for match in grammar.dates.finditer(before)), default=0)
    following = grammar.dates.search(after)
    limit = len(after) if following is None else following.start()
    starts = [match.end() for match in grammar.clause_starts.finditer(before, previous)]
    ends = [match.start() for match in grammar.clause_ends.finditer(after, 0, limit)]
    # The verb may stand beyond a clause inside its own ("held that ... was fair use, but ..."), never beyond another date.
    for start in (*reversed(starts), previous):
        for end in (*ends, limit):
            clause = text[start : found.end() + end]
            if grammar.happens.search(clause):
                ends_a_term = grammar.deadline.search(before) or grammar.deadline.match(after)
                return not grammar.denied.search(clause) and bool(not ends_a_term or grammar.due.search(clause))
    return False


def _merged(found: Sequence[Event]) -> tuple[Event, ...]:
    """The events in order; those that tell the same under one date, or under its month alone, put behind the plainest."""
    ordered = sorted(found, key=_plainness)
    leading: list[tuple[Event, list[Event]]] = []
    for event in ordered:
        same = next((also for lead, also in leading if lead.when[:7] == event.when[:7] and _same(lead, event)), None)
        if same is None:
            leading.append((event, []))
        else:
            same.append(event)
    return tuple(sorted((replace(lead, also=tuple(also)) for lead, also in leading), key=lambda event: event.when))


def _plainness(event: Event) -> tuple[bool, bool, int, bool, int, str]:
    """Days before months, texts of one jurisdiction before those of several; then few dates, the date first, few words."""
    dates = len(_GRAMMARS[event.document.language].dates.findall(event.quote))
    late = event.date_start - event.start > FIRST
    return len(event.when) < 10, event.jurisdiction in SEVERAL, dates, late, event.end - event.start, event.document.id


def _same(lead: Event, event: Event) -> bool:
    """Whether they tell the same. Events of one topic have each their own date, those of two jurisdictions nothing in common."""
    if lead.document is event.document or (lead.when != event.when and len(event.when) == len(lead.when)):
        return False
    ours, theirs = _words(lead), _words(event)
    if lead.jurisdiction in SEVERAL or event.jurisdiction in SEVERAL:
        least = SAME_ACROSS
    elif names_any({lead.jurisdiction}, {event.jurisdiction}):
        least = SAME
    else:
        return False
    return len(ours & theirs) >= least * min(len(ours), len(theirs))


def _words(event: Event) -> frozenset[str]:
    """What the sentence says, without its dates."""
    grammar = _GRAMMARS[event.document.language]
    return frozenset(tokens(grammar.dates.sub(" ", event.quote)))
