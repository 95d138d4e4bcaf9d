"""What a sentence affirms and what it denies: opposites in both languages, and the words under a negation."""

import re
from collections.abc import Iterator
from typing import NamedTuple

# Each line is a pair of opposites: English and Korean stems of one pole, then of the other. A stem is the beginning of a word.
_OPPOSITES = (
    ("permit allow lawful legal|허용 허가 적법 합법 인정합 인정됩 인정하", "ban banned banning bans prohibit forbid forbidden outlaw unlawful illegal|금지 불법 위법"),
    ("won prevail victory win_the wins_the|승소 이겼 이긴 이겨", "lost defeat loses_the lose_the|패소 졌습 졌다 패배"),
    ("accept agree approv uphold upheld consent granted grants grant recognis|수락 받아들 승인 가결 동의 인용 인정했", "reject refus declin turned_down turn_down denied denies dismiss withheld withhold|거절 거부 기각 물리치 물리쳤 반려 부결 부인"),
    ("binding enforceable mandatory compulsory obliged obligatory|구속력 의무적 강제", "voluntar optional non-binding nonbinding|자율 자발 임의"),
    ("must requir obliges need_to needs needed has_to have_to|해야_합 하여야_합 의무화 요구합 요구하 필요합", "may free_to|도_됩 도_된"),
    ("may can free_to|수_있 수도_있 도_됩 도_된", "cannot|수_없 수는_없 서는_안"),
    ("pass passed passes|통과 가결", "vetoed veto|거부권 부결"),
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
    ("approv adopt pass passed passes enact|의결 가결 채택 통과 제정", "reject block vetoed withdr scrap shelv|부결 기각 거부 철회 무산 보류"),
    ("remov strike struck delet drop|빼기로 삭제 제외 없애", "keep kept retain preserv left_in|그대로 유지 남기 존속"),
    ("applies apply applied in_force took_effect takes_effect|적용 시행되 시행됐 발효", "exempt suspend paus delay postpon|유예 면제 중단 정지"),
    ("enforce enforcement enforces|집행 단속", "suspend paus stay stayed halt|멈추 멈췄 중단 정지 유예 보류"),
    ("launch creat set_up establish found|출범 설립 신설 세웠 설치 열었", "abolish dissolv clos disband terminat|폐지 해산 폐쇄 없앴 없애"),
    ("clos shut|폐쇄 닫", "open opens reopen|열었 다시_열 개설"),
    ("praise welcom commend liked hail applaud|환영 칭찬 높이_평가 반겼 호평", "critic condemn denounc dislik slam|비판 비난 혹평"),
    ("support endors back backs sign|지지 찬성 서명", "oppos reject refus object against|반대 거부 불참"),
    ("majority|과반 다수", "minority|소수"),
    ("simple simpler simplif easier|간소 단순 쉽", "complex complicat harder difficult|복잡 까다 어렵"),
    ("strong stronger robust|강력 튼튼 높은", "thin weak weaker vague|빈약 약하 막연 낮은"),
    ("expand extend extends broaden widen wider|확대 넓히 넓혔 확장 연장", "narrow limit shrink shorten|축소 좁히 좁혔 한정 단축"),
    ("increase increased rise rose grow grew double more|늘어 늘렸 늘린 증가", "decrease fall fell declin drop halve fewer less|줄어 줄이 줄였 감소"),
    ("first|첫 처음 최초 초대", "last final|마지막 최후"),
    ("public publish disclos open-source|공개", "private secret confidential withhold|비공개 비밀 숨기"),
    ("government state_body|공공", "private private-sector|민간"),
    ("plaintiff|원고", "defendant|피고"),
    ("allege alleged alleges claim claims claimed accus|주장", "prove proved proven found_that ruled confirm|입증 확정 인정"),
    ("confirm confirmed|확인됐 확인되었 확인했", "deny denied unconfirm|부인 미확인"),
    ("grant granted grants allow permit|허가 허용 인가 인용", "deny denied denies refus ban|불허 금지 기각 거부"),
    ("settle settled settlement|합의 화해", "trial litigat|재판 소송전"),
    ("appeal appeals appealed|항소 상고 불복", "accepted waive|승복 항소를_포기"),
    ("require requires required must shall obliged duty mandatory|의무 해야 하여야 요구 필수", "exempt optional voluntar may_choose recommend encourag urg|자율 임의 권고 권장 선택 면제"),
    ("include includ cover count|포함 들어가 해당", "exclud exempt leave left_out omit outside|제외 빠지 예외 빠져"),
    ("appoint appointed named hire join|임명 선임 위촉 취임 영입", "dismiss fire fired resign oust remov|해임 해고 사임 물러 경질"),
    ("merge acquir buy bought|합병 인수 합친", "split sell sold spin_off|분할 매각 분리"),
    ("take_over took_over becam assum|맡았 맡게 되었 취임", "gave_up give_up step_down relinquish|내려놓 넘겼 물러 포기"),
    ("continue continues remain stay|계속 유지 남아 존속", "end ends ended stop stopped expire lapse|끝 종료 중단 만료 그만"),
    ("early earlier bring_forward|일찍 조기 앞당", "late later postpon defer|늦 미루 연기"),
    ("safe safer safety|안전", "dangerous risky hazardous|위험한"),
    ("succeed survive survives withstand|견디 성공 살아", "fail break lose weaken|실패 떨어 깨지"),
    ("free free_of_charge|무료 무상", "charge paid fee|유료 유상"),
    ("central federal|연방", "state-level local|주_차원 지방"),
    ("internal|내부", "external|외부"),
    ("unanimous|만장일치", "divided split_vote narrow|엇갈린 근소"),
    ("enough sufficient suffice adequate|충분", "insufficient inadequate lack|부족 모자라 불충분"),
    ("intentional intent deliberate|고의", "negligen accident inadvertent|과실 실수"),
    ("individual|개인", "collective|집단"),
    ("temporary interim provisional|임시 잠정 한시", "permanent|영구 항구"),
    ("guilty convict|유죄", "acquit innocent not-guilty|무죄"),
    ("constitutional|합헌", "unconstitutional|위헌"),
    ("start started begin began begun resum|시작 개시 재개 착수", "stop stopped end ended ceas halt terminat|중단 종료 끝나 끝났 멈추 멈췄"),
    ("long-term|장기", "short-term|단기"),
    ("joint jointly together|공동", "alone unilateral separately|단독 일방"),
    ("specific concrete detailed|구체", "vague abstract general|막연 추상 모호"),
    ("explicit expressly|명시", "implicit tacit|묵시 암묵"),
    ("centralis centraliz concentrat|집중", "decentralis decentraliz dispers|분산"),
    ("upgrad upward|상향 격상", "downgrad downward|하향 격하"),
    ("gain gained obtain acquir secur won|얻었 얻은 획득 확보", "lose lost forfeit|잃었 잃은 상실"),
    ("advantage benefit|유리 이점", "disadvantage drawback|불리 단점"),
    ("optimis|낙관", "pessimis|비관"),
    ("cooperat collaborat|협력", "compet rival|경쟁"),
    ("ex_ante in_advance|사전", "ex_post afterwards retroactiv|사후 소급"),
    ("open-weight open_source open-source|오픈소스 개방형", "closed closed-source proprietary|폐쇄형 독점"),
    ("provide provides supply|제공", "withhold withholds withheld deny|보류"),
    ("tighten tightened toughen|강화", "loosen ease eased relax lighten|완화"),
    ("comply complies complied compliance|준수 지켰 이행", "violat breach infring|위반 어겼 어긴 침해"),
    ("more_than exceed|넘는 초과 웃도", "less_than|미만 밑도"),
    ("unchanged maintain intact|유지 그대로", "changed overhaul amended revised|변경 바꿨 개정"),
    ("urgent immediate immediately promptly|즉시 곧바로", "gradual gradually later eventually|점진 단계적 나중"),
    ("trust trusted confiden|신뢰", "distrust doubt skeptic sceptic|불신 의심 회의적"),
    ("win wins victory|승리", "defeat loss|패배"),
    ("hire hired recruit|채용 고용", "layoff lay_off laid_off|해고 감원"),
    ("direct directly|직접", "indirect indirectly|간접"),
    ("maximum at_most up_to|최대 이하 까지", "minimum at_least|최소 이상 적어도"),
    ("visible|가시적 눈에_보이는", "invisible imperceptib|비가시적"),
    ("broad wide|폭넓 광범", "narrow limited|좁 제한적"),
    ("agree agreed consensus|합의 동의 뜻을_모", "disagree dispute differ|이견 엇갈 다투"),
    ("pending undecided|계류 미정 심리_중", "final decided ruled concluded|확정 종결 선고 판결했"),
    ("replace supersede|대체 갈음", "supplement complement|보완 보충"),
    ("high High|높은 높게 높습", "low Low|낮은 낮게 낮습"),
    ("accept admit acknowledg concede|인정 시인 받아들", "deny denied reject disput|부인 부정 반박"),
    ("attend participat took_part present|참석 참가 참여", "absent boycott skip cancel|불참 취소 빠졌"),
    ("fund finance subsid invest|지원 투자 출자", "defund cut tax|삭감 중단 과세"),
    ("raise lift hike|올리 인상 높이", "lower cut|내리 인하 낮추"),
    ("file filed lodge lodged|제기했 제기한 제출했 신청했", "withdrew withdraw withdrawn retract drop dropped|취하 철회 거둬들"),
    ("uphold upheld affirm|유지했 확정했 그대로_인정", "overturn overturned revers annul quash struck_down invalidat|뒤집 파기 취소 무효"),
    ("suspend suspended paus halt freez|중단 정지 멈추 동결", "resum restart lifted reinstat|재개 해제 되살"),
    ("proceed go_ahead|진행하 이어가", "dismiss dismissed throw_out threw_out|기각 각하"),
    ("Senate|상원", "House_of lower_house|하원"),
    ("Democrat|민주당", "Republican|공화당"),
    ("developer developers|개발자 개발사 개발사업자", "deployer deployers|이용사업자 배치자 배포자"),
    ("provider providers|제공자 공급자", "deployer deployers|배치자 배포자 활용자"),
    ("annual annually yearly|매년 해마다 연간", "monthly quarterly weekly daily|매월 매달 매주 매일 분기"),
    ("adult adults|성인", "child children minor minors|아동 미성년 청소년"),
    ("input inputs|입력", "output outputs|출력 산출"),
    ("most majority|대부분 대다수", "few hardly|소수의 극소수"),
    ("always|항상 언제나", "never|결코 한_번도"),
    ("same identical equal|같은 동일 똑같", "different differs differ|다른_ 다르 다릅 상이"),
    ("possible feasible|가능", "impossible infeasible|불가능"),
    ("high-risk high-impact|고위험 고영향", "low-risk minimal-risk limited-risk|저위험 최소_위험"),
    ("preserv retain store stored|보존 보관", "delet destroy eras|파기 삭제"),
    ("elect elected|선출", "appoint appointed|임명"),
    ("opt-in|옵트인", "opt-out|옵트아웃"),
    ("transparen|투명", "opaque|불투명"),
    ("identifiab|식별할_수_있", "anonym|익명"),
    ("import imports imported|수입", "export exports exported|수출"),
    ("long longer lengthen|긴_ 길게 늘리", "short shorter shorten|짧"),
    ("heavy heavier harsh|무거운 무겁", "light lighter mild|가벼운 가볍"),
    ("expensive costly|비싸 비싼", "cheap inexpensive|싸게 저렴"),
    ("upstream|상류", "downstream|하류"),
    ("employer|고용주 사용자가", "employee employees worker|근로자 노동자 직원"),
    ("unknown undisclosed|알려지지 미상", "known disclosed announced|알려졌 공개됐 발표"),
)  # fmt: skip


def _stems(pole: str) -> str:
    english, _, korean = pole.partition("|")
    latin = "|".join(
        f"[{stem[0].upper()}{stem[0]}]{re.escape(stem[1:])}".replace("_", r"\s(?:\w+\s)?") for stem in english.split()
    )
    hangul = "|".join(re.escape(stem).replace("_", r"\s?") for stem in korean.split())
    # 영리 is not in 비영리, nor open in OpenAI.
    return rf"(?<![A-Za-z-])(?:{latin})[a-z]*\b(?!-)|(?<![비불반])(?<!않아)(?:{hangul})"


_POLES = [tuple(re.compile(_stems(pole)) for pole in pair) for pair in _OPPOSITES]
_ENGLISH_NOT = re.compile(
    r"\b(?:not|never|no longer|no|nor|neither|without|cannot|none|nobody|nothing|unable|rather than|instead of"
    r"|refus(?:e|es|ed|ing) to|declin(?:e|es|ed|ing) to|fail(?:s|ed|ing)? to)\b"
    r"(?!\s(?:only|later than|less than|more than|fewer than))|n't\b",
    re.IGNORECASE,
)
_ENGLISH_STOP = re.compile(r"[,;:.()]|\b(?:but|although|while|whereas|because|which|who|where|when|if)\b", re.IGNORECASE)
_ABLE = "".join(chr(0xAC00 + 28 * code + 8) for code in range(399))  # syllables that end in ㄹ, as before "수 없다"
_KOREAN_NOT = re.compile(
    rf"(?<!걸리)(?<!넘)(?<!미치)(?:지|지는|지도)\s?(?:않|못|아니|말)|(?<=[{_ABLE}])\s수(?:는|도|가)?\s?없"
    r"|(?:이|가|은|는|도|의)\s(?:없|아니|아닙|아닌|아닐|아녔)|(?:서는|면)\s안\s(?:되|됩|된)"
    r"|(?:할|될)\s필요(?:가|는|도)?\s?없|(?<=[가-힣])\s없|(?<=[가-힣])\s못\s?(?:하|했|합|한)"
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


class Pole(NamedTuple):
    """An opposite in a text: the number of its pair, which of the two (+1 or -1), whether a negation turned it round, the word."""

    pair: int
    sign: int
    turned: bool
    word: str


def poles(text: str) -> Iterator[Pole]:
    """The opposites that `text` holds."""
    hangul = bool(re.search("[가-힣]", text))
    denied = [(left, right) if hangul else (start, end) for start, end, left, right in negations(text)]
    for number, pair in enumerate(_POLES):
        for sign, pattern in zip((1, -1), pair, strict=True):
            for match in pattern.finditer(text):
                turned = any(start <= match.start() < end for start, end in denied)
                yield Pole(number, -sign if turned else sign, turned, match[0])


def contradicted(claim: str, evidence: str) -> list[str]:
    """The words of the claim that the evidence says the opposite of, where each of them says only the one or the other.

    One that a negation turned round counts only against a text without negations: another may deny the same in other words.
    """
    claimed, said = list(poles(claim)), list(poles(evidence))
    claim_denies, evidence_denies = bool(negations(claim)), bool(negations(evidence))
    found = []
    for pole in claimed:
        alike, against = ([other for other in text if other.pair == pole.pair] for text in (claimed, said))
        if {other.sign for other in alike} == {pole.sign} and {other.sign for other in against} == {-pole.sign}:
            sure = not (pole.turned and evidence_denies)
            if sure and any(not (other.turned and claim_denies) for other in against):
                found.append(pole.word)
    return found


def denies(text: str) -> bool:
    """Whether a predicate of `text` is denied, and not only a word within it: 부담 없는 비용 denies nothing."""
    if not re.search("[가-힣]", text):
        return bool(negations(text))
    return any(not _WITHIN.match(text, match.end()) for match in _KOREAN_NOT.finditer(text))


_WITHIN = re.compile(r"(?:[는은던](?!\s것으로)|을(?!\s(?:것|예정|전망|방침|계획))|도록(?!\s(?:하|해|했|한))|[아어]서)\s")
# A text that denies without a negation; "at the earliest" stands for "not before".
_IMPLIED = re.compile(
    r"ignor|non-|unless|even if|unknown|unconfirm|insufficient|left open|lift|waiv|avoid|immun|fail|refus|reject|lack|exempt|exclud|leaves? out|\bunder\b|less than|fewer|only|declin|den(?:y|ie)|\bfree(?:s|d)\b|earliest|struck|drop|lost|revok|repeal"
    r"|무시|거부|부인|제외|면제|빠뜨|빠졌|미만|거절|기각|폐지|취하|실패|비공개|관계없|무관|자율|뺐|빼고|없앴|면책|부족|미확인|미정|유예|뿐|이르면",
    re.IGNORECASE,
)


def implies_denial(text: str) -> bool:
    """Whether `text` holds a word that denies without a negation: ignored, exempt, 제외, 거부."""
    return bool(_IMPLIED.search(text))
