"""How many instances and threads each net gets, and what may be tried next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gatepost_server.domain.labels import StageName

# Those that run a net, the dearest first: what they gain counts most.
NETS = (StageName.OCR_DETECT, StageName.CLIP, StageName.OCR_RECOGNIZE, StageName.TEXT_TOXICITY)


@dataclass(frozen=True, slots=True)
class Share:
    """One net's: so many processes (Triton's instances) of so many threads each."""

    instances: int = 1
    threads: int = 1

    def doubled(self) -> tuple[Share, Share]:
        """With twice the threads, with twice the instances."""
        return replace(self, threads=2 * self.threads), replace(self, instances=2 * self.instances)

    def halved(self) -> Iterator[Share]:
        """With half the threads, with half the instances, where there are two or more."""
        if self.threads > 1:
            yield replace(self, threads=self.threads // 2)
        if self.instances > 1:
            yield replace(self, instances=self.instances // 2)


@dataclass(frozen=True, slots=True)
class Plan:
    """Every net's share, in the order of NETS. The plain `Plan()` is what config.pbtxt and the stages have."""

    shares: tuple[Share, ...] = (Share(),) * len(NETS)

    def instances(self) -> dict[str, int]:
        """As TritonSettings.instances."""
        return {str(net): share.instances for net, share in zip(NETS, self.shares, strict=True)}

    def parameters(self) -> dict[str, str]:
        """As TritonSettings.parameters."""
        return {f"{net}_threads": str(share.threads) for net, share in zip(NETS, self.shares, strict=True)}

    def __str__(self) -> str:
        """For people: instances x threads of each net."""
        pairs = zip(NETS, self.shares, strict=True)
        return ", ".join(f"{net} {share.instances}x{share.threads}" for net, share in pairs)


def neighbours(plan: Plan, cores: int) -> Iterator[Plan]:
    """What is one step away: all nets' shares doubled, one net's doubled, one net's halved.

    No net gets more threads in all than there are cores: beyond that they only take turns.
    """
    doubled = [share.doubled() for share in plan.shares]
    wanted = [Plan(tuple(each[way] for each in doubled)) for way in (0, 1)]
    for index, share in enumerate(plan.shares):
        wanted += [_with(plan, index, other) for other in (*share.doubled(), *share.halved())]
    yield from (each for each in wanted if all(share.instances * share.threads <= cores for share in each.shares))


def _with(plan: Plan, index: int, share: Share) -> Plan:
    return Plan((*plan.shares[:index], share, *plan.shares[index + 1 :]))
