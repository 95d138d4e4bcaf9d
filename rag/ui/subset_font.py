"""The page's own Korean font, cut from Pretendard: for readers whose machine has none.

    npm pack pretendard@1.3.9 && tar xzf pretendard-1.3.9.tgz
    python rag/ui/subset_font.py package/dist/web/variable/woff2/PretendardVariable.woff2

Writes `fonts/common.woff2` (the 2,350 syllables of KS X 1001, letters, digits, marks; weights 400 to 700) and `rare.woff2` (the other
8,822 syllables, one weight), which a browser fetches only for a text that holds one of them. Wants `fonttools[woff]`.
"""

import io
import sys
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

NAMES = {"common": "Jiphyeon Sans", "rare": "Jiphyeon Rare"}  # the license reserves the name Pretendard for the whole font
SYLLABLES = range(0xAC00, 0xD7A4)
SIGNS = (
    range(0x0020, 0x007F),  # Latin
    range(0x00A0, 0x0180),
    range(0x2000, 0x2070),  # dashes, quotation marks
    range(0x20A0, 0x20C0),  # currencies
    range(0x2100, 0x2200),  # letterlike signs, fractions, arrows
    range(0x2460, 0x2480),  # ① to ⑳
    range(0x25A0, 0x2600),  # bullets
    range(0x2713, 0x2716),
    range(0x3000, 0x3040),  # 「」『』
    range(0x3131, 0x318F),  # ㄱ to ㆎ
)


def is_common(code: int) -> bool:
    """Whether the syllable is one of the 2,350 of KS X 1001; Python writes any other in EUC-KR as eight bytes."""
    return len(chr(code).encode("euc_kr")) == 2


def write(source: Path, codes: Iterable[int], weights: float | tuple[float, float], path: Path) -> None:
    """Write the glyphs of `codes` in one weight or a range of them."""
    options = subset.Options(hinting=False, glyph_names=False, layout_features=["kern", "tnum"])
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=codes)
    font = TTFont(source)
    subsetter.subset(font)
    cut = io.BytesIO()  # the instancer wants a font whose tables are whole again
    font.flavor = None
    font.save(cut)
    font = TTFont(cut)
    instantiateVariableFont(font, {"wght": weights}, inplace=True)
    name = NAMES[path.stem]
    for record in font["name"].names:
        if record.nameID in (1, 3, 4, 6, 16, 25):
            record.string = name.replace(" ", "") if record.nameID in (6, 25) else name
    font.flavor = "woff2"
    font.save(path)


if __name__ == "__main__":
    source, folder = Path(sys.argv[1]), Path(__file__).parent / "fonts"
    write(
        source, [*(code for signs in SIGNS for code in signs), *filter(is_common, SYLLABLES)], (400, 700), folder / "common.woff2"
    )
    write(source, [code for code in SYLLABLES if not is_common(code)], 400, folder / "rare.woff2")
