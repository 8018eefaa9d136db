"""python -m benchmarks.cards.fetch [--split test]: install the pictogram sets that cards are drawn with (npm)."""

from __future__ import annotations

import argparse

from benchmarks.cards.pictures import fetch
from benchmarks.cards.splits import Split


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", type=Split, choices=list(Split), action="append", help="default: all")
    for split in parser.parse_args().split or list(Split):
        fetch(split)


if __name__ == "__main__":
    main()
