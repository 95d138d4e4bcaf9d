"""Bytes to text, or a reason why not."""

import codecs
import re

from rag.errors import DocumentError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16 LE, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UTF8_HANGUL = re.compile(rb"(?:[\xea-\xed][\x80-\xbf]{2}){2}")
_HANGUL_OR_ASCII = re.compile("[\uac00-\ud7a3\u3130-\u318f\u3000-\u303f\uff00-\uffef\x09\x0a\x0d\x20-\x7e·…‘’“”「」]")


def decode(data: bytes) -> str:
    """The text of `data`: UTF-8 or UTF-16 (with or without a byte-order mark), or CP949, of which EUC-KR is a part.

    Raises DocumentError with the reason if none of them fits.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _strict(data[len(bom) :], encoding)
    if utf16 := _utf16_without_mark(data):
        return utf16
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        utf8_error = error
    # Bytes of UTF-8 Hangul inside what is not UTF-8: CP949 would turn them into other syllables without an error.
    if not _UTF8_HANGUL.search(data):
        text = _plausible_korean(data)
        if text is not None:
            return text
    line = data.count(b"\n", 0, utf8_error.start) + 1
    raise DocumentError(
        f"not UTF-8 (byte {utf8_error.start}, line {line}: {utf8_error.reason}), nor UTF-16 or CP949; save it again as UTF-8"
    )


def _strict(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"its byte-order mark says {encoding}, but byte {error.start} is not ({error.reason}); save it again as UTF-8"
        ) from error


def _utf16_without_mark(data: bytes) -> str | None:
    """UTF-16 text shows in its spaces and line ends (00 20, 00 0A), which UTF-8 text does not have."""
    if len(data) % 2 or len(data) < 4:
        return None
    for encoding, space, newline in (("utf-16-le", b" \0", b"\n\0"), ("utf-16-be", b"\0 ", b"\0\n")):
        units = [data[i : i + 2] for i in range(0, min(len(data), 4000), 2)]
        if space in units or newline in units or (b"\0" in data and _mostly_zero_half(units, encoding)):
            try:
                text = data.decode(encoding)
            except UnicodeDecodeError:
                continue
            if len(_HANGUL_OR_ASCII.findall(text)) >= 0.9 * len(text):
                return text
    return None


def _mostly_zero_half(units: list[bytes], encoding: str) -> bool:
    half = 1 if encoding == "utf-16-le" else 0
    return sum(unit[half] == 0 for unit in units) > 0.8 * len(units)


def _plausible_korean(data: bytes) -> str | None:
    try:
        text = data.decode("cp949")
    except UnicodeDecodeError:
        return None
    return text if len(_HANGUL_OR_ASCII.findall(text)) >= 0.8 * len(text) else None
