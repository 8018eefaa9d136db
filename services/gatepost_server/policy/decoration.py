"""Texts that may stand in a picture though nobody asked for them: lucky characters, dates, the brand's name."""

from __future__ import annotations

import re

from gatepost_server.policy.document import Decoration
from gatepost_server.text.folded import fold

_NUMERAL = "〇零一二三四五六七八九十廿卅"
_MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?"
)
_YEAR, _DAY = r"(?:19|20)\d\d", r"[0-3]?\d"
# As text.folded leaves them: without spaces and signs.
_DATES = (
    rf"{_YEAR}(?:[01]\d[0-3]\d|年(?:[01]?\d月(?:{_DAY}[日号]?)?)?)?",
    rf"[01]?\d月{_DAY}[日号]?",
    rf"[{_NUMERAL}]{{4}}年?",
    rf"(?:农历|公历)?(?:[{_NUMERAL}]{{1,3}}|正|冬|腊)月(?:初?[{_NUMERAL}]{{1,3}}[日号]?)?",
    r"[甲乙丙丁戊己庚辛壬癸][子丑寅卯辰巳午未申酉戌亥]年?",
    rf"(?:{_MONTHS}){_DAY}(?:st|nd|rd|th)?(?:{_YEAR})?",
    rf"{_DAY}(?:st|nd|rd|th)?(?:of)?(?:{_MONTHS})(?:{_YEAR})?",
    rf"(?:{_MONTHS}){_YEAR}",
)
_MADE = "(?:(?:made|created|designed|powered)(?:with|by|in)|c|出品|制作|设计)?"


class Decorations:
    """Knows texts that are made of decoration and nothing else."""

    def __init__(self, rules: Decoration) -> None:
        texts = [re.escape(text) for each in rules.texts if (text := fold(each).text)]
        brands = [re.escape(text) for each in rules.brand if (text := fold(each).text)]
        signed = [f"{_MADE}{brand}{_MADE}" for brand in brands]
        kinds = [*texts, *signed, *(_DATES if rules.dates else ())]
        self._pattern = re.compile(f"(?:{'|'.join(kinds)})+" if kinds else r"(?!)")

    def hold(self, text: str) -> bool:
        """Whether `text`, as it was read, is decoration."""
        return self._pattern.fullmatch(fold(text).text) is not None
