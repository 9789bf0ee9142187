"""Which texts of an export may be of a person, and are therefore never shown or written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

#: Written in place of such a text.
WITHHELD = "(text withheld: it may be of a person)"
#: A telephone number, a citizen id or an account has at least so many digits.
_FEWEST_DIGITS = 6
#: A longer text is no code, but somebody's remark.
_LONGEST_TEXT = 20
#: The most frequent surnames, with a given name.
_NAME = re.compile(
    "[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田"
    "董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤][一-鿿]{1,2}$"
)


def may_be_of_person(text: str) -> bool:
    """Return whether a text holds a number of a person, or is too long for a code.

    Examples
    --------
    >>> [may_be_of_person(text) for text in ("外出务工", "王建国之妻 138-1234-5678", "电话１３８１２３４５６７８")]
    [False, True, True]
    """
    text = unicodedata.normalize("NFKC", text)
    return len(text) > _LONGEST_TEXT or sum(map(str.isdigit, text)) >= _FEWEST_DIGITS


def mostly_names(texts: Collection[str]) -> bool:
    """Return whether more than half of some texts look like the names of persons."""
    return sum(bool(_NAME.match(text)) for text in texts) > 0.5 * len(texts)
