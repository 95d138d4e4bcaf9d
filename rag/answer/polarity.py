"""What a sentence affirms and what it denies: opposites in both languages, and the words under a negation."""

import re
from collections.abc import Iterator

# Each line is a pair of opposites: English and Korean stems of one pole, then of the other. A stem is the beginning of a word.
_OPPOSITES = (
    ("permit allow lawful legal|허용 허가 적법 합법 인정합 인정됩 인정하", "ban banned banning bans prohibit forbid forbidden outlaw unlawful illegal|금지 불법 위법"),
    ("won prevail victory win_the wins_the|승소 이겼 이긴 이겨", "lost defeat loses_the lose_the|패소 졌습 졌다 패배"),
    ("accept agree approv uphold upheld consent granted grants grant recognis|수락 받아들 승인 가결 동의 인용 인정했", "reject refus declin turned_down turn_down denied denies dismiss withheld withhold|거절 거부 기각 물리치 물리쳤 반려 부결 부인"),
    ("binding mandatory compulsory obliged obligatory|구속력 의무적 강제", "voluntar optional|자율 자발 임의"),
    ("must requir obliges need_to needs needed has_to have_to|해야_합 하여야_합 의무화 요구합 요구하 필요합", "may free_to|도_됩 도_된"),
    ("may can free_to|수_있 수도_있 도_됩 도_된", "cannot|수_없 수는_없 서는_안"),
    ("pass passed passes|통과 가결", "vetoed veto|거부권 부결"),
    ("before beforehand advance earlier_than|전에 미리 사전", "after afterwards afterward|뒤에 후에 사후"),
    ("in_time|기한_안", "too_late ran_out|너무_늦 늦게_제소 기한을_넘"),
    ("raise_the increas|늘리 늘어 증가 높입", "reduc decreas shrink|줄이 줄어 감소 낮춥"),
    ("higher highest greater larger|높은_쪽 큰_쪽 큰_금액 큰_쪽", "lower lowest smaller|낮은_쪽 작은_쪽 작은_금액"),
    ("stricter tougher tighter strengthen|엄격 강화", "weaker looser relax lenient weaken|느슨 완화 약화"),
    ("speed accelerat faster|빠르 가속 신속 앞당", "slow delay postpon|늦춥 늦추 미루 연기 지연"),
    ("sign signed signs set_up establish open opened launch relaunch creates created add added adds introduc|서명되 서명했 서명하 설립 출범 열었 추가 더하 더했 더해 넣었 도입 꾸렸", "revok repeal rescind abolish dissolv closed shut_down drop dropped remov delet struck take_out takes_out abandon|폐지 해산 철회 닫았 삭제 뺐 빠졌 빼라 없앴 폐기"),
    ("join joined joins|참여 합류 가입", "leave left withdrew withdraw|탈퇴 떠났 이탈"),
    ("includ cover covers covered|포함 대상으로", "exclud exempt leaves_out left_out leave_out|제외 면제 배제 빼고"),
    ("public publicly|공개적", "confidential confidentially secret|비공개 비밀리"),
    ("non-profit nonprofit|비영리", "for-profit|영리"),
    ("civil|민사", "criminal|형사"),
    ("exclusive|독점", "non-exclusive nonexclusive|비독점"),
    ("promot encourag|촉진 진흥", "restrict curb|제한합 억제"),
    ("praise welcom landmark hail|환영 획기적 극찬", "critic missed_opportunity condemn|비판 놓쳐"),
    ("keep kept retain remain|유지 계속", "replac|대체 교체"),
    ("succeed success won|성공 승소", "fail fails failed failure|실패 패소"),
    ("written writing|서면", "oral orally|구두"),
    ("partial partly|일부", "complete completely whole entire fully|전면 완전히 전부"),
    ("only solely alone|오직 유일 에만 만이 만으로", "also even regardless|도_포함 뿐_아니라"),
    ("sign signed signature|서명", "ratif|비준"),
    ("file filed sue sued brought sues|제기 제소 소송을_냈 맞소송을_냈 반소)를_냈", "won ruled|승소 이겼"),
    ("minimum|하한", "maximum cap capped ceiling|상한"),
    ("proportion depends_on linked_to|비례 연동", "regardless irrespective whatever|관계없이 무관 상관없이"),
    ("support in_favour backed|지지 찬성", "against oppos|반대"),
    ("user users|이용자이 이용자로", "operator operators|사업자이 사업자로"),
)  # fmt: skip


def _stems(pole: str) -> str:
    english, _, korean = pole.partition("|")
    latin = "|".join(
        f"[{stem[0].upper()}{stem[0]}]{re.escape(stem[1:])}".replace("_", r"\s(?:\w+\s)?") for stem in english.split()
    )
    hangul = "|".join(re.escape(stem).replace("_", r"\s?") for stem in korean.split())
    # 영리 is not in 비영리, nor open in OpenAI.
    return rf"(?<![A-Za-z-])(?:{latin})[a-z]*\b(?!-)|(?<![비불반])(?:{hangul})"


_POLES = [tuple(re.compile(_stems(pole)) for pole in pair) for pair in _OPPOSITES]
_ENGLISH_NOT = re.compile(
    r"\b(?:not|never|no longer|no|nor|neither|without|cannot|none|nobody|nothing|unable|[Nn]on)\b(?!\s(?:only|later than|less than|more than|fewer than))|n't\b",
    re.IGNORECASE,
)
_ENGLISH_STOP = re.compile(r"[,;:.()]|\b(?:but|although|while|whereas|because|which|who|where|when|if)\b", re.IGNORECASE)
_KOREAN_NOT = re.compile(
    r"(?:지|지는|지도)\s?(?:않|못|아니|말)|(?<=[을를할될쓸낼릴길을])\s수(?:는|도|가)?\s?없|(?:이|가|은|는|도|의)\s(?:없|아니|아닙|아닌|아닐|아녔)|(?:서는|면)\s안\s(?:되|됩|된)|(?:할|될)\s필요(?:가|는|도)?\s?없|(?<=[가-힣])\s없"
)


def negations(text: str) -> list[tuple[int, int, int, int]]:
    """(start, end, head start, head end) of what is denied in `text`.

    The head is what the negation stands at: the word after "not", the word before 않다. The scope is up to five words after
    an English negation, two before a Korean one; "has passed no law" denies the passing too.
    """
    found = []
    for match in _ENGLISH_NOT.finditer(text):
        following = text[match.end() :]
        stop = _ENGLISH_STOP.search(following)
        spoken = list(re.finditer(r"[^\s-]+", following[: stop.start()] if stop else following))[:5]
        if not spoken:
            continue
        meant = [word for word in spoken if word[0].lower() not in _FILLERS] or spoken
        start = match.end() + spoken[0].start()
        if match[0].lower() == "no":
            before = list(re.finditer(r"\S+", text[: match.start()]))[-1:]
            start = before[0].start() if before else start
        left = start if match[0].lower() == "no" else match.end() + meant[0].start()
        found.append((start, match.end() + spoken[-1].end(), left, match.end() + meant[0].end()))
    for match in _KOREAN_NOT.finditer(text):
        spoken = list(re.finditer(r"\S+", text[: match.start() + 1].rstrip()))[-2:]
        if spoken:
            found.append((spoken[0].start(), match.start() + 1, spoken[-1].start(), match.start() + 1))
    return found


_FILLERS = frozenset(
    "be been being is are was were have has had do does did to the a an any yet also even ever in of for by at on".split()
)


def poles(text: str) -> Iterator[tuple[int, int, str]]:
    """(number of the pair, +1 or -1, the word) of each opposite that `text` holds; a negation turns it round."""
    hangul = bool(re.search("[가-힣]", text))
    denied = [(left, right) if hangul else (start, end) for start, end, left, right in negations(text)]
    for number, pair in enumerate(_POLES):
        for sign, pattern in zip((1, -1), pair, strict=True):
            for match in pattern.finditer(text):
                turned = any(start <= match.start() < end for start, end in denied)
                yield number, -sign if turned else sign, match[0]


def contradicted(claim: str, evidence: str) -> list[str]:
    """The words of the claim that the evidence says the opposite of, and nowhere the same."""
    said: dict[int, set[int]] = {}
    for number, sign, _ in poles(evidence):
        said.setdefault(number, set()).add(sign)
    return [word for number, sign, word in poles(claim) if said.get(number) == {-sign}]


_IMPLIED = re.compile(
    r"ignor|fail|refus|reject|lack|exempt|exclud|leaves? out|\bunder\b|less than|fewer|only|declin|den(?:y|ie)|struck|drop|lost|revok|repeal"
    r"|무시|거부|부인|제외|면제|빠뜨|빠졌|미만|거절|기각|폐지|취하|실패|비공개|관계없|무관|자율|뺐|빼고|없앴",
    re.IGNORECASE,
)


def implies_denial(text: str) -> bool:
    """Whether `text` holds a word that denies without a negation: ignored, exempt, 제외, 거부."""
    return bool(_IMPLIED.search(text))
