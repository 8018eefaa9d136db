"""Makes gatepost_client/fonts/gatepost-sans-sc.otf: the small CJK font that annotated images are lettered with.

    apt-get install fonts-noto-cjk && pip install fonttools
    python clients/python/scripts/make_font.py [NotoSansCJK-Regular.ttc]

The source is Noto Sans CJK SC of Debian's fonts-noto-cjk (SIL Open Font License 1.1). Kept are the
everyday hanzi, simplified (GB 2312 level 1) and traditional (Big5 level 1), plus the few rarer ones
that insults are made of, kana, and the alphabets and punctuation that stand beside them. The result
has a name of its own, as a modified font should.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont

SOURCE = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
TARGET = Path(__file__).parents[1] / "gatepost_client" / "fonts" / "gatepost-sans-sc.otf"
FACE = "Noto Sans CJK SC"
FAMILY = "Gatepost Sans SC"

RARER_HANZI = "屄肏屌屎尻骚婊嫖妓娼贱淫尿屁腚粪蠢傻笨痴疯癫瘪瘟孬怂怼骂呸啐咒诅殡葬讣薨殉骷髅匕弩铳镖囍禧祺祉臻祚馥嘏"
BLOCKS = (
    (0x0020, 0x007E),  # ASCII
    (0x00A0, 0x017F),  # Latin-1, Latin Extended-A
    (0x0391, 0x03C9),  # Greek
    (0x0410, 0x0451),  # Cyrillic, which homoglyph evasions borrow from
    (0x2010, 0x2027),  # dashes, quotation marks, ellipsis
    (0x2030, 0x203B),
    (0x2190, 0x2193),
    (0x2248, 0x2248),
    (0x2264, 0x2265),
    (0x2460, 0x2473),  # circled digits
    (0x2500, 0x2503),
    (0x25A0, 0x25CF),
    (0x2605, 0x2606),
    (0x3000, 0x301F),  # CJK punctuation
    (0x3041, 0x30FF),  # kana
    (0xFF01, 0xFF5E),  # full-width forms
    (0xFFFD, 0xFFFD),
)


def code_points() -> set[int]:
    """Every character that the font must draw."""
    points = {ord(character) for character in RARER_HANZI}
    for first, last in BLOCKS:
        points.update(range(first, last + 1))
    points.update(_double_byte("gb2312", range(0xB0, 0xD8), [range(0xA1, 0xFF)]))
    points.update(_double_byte("big5", range(0xA4, 0xC7), [range(0x40, 0x7F), range(0xA1, 0xFF)]))
    return points


def _double_byte(codec: str, leads: range, trails: list[range]) -> set[int]:
    pairs = (bytes((lead, trail)) for lead in leads for row in trails for trail in row)
    return {ord(text) for pair in pairs if (text := pair.decode(codec, errors="ignore"))}


def face(collection: Path) -> TTFont:
    """The face of the collection that draws simplified Chinese."""
    for font in TTCollection(collection).fonts:
        if font["name"].getDebugName(1) == FACE:
            return font
    raise SystemExit(f"{collection} holds no {FACE}")


def make(source: Path, target: Path) -> None:
    """Writes the subset of `source` to `target`."""
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.desubroutinize = False
    options.notdef_outline = True
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "GSUB", "GPOS"]
    font = face(source)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=code_points())
    subsetter.subset(font)
    for record in font["name"].names:
        if record.nameID in (1, 3, 4, 6):
            record.string = FAMILY.replace(" ", "") if record.nameID == 6 else FAMILY
    font["CFF "].cff.fontNames = [FAMILY.replace(" ", "")]
    font["head"].modified = font["head"].created  # the same bytes on every run
    font.recalcTimestamp = False
    font.save(target)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the CJK subset font of gatepost_client.")
    parser.add_argument("source", nargs="?", type=Path, default=SOURCE)
    source = parser.parse_args().source
    make(source, TARGET)
    print(f"{TARGET}: {TARGET.stat().st_size / 1e6:.2f} MB, {len(TTFont(TARGET).getBestCmap())} characters")


if __name__ == "__main__":
    main()
