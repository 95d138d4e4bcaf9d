"""Names in a text: persons, companies, bodies, places; and whether a passage names them too, in either language."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag import crosslingual
from rag.lexical import morphemes, words
from rag.text import language_of


@dataclass(frozen=True, kw_only=True)
class Name:
    """A name as it is written, and where it stands."""

    text: str
    start: int
    end: int
    certain: bool = True  # False: it may be a common word that opens an English sentence


_BODY = re.compile(r"(?:위원회|의회|국회|법원|재판소|연구소|재단|본부|협회|연합|진흥원|정부|[가-힣]{2,}(?:부|처|청|원))$")
_NO_BODY = re.compile(
    r"(?:일부|전부|내부|외부|세부|여부|대부|정보|직원|의원|위원|지원|회원|인원|근처|출처|신청|요청|시청|자원|구성원|조합원|배심원|공무원|정원|기원|학원|차원|법원|배부|거부|기부|납부|첨부|공부|정부)$"
)
_LATIN = re.compile(r"(?<![\w])(?:[A-Z][\w&’'.-]*\w|[A-Z]|[a-z]{1,2}[A-Z]\w+)", re.ASCII)
_JOIN = re.compile(r"\s(?:(?:of|for|on|de|v\.?)\s(?:the\s)?)?")
# Capitals that name nothing by themselves.
_COMMON = frozenset(
    "what who which where why how article articles annex chapter section sections recital title part act law bill regulation directive january february march april may "
    "june july august september october november december monday tuesday wednesday thursday friday saturday sunday i ai a an the in on at by "
    "for from of to as under since until after before while when if it its he she his her they their this that these those both each every "
    "no not only one two three four five six seven eight nine ten most some many twenty thirty forty fifty sixty seventy eighty ninety eleven twelve several other another there here also however although "
    "eur usd krw gbp because with without within about over more less critics supporters version phase act's".split()
)
_VERB = re.compile(
    r"\s(?:[a-z]{3,}ed|is|was|has|had|said|says|will|would|may|can|must|won|lost|made|led|gave|took|became|did|does|told|put)\b"
)
_NO_NAME = re.compile(r"(?:s|ing|ion|ment|ly|ance|ity|ence|police|people|everyone|nobody|anyone)$", re.IGNORECASE)
HEADS = frozenset(
    "commission council court office agency board institute parliament assembly union department committee summit declaration congress "
    "senate government state states code framework policy foundation group general university ministry authority house party convention "
    "statement service services circuit network".split()
)


def names(text: str) -> tuple[Name, ...]:
    """The names in `text`, in order."""
    return tuple(sorted((*_korean(text), *_latin(text)), key=lambda name: name.start))


def _korean(text: str) -> Iterator[Name]:
    if not re.search("[가-힣]", text):
        return
    run: list[tuple[str, str, int, int]] = []
    for token in [*morphemes(text), ("", "", len(text) + 1, len(text) + 1)]:
        _, tag, start, _ = token
        if run and tag in ("NNP", "NNG", "XSN", "SL", "SN", "XR") and start == run[-1][3]:
            run.append(token)
            continue
        if run:
            written = text[run[0][2] : run[-1][3]]
            proper = [part for part in run if part[1] == "NNP"]
            body = _BODY.search(written) and not _NO_BODY.search(written) and len(written) >= 3
            mixed = run[0][1] != "SL" and any(part[1] == "SL" for part in run[1:]) and len(run) <= 3  # 오픈AI
            if proper or body or mixed:
                first, last = (proper[0], proper[-1]) if proper and not body else (run[0], run[-1])
                # 메타데이터 is not Meta, nor 임계값 a place.
                joined = bool(proper) and not body and any(part[1] == "NNG" for part in run[run.index(proper[-1]) :])
                yield Name(text=text[first[2] : last[3]], start=first[2], end=last[3], certain=not joined)
        run = [token] if tag in ("NNP", "NNG", "XR") else []


def _latin(text: str) -> Iterator[Name]:
    found: list[re.Match[str]] = []
    matches = [
        match
        for match in _LATIN.finditer(text)
        if match[0].lower().removesuffix("'s").removesuffix("’s").split("-")[0] not in _COMMON
    ]
    for match in [*matches, None]:
        if found and match and _JOIN.fullmatch(text, found[-1].end(), match.start()) and not re.search(r"['’]s$", found[-1][0]):
            found.append(match)
            continue
        if found:
            start = found[0].start()
            written = re.sub(r"['’]s$", "", text[start : found[-1].end()])
            opens = start == 0 or text[:start].rstrip()[-1:] in ".!?:;“\"'•" or text[:start].endswith("\n")
            alone = len(found) == 1 and re.fullmatch(r"[A-Z][a-z]+", written)
            possessive = text[start + len(written) : start + len(written) + 2] in ("'s", "’s")
            # A singular noun without an article before a verb is a name: "Google activated".
            acts = _VERB.match(text, start + len(written)) and not _NO_NAME.search(written)
            yield Name(
                text=written, start=start, end=start + len(written), certain=not (opens and alone) or possessive or bool(acts)
            )
        found = [match] if match else []


# --- one name in two scripts

_INITIALS = "k k n t t r m p p s s  j j j k t p ".split(" ")
_FINALS = " k k k n n n t r r r r r r r r m p p t t n t t k t p t".split(" ")
_SOUNDS = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"tion|sion", "sin"), (r"ds$", "j"), (r"(?<=[a-z])r(?![aeiouyr])", ""), (r"t?ch|dg|t[sz]|zh|z|g(?=[iey])", "j"), (r"ng", "n"),
        (r"ph", "p"), (r"th", "t"), (r"sh", "s"), (r"x", "ks"), (r"c(?=[iey])", "s"), (r"ck|qu|[qgc]", "k"), (r"[bfv]", "p"),
        (r"d", "t"), (r"(?<=[^aeiouywh])e$", ""), (r"h", ""), (r"[aeiouyw]+", "a"), (r"l", "r"),
    )
)  # fmt: skip
_EU = 18  # the vowel ㅡ, which Hangul writes where the other script has none


@lru_cache(maxsize=65536)
def sound(word: str) -> str:
    """A word in Hangul or Latin letters, in one rough spelling with one vowel: 머스크 and Musk are `mask`."""
    heard = ""
    for part in re.findall("[가-힣]+|[a-z]+", _unaccented(word).lower()):
        if part[0] > "z":
            codes = [ord(letter) - 0xAC00 for letter in part]
            part = "".join(
                _INITIALS[code // 588] + ("" if code % 588 // 28 == _EU else "a") + _FINALS[code % 28] for code in codes
            )
        else:
            for pattern, replacement in _SOUNDS:
                part = pattern.sub(replacement, part)
        heard += part
    return re.sub(r"(.)\1+", r"\1", heard)


def _unaccented(word: str) -> str:
    return word if word.isascii() or "가" <= word[0] <= "힣" else unicodedata.normalize("NFKD", word)


def sounds_like(one: str, other: str) -> float:
    """How alike two words of different scripts sound, 0 to 1."""
    return max(
        SequenceMatcher(None, a, b, autojunk=False).ratio() if min(len(a), len(b)) > 1 else 0.0
        for a in {sound(one), sound(one.replace("th", "s"))}
        for b in {sound(other), sound(other.replace("th", "s"))}
    )


# --- whether a passage names it


def same_name(one: str, other: str) -> bool:
    """Whether two names may be one: part of the other, its abbreviation, or the same by sound in the other script."""
    if part_of(one, other) or part_of(other, one) or _abbreviates(one, other) or _abbreviates(other, one):
        return True
    scripts = {bool(re.search("[가-힣]", name)) for name in (one, other)}
    return len(scripts) == 2 and sounds_like(one, other) >= 0.8


def part_of(short: str, long: str) -> bool:
    """Whether a name stands in another: 머스크 in 일론 머스크, but not US in Musk."""
    edge = r"\b" if short.isascii() else ""
    return bool(re.search(rf"{edge}{re.escape(short)}{edge}", long, re.IGNORECASE | re.ASCII))


def is_body(name: str) -> bool:
    """Whether a name is that of a body: 집행위원회, the Data Protection Board."""
    return bool(_BODY.search(name) and not _NO_BODY.search(name)) or any(word.lower() in HEADS for word in name.split()[-2:])


def standing(name: Name, among: Sequence[Name], text: str, stems: frozenset[str]) -> float:
    """How sure it is that the name stands in a passage, 0 to 1.

    `among`: the passage's names, `text` and `stems`: its words. Within a language names are compared as written, abbreviations
    with what they stand for; across languages by sound, then by meaning.
    """
    if name.text.lower() in text.lower():
        return 1.0
    hangul = bool(re.search("[가-힣]", name.text))
    if any(_abbreviates(name.text, other.text) or _abbreviates(other.text, name.text) for other in among):
        return 1.0
    found = [token for token, _ in words(name.text)]
    if not found:
        return 1.0
    here = [token in stems for token in found]
    best = float(np.mean(here))
    if here[-1] and not hangul and found[-1] not in HEADS and len(found) <= 3:
        return 1.0
    if best == 1:
        return 1.0
    others = [other.text for other in among if bool(re.search("[가-힣]", other.text)) != hangul]
    if others and hangul != (language_of(text) == "ko"):
        pieces = list(dict.fromkeys(piece for other in others for piece in (other, *other.split(), *re.findall(r"\w+", other))))
        parts = name.text.split()
        best = max(best, max(sounds_like(name.text, piece) for piece in pieces))
        best = max(best, float(np.mean([max(sounds_like(part, piece) for piece in pieces) for part in parts])))
        vectors = vectors_of([name.text, *pieces])
        best = max(best, float((vectors[1:] @ vectors[0]).max()))
    return best


def _abbreviates(short: str, long: str) -> bool:
    if re.fullmatch(r"[A-Z]{2,7}s?", short) and " " in long:
        short = short.removesuffix("s")
        capitals = "".join(re.findall(r"\b[A-Z]|(?<=[a-z])[A-Z]", long))
        return (
            short == capitals
            or (len(capitals) > 1 and short.startswith(capitals))
            or (len(short) > 2 and SequenceMatcher(None, short, capitals).ratio() > 0.85)
        )
    if re.fullmatch(r"[가-힣]{2,6}", short) and re.fullmatch(r"[가-힣]{4,}", long) and len(short) < len(long):
        rest = iter(long)
        return short[0] == long[0] and short[-1] == long[-1] and all(letter in rest for letter in short)
    return False


_known: dict[str, NDArray[np.float32]] = {}


def vectors_of(texts: Sequence[str]) -> NDArray[np.float32]:
    """Vectors (n, 512) of words and names by the crosslingual encoder, each computed once."""
    new = [text for text in dict.fromkeys(texts) if text not in _known]
    if len(_known) > 50_000:
        _known.clear()
        new = list(dict.fromkeys(texts))
    if new:
        _known.update(zip(new, crosslingual.encode(new), strict=True))
    return np.stack([_known[text] for text in texts])
