"""Block and allow lists: texts found in what was read, after normalisation on both sides."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gatepost_server.domain.evidence import Evidence
from gatepost_server.policy.document import AllowEntry, BlockEntry
from gatepost_server.text.normalize import compact, normalize

_NOT_TEXT = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class ListMatch:
    """An entry of the block list and where it was found: "line:<i>" or "joined"."""

    entry: BlockEntry
    source: str


class BlockList:
    """Finds entries inside lines and inside the lines read together.

    A Latin entry must stand as whole words ("ass" is not in "glass"); a Chinese one may stand anywhere.
    """

    def __init__(self, entries: Sequence[BlockEntry]) -> None:
        self._patterns = tuple((entry, _pattern(entry.text)) for entry in entries)
        self.wanted = tuple(dict.fromkeys(comparable(entry.text) for entry in entries))  # one is in each text found

    def find(self, evidence: Evidence) -> tuple[ListMatch, ...]:
        """The first place of every entry that was found."""
        if not self._patterns:
            return ()
        places = [(f"line:{index}", comparable(line.text)) for index, line in enumerate(evidence.lines)]
        places.append(("joined", comparable(evidence.joined_text)))
        return tuple(
            ListMatch(entry, source)
            for entry, pattern in self._patterns
            if (source := next((name for name, text in places if pattern.search(text)), None))
        )

    def entries_in(self, text: str) -> tuple[BlockEntry, ...]:
        """The entries that stand in a text as `comparable` gives it."""
        return tuple(entry for entry, pattern in self._patterns if pattern.search(text))


class AllowList:
    """Knows lines that hold one listed text and nothing else but punctuation."""

    def __init__(self, entries: Iterable[AllowEntry]) -> None:
        self.texts = frozenset(_letters(entry.text) for entry in entries) - {""}  # letters alone

    def lines(self, evidence: Evidence) -> frozenset[int]:
        """Indexes of the lines that are cleared."""
        if not self.texts:
            return frozenset()
        return frozenset(index for index, line in enumerate(evidence.lines) if self.holds(comparable(line.text)))

    def holds(self, text: str) -> bool:
        """Whether a text as `comparable` gives it is an entry and nothing else."""
        return _NOT_TEXT.sub("", text) in self.texts


def comparable(text: str) -> str:
    """The form in which list entries and lines meet."""
    return compact(normalize(text))


def _letters(text: str) -> str:
    return _NOT_TEXT.sub("", comparable(text))


def _pattern(text: str) -> re.Pattern[str]:
    wanted = comparable(text)
    before = r"(?<![a-z0-9])" if re.match(r"[a-z0-9]", wanted) else ""
    after = r"(?![a-z0-9])" if re.search(r"[a-z0-9]$", wanted) else ""
    return re.compile(before + re.escape(wanted) + after)
