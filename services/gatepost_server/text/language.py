"""The language of a short line, as far as the letters tell."""

from __future__ import annotations

import re

from gatepost_server.text.characters import count_han

_ENGLISH = re.compile("[A-Za-z]")
_OTHER_LETTER = re.compile("[\u0250-\u2fff\u3040-\u30ff\u3130-\u318f\uac00-\ud7af]")


def guess_language(text: str) -> str:
    """BCP 47 primary tag: "zh", "en", or "und" (no letters, or letters of other scripts).

    A Chinese character says about as much as three Latin letters.
    """
    han = count_han(text)
    latin = len(_ENGLISH.findall(text))
    if len(_OTHER_LETTER.findall(text)) > han + latin / 3:
        return "und"
    if han == 0 and latin < 2:
        return "und"
    return "zh" if han * 3 >= latin else "en"
