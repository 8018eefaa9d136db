"""Texts that a prompt quotes: a card that says “新年快乐”."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gatepost_server.text.characters import count_han, count_letters

_MOST, _LONGEST = 16, 200  # quotations of one prompt, and characters of one
_NEAR = 24  # characters between the words that announce a quotation and its mark

_QUOTED = re.compile(
    rf"“([^“”]{{1,{_LONGEST}}})”|「([^「」]{{1,{_LONGEST}}})」|『([^『』]{{1,{_LONGEST}}})』|《([^《》]{{1,{_LONGEST}}})》"
    rf"|\"([^\"\n]{{1,{_LONGEST}}})\"|‘([^‘’]{{1,{_LONGEST}}})’|(?<![\w])'([^'\n]{{2,{_LONGEST}}})'(?![\w])"
)
_BOOK = 4  # the group of 《》, which names books and films unless something announces it
_ANNOUNCED = re.compile(
    r"(写|書|书|印|刻|题|題|配|标|標|说|說|念|文字|字样|字樣|内容|標題|标题|祝福语|祝福語|寓意)[^“”「」『』\"。；;]*$"
    r"|\b(says?|saying|reads?|reading|written|writing|writes?|words?|wording|text|letters|lettering|caption(ed)?|captions"
    r"|titled?|slogan|message|greeting|inscription|inscribed|spells?|spelling|printed|labell?ed)\b[^“”\".;]*$",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\s*(几个|幾個|[一二三四五六七八九十两\d]+个?)?(大|的)?(字|字样|字樣|文字|祝福|text|lettering|caption)",
    re.IGNORECASE,
)


def quoted(prompt: str) -> list[str]:
    """What a prompt asks to be written, each text once, in the order of the prompt; at most 16 of 200 characters.

    Where words announce a quotation (写着, 字样, "that says"), such quotations alone count: others may name a style or
    a film. Where nothing announces any, all of two words or two Chinese characters count.
    """
    found = list(_quotations(prompt))
    announced = [text for text, is_announced, _ in found if is_announced]
    chosen = announced or [text for text, _, is_title in found if not is_title and _is_phrase(text)]
    return list(dict.fromkeys(chosen))[:_MOST]


def _quotations(prompt: str) -> Iterator[tuple[str, bool, bool]]:
    """(text, whether words announce it, whether its marks are those of a title)."""
    end, before = 0, False
    for match in _QUOTED.finditer(prompt):
        text = match[match.lastindex or 0].strip()
        between = prompt[end : match.start()]
        # 写着“新年快乐”和“万事如意”: what announces the first announces those that follow at once.
        follows = before and len(between) <= 4
        announced = follows or bool(
            _ANNOUNCED.search(between[-_NEAR:]) or _AFTER.match(prompt, match.end(), match.end() + _NEAR)
        )
        end, before = match.end(), announced
        if count_letters(text):
            yield text, announced, match.lastindex == _BOOK


def _is_phrase(text: str) -> bool:
    return count_han(text) >= 2 or len(text.split()) >= 2
