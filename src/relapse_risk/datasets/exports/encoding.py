"""Which encoding a text file is in: found by what is valid, never by guess, and garbled text is seen as such."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from relapse_risk.errors import ImportRefused

Encoding = Literal["auto", "utf-8", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]

#: What each start of a file says by itself.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: GB18030 holds all of GBK, and the rare characters of names that GBK lacks.
_CODECS = {"utf-8": "utf-8-sig", "gbk": "gb18030"}
_CHUNK = 1 << 22
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
#: What Windows-1252 and Latin-1 have beyond ASCII.
_WEST = "\u0080-\u00ff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122"
_WESTERN = re.compile(f"[{_WEST}]")
_FOREIGN = re.compile(f"[^\\x00-\\x7f{_WEST}\ufffd]")
_REPLACED = ("\ufffd", "锟斤拷", "烫烫烫")


def detect(path: Path) -> str:
    """Return the one encoding in which all of a file is valid text.

    Parameters
    ----------
    path : path
        A text file.

    Returns
    -------
    str
        A Python codec: ``utf-8-sig``, ``utf-16``, ``gb18030`` or ``ascii``.

    Raises
    ------
    ImportRefused
        If no encoding fits, or two fit and nothing distinguishes them.

    Notes
    -----
    A mark at the start decides. Without one, UTF-8 is strict enough to be known by validity; a file that is not
    UTF-8 is GB18030 if it is valid there. A few bytes can be valid in both ("模" in GBK is): then a text that
    holds no Chinese as UTF-8 is refused, unless it is Western through and through, which is garbled Chinese and
    reported as such by what reads it.
    """
    with path.open("rb") as file:
        start = file.read(4)
    for mark, codec in _MARKS:
        if start.startswith(mark):
            check(path, codec)
            return codec
    non_ascii = _invalid_at(path, "ascii")
    if non_ascii is None:
        return _without_nul(path, "ascii")
    if _invalid_at(path, "utf-8") is not None:
        line = _invalid_at(path, "gb18030")
        if line is None:
            return _without_nul(path, "gb18030")
        raise ImportRefused(
            f"{path.name}: neither UTF-8 nor GB18030, the first byte that is neither stands in line {line}; "
            "export the file again as UTF-8, or name its encoding in the mapping"
        )
    if not _has(_HAN, path, "utf-8") and _has(_FOREIGN, path, "utf-8") and _invalid_at(path, "gb18030") is None:
        raise ImportRefused(
            f"{path.name}: valid as UTF-8 and as GB18030, and too little text to decide which; "
            'say encoding = "gb18030" or "utf-8" for it in the mapping'
        )
    return _without_nul(path, "utf-8-sig")


def check(path: Path, encoding: str) -> str:
    """Return the Python codec of an encoding that the whole file is valid in.

    Raises
    ------
    ImportRefused
        If it is not, with the line of the first byte that does not fit.
    """
    codec = _CODECS.get(encoding, encoding)
    line = _invalid_at(path, codec)
    if line is not None:
        raise ImportRefused(
            f"{path.name}: not valid {encoding}, first in line {line}; "
            "leave encoding out of the mapping to have it detected, or export the file again"
        )
    return codec


def decoded(path: Path, codec: str) -> Iterator[str]:
    """Return a file's text, chunk by chunk."""
    decoder = codecs.getincrementaldecoder(codec)()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


def as_utf8(path: Path, codec: str) -> Iterator[bytes]:
    """Return a file's text as UTF-8, chunk by chunk; the file is known to be valid in its encoding."""
    if codec in ("ascii", "utf-8-sig"):
        return _without_mark(path)
    return (text.encode("utf-8") for text in decoded(path, codec))


def _without_mark(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield file.read(_CHUNK).removeprefix(codecs.BOM_UTF8)
        while chunk := file.read(_CHUNK):
            yield chunk


class ByteStream(io.RawIOBase):
    """Chunks of bytes as one stream.

    Parameters
    ----------
    chunks : iterable of bytes-like
        Read as far as is asked for.
    """

    def __init__(self, chunks: Iterable[bytes | bytearray | memoryview]) -> None:
        self._chunks = iter(chunks)
        self._left = bytearray()

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return at most ``size`` bytes, all that is left if negative."""
        while size < 0 or len(self._left) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._left += chunk
        taken = bytes(self._left if size < 0 else self._left[:size])
        del self._left[: len(taken)]
        return taken


def is_garbled(text: str) -> bool:
    """Return whether a text was once decoded in the wrong encoding.

    Three kinds are seen: characters already replaced, GBK read as a Western encoding (``»§±àºÅ``), and UTF-8 read
    as GBK (``鎴风紪鍙``).

    Examples
    --------
    >>> [is_garbled(text) for text in ("户编号", "»§±àºÅ", "鎴风紪鍙", "户编�", "30°·坡")]
    [False, True, True, True, False]
    """
    if text.isascii():
        return False
    if any(mark in text for mark in _REPLACED):
        return True
    if _HAN.search(text):
        return _reads_as(text, "gb18030", "utf-8")
    return len(_WESTERN.findall(text)) >= 2 and any(_reads_as(text, c, "gb18030") for c in ("latin-1", "cp1252"))


def _reads_as(text: str, wrong: str, right: str) -> bool:
    """Return whether the text's bytes in one encoding are mostly Chinese in another; tools drop some on the way."""
    try:
        again = text.encode(wrong).decode(right, errors="replace")
    except UnicodeEncodeError:
        return False
    n_chinese = len(_HAN.findall(again))
    return n_chinese >= (2 if right == "utf-8" else 1) and n_chinese > again.count("\ufffd")


def _invalid_at(path: Path, codec: str) -> int | None:
    """Return the line in which a file stops being valid, None if it is valid to the end."""
    line = 1
    try:
        for text in decoded(path, codec):
            line += text.count("\n")
    except UnicodeError as error:
        bytes_before = getattr(error, "object", b"")[: getattr(error, "start", 0)]
        return line + bytes_before.count(b"\n")
    return None


def _has(kind: re.Pattern[str], path: Path, codec: str) -> bool:
    return any(kind.search(text) for text in decoded(path, codec))


def _without_nul(path: Path, codec: str) -> str:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if b"\0" in chunk:
                raise ImportRefused(
                    f"{path.name}: holds zero bytes, as UTF-16 without its mark does; export it again as UTF-8, or "
                    'say encoding = "utf-16-le" for it in the mapping'
                )
    return codec
