"""The words of the corpus's four views, in both languages."""

from dataclasses import dataclass

from rag.types import Language


@dataclass(frozen=True, kw_only=True)
class ExploreStrings:
    """One language of the views. Braces are filled by `str.format`."""

    views: dict[str, str]
    preparing: str
    everything: str
    # the list
    find: str
    search: str
    clear: str
    filters: str
    place: str
    kind: str
    language: str
    status: str
    statuses: dict[str, str]
    dated: str
    published: str
    as_of: str
    since: str
    until: str
    shown: str
    found: str
    other_language: str
    none: str
    # the timeline
    year: str
    events: str
    also: str
    ahead: str
    several: str
    # the map
    map_hint: str
    colour: str
    retrieved: str
    others: str
    points: str
    # the comparison
    aspect: str
    places: str
    caption: str
    quote: str
    no_source: str
    compare_hint: str


KOREAN = ExploreStrings(
    views={"list": "목록", "timeline": "연표", "map": "지도", "compare": "비교"},
    preparing="자료를 읽어 정리하고 있습니다. 처음 한 번만 몇 초 걸립니다.",
    everything="전체",
    find="제목이나 본문에서 찾기",
    search="본문 검색",
    clear="조건 지우기",
    filters="조건",
    place="관할",
    kind="종류",
    language="언어",
    status="현황",
    statuses={
        "in force": "시행·적용 중",
        "not in force": "아직 시행 전",
        "not binding": "구속력 없음",
        "ended": "끝났거나 폐지됨",
        "other": "그 밖",
    },
    dated="날짜",
    published="발행일",
    as_of="기준일",
    since="부터",
    until="까지",
    shown="주제 {shown}/{total}개",
    found="‘{query}’에 가까운 대목",
    other_language="{language} 문서 열기",
    none="조건에 맞는 문서가 없습니다.",
    year="연도로 가기",
    events="사건 {shown}/{total}건",
    also="같은 날짜의 다른 대목 {count}개",
    ahead="{date} 이후: 자료가 쓰인 때 앞으로 있을 일",
    several="국제·공통",
    map_hint="가까이 있는 점은 비슷한 내용을 다룹니다. 점을 누르면 그 대목이 열립니다. 화살표 키로 옆의 점으로 옮겨 갑니다.",
    colour="색과 모양",
    retrieved="이번 질문에서 찾은 대목",
    others="그 밖",
    points="자료의 지도, 대목 {count}개",
    aspect="무엇을 비교할까요",
    places="관할 (2~4곳)",
    caption="{aspect}: 관할별 인용",
    quote="인용",
    no_source="자료 없음",
    compare_hint="각 칸은 그 관할의 문서에서 그대로 옮긴 문장입니다. 충분히 가까운 문장이 없으면 자료 없음으로 둡니다.",
)

ENGLISH = ExploreStrings(
    views={"list": "List", "timeline": "Timeline", "map": "Map", "compare": "Compare"},
    preparing="Reading through the documents. This takes some seconds, the first time only.",
    everything="All",
    find="Find in titles or texts",
    search="Search texts",
    clear="Clear filters",
    filters="Filters",
    place="Jurisdiction",
    kind="Kind",
    language="Language",
    status="Status",
    statuses={
        "in force": "In force",
        "not in force": "Not yet in force",
        "not binding": "Not binding",
        "ended": "Ended or revoked",
        "other": "Other",
    },
    dated="Date",
    published="Published",
    as_of="As of",
    since="from",
    until="to",
    shown="{shown} of {total} topics",
    found="Passages nearest to “{query}”",
    other_language="Open the {language} text",
    none="No document fits these filters.",
    year="Go to a year",
    events="{shown} of {total} events",
    also="{count} more on this date",
    ahead="After {date}: still to come when the texts were written",
    several="International",
    map_hint="Points that lie close together are about similar things. Press one to open its passage; arrow keys move to the next one.",
    colour="Colour and shape",
    retrieved="Found for your last question",
    others="Other",
    points="Map of the corpus, {count} passages",
    aspect="What to compare",
    places="Jurisdictions (2 to 4)",
    caption="{aspect}: quotes by jurisdiction",
    quote="Quote",
    no_source="No source",
    compare_hint="Each cell is a sentence from that jurisdiction’s own documents, word for word. Where none is near enough, it says so.",
)

EXPLORE_STRINGS: dict[Language, ExploreStrings] = {"ko": KOREAN, "en": ENGLISH}
