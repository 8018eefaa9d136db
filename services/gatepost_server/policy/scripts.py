"""In which scripts the lines of a picture are written, and whether anything could be read at all.

The numbers are measured: docs/coverage.md tells what they catch and what they cost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from gatepost_server.domain.evidence import TextLine
from gatepost_server.text.characters import count_letters
from gatepost_server.text.scripts import JUDGED_SCRIPTS, count_scripts

# When letters of a script that nothing judges are text: several, read surely, and a good part of their line. A letter
# alone stands on cards of any language (π, の), and ornaments are read as a few letters of any script.
_LEAST_LETTERS, _LEAST_CONFIDENCE, _LEAST_SHARE = 2, 0.75, 1 / 3
# What a recogniser makes of a script that it does not know: several letters, none of them sure.
_GUESSED_LETTERS, _SURE = 4, 0.85


def lines_by_script(lines: Sequence[TextLine]) -> Mapping[str, int]:
    """How many lines are written in each script, by ISO 15924 code."""
    return dict(sorted(Counter(script for line in lines for script in scripts_of(line)).items()))


def scripts_of(line: TextLine) -> frozenset[str]:
    """The scripts that a line is written in; none of one that was told to be an ornament."""
    letters = count_scripts(line.text) if line.confidence > 0.0 else {}
    others = letters.keys() - JUDGED_SCRIPTS
    of_others = sum(letters[script] for script in others)
    is_text = (
        of_others >= _LEAST_LETTERS
        and line.confidence >= _LEAST_CONFIDENCE
        and of_others >= _LEAST_SHARE * sum(letters.values())
    )
    return frozenset(letters if is_text else letters.keys() - others)


def is_guessed(lines: Sequence[TextLine]) -> bool:
    """Whether there is text, and no line with a letter was read surely: most often another script."""
    written = any(line.confidence > 0.0 and count_letters(line.text) >= _GUESSED_LETTERS for line in lines)
    return written and not any(line.confidence >= _SURE and count_letters(line.text) for line in lines)
