"""A sample of the hostile images through a real gatepost: gateway, Triton, stubs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.fuzz.cases import Case
from benchmarks.fuzz.worker import anonymous_mb
from benchmarks.stack import Stack, running
from gatepost_client import Client, Decision, InvalidRequest, Item

_STUB = "triton_python_backend_stub"
_WARM = 25


@dataclass(slots=True)
class Served:
    """What came of the sample. `before_mb` and `after_mb` are the decode stub's own memory."""

    decisions: dict[str, int] = field(default_factory=dict)
    allowed: list[Case] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)  # answers that are neither a verdict nor a typed refusal
    restarts: int = 0
    before_mb: float = 0.0
    after_mb: float = 0.0


def serve(cases: Sequence[Case], good: Sequence[bytes]) -> Served:
    """Send the good images, the cases, and the good ones again."""
    served = Served()
    with running(ready_timeout_s=300) as stack, Client(stack.address, timeout=120) as client:
        warm = [Item(good[index % len(good)], request_id=f"warm-{index}") for index in range(_WARM)]
        for _ in client.moderate_stream(warm, window=8, stall_timeout=300):
            pass
        stubs = _stubs(stack)
        served.before_mb = anonymous_mb(stubs["decode"])
        named = {f"case-{index}": case for index, case in enumerate(cases)}
        items = (Item(case.data, request_id=name) for name, case in named.items())
        for result in client.moderate_stream(items, window=8, stall_timeout=300):
            case = named[result.request_id]
            if result.verdict is not None:
                word = result.verdict.decision.name
                if result.verdict.decision is Decision.ALLOW:
                    served.allowed.append(case)
            elif isinstance(result.error, InvalidRequest):
                word = "refused"
            else:
                word = "failed"
                served.failures.append(f"{case.format}, {case.kind}, {case.name}: {result.error}")
            served.decisions[word] = served.decisions.get(word, 0) + 1
        for _ in client.moderate_stream(warm, window=8, stall_timeout=300):
            pass
        now = _stubs(stack)
        served.restarts = sum(now.get(model) != pid for model, pid in stubs.items())
        served.after_mb = anonymous_mb(now["decode"])
    return served


def _stubs(stack: Stack) -> dict[str, int]:
    """Model name to process id."""
    found = {}
    for child in stack.process.children(recursive=True):
        command = child.cmdline()
        if command and command[0].endswith(_STUB):
            found[command[1].split("/")[-3]] = child.pid
    return found
