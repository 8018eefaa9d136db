"""Every case through the decode stage, and what it took for an image through an independent reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.fuzz.cases import Case
from benchmarks.fuzz.children import Child

_WARM = 200


@dataclass(slots=True)
class Tally:
    """Counts by (format, kind), and what went wrong. Memory is the decoding child's own, in MiB."""

    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    taken: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    faults: dict[str, list[str]] = field(default_factory=lambda: {"crash": [], "hang": [], "untyped": []})
    undecodable: list[str] = field(default_factory=list)  # taken for an image, though Pillow cannot read it
    slowest_s: float = 0.0  # processor time
    slowest: str = ""
    before_mb: float = 0.0
    after_mb: float = 0.0

    @property
    def cases(self) -> int:
        """How many there were."""
        return self.refused.total() + self.taken.total() + sum(map(len, self.faults.values()))


def tally(cases: Iterable[Case], good: Sequence[bytes], kept: Path) -> Tally:
    """Inputs that make the decoder fail are left in `kept`."""
    found = Tally()
    with Child("decode") as decoder, Child("pillow") as reader:
        found.before_mb = _warm(decoder, good)
        for case in cases:
            answer = decoder.ask(case.data)
            if answer.cpu_s > found.slowest_s:
                found.slowest_s, found.slowest = answer.cpu_s, _name(case)
            if answer.fault:
                found.faults[answer.why.split(":")[0]].append(f"{_name(case)}: {answer.why}")
                kept.mkdir(parents=True, exist_ok=True)
                (kept / case.key).write_bytes(case.data)
            elif not answer.read:
                found.refused[case.format, case.kind] += 1
                found.reasons[answer.why] += 1
            else:
                found.taken[case.format, case.kind] += 1
                if not reader.ask(case.data).read:
                    found.undecodable.append(_name(case))
        found.after_mb = _warm(decoder, good)
    return found


def undecodable(cases: Iterable[Case]) -> list[str]:
    """Those of the cases that the independent reading cannot read."""
    with Child("pillow") as reader:
        return [_name(case) for case in cases if not reader.ask(case.data).read]


def _warm(decoder: Child, good: Sequence[bytes]) -> float:
    """The decoder's own memory after it has read good images."""
    return [decoder.ask(good[index % len(good)]).anon_mb for index in range(_WARM)][-1]


def _name(case: Case) -> str:
    return f"{case.format}, {case.kind}, {case.name} ({case.key})"
