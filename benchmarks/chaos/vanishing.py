"""A client that streams cards and says when the first is answered; it is there to be killed."""

from __future__ import annotations

import itertools
import sys

from benchmarks.chaos.cards import known_cards
from gatepost_client import Client


def main() -> None:
    """Stream for ever."""
    items = itertools.cycle([card.item() for card in known_cards()])
    with Client(sys.argv[1]) as client:
        for result in client.moderate_stream(items):
            print(result.index, flush=True)


if __name__ == "__main__":
    main()
