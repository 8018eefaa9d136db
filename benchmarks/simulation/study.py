"""The part "simulation" of `make bench`: is the model right, and what do bursts do to fleets of different sizes?

Simulated is a hundredth of the fleet with a hundredth of the images: replicas share nothing, so that a larger pool
behind the same balancer does as well or a little better.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

import numpy as np

from benchmarks import targets
from benchmarks.simulation.demand import DAY_S, Burst, closed_loop, open_loop
from benchmarks.simulation.fleet import Balancer, Fleet, Outcome, Seen, at_random, least_request, round_robin
from benchmarks.targets import Target
from benchmarks.throughput import latency
from benchmarks.throughput.part import Part, command, kept
from gatepost_server.gateway.admission import AdmissionLimits

NAME = "simulation"
IMAGES_A_DAY, PEAK, EVENING = 50e6, 30.0, 3.0  # peak and evening in multiples of the day's mean
CELL = 100  # the part of the fleet that is simulated is one of so many
SIZES = (0.6, 0.8, 0.9, 1.0, 1.1, 1.25, 1.45)  # in multiples of the replicas that the peak just fills
BALANCERS: Mapping[str, Balancer] = {
    "least request": least_request,
    "round robin": round_robin,
    "at random": at_random,
}
COMPARED_AT = 1.1
LIMITS = (32, 16, 8, 4)  # images inside of a replica: max_images_in_flight
TOO_FEW = 0.8  # the size of the fleet that the limits are compared at
VALIDATED = ("4", "16")  # callers
NEAR = 25.0  # per cent
SEED = 20260217
_LONG_S = 600.0


def measure(_: bool) -> Part:
    """Raises RuntimeError where the part "latency", whose waits are drawn from, has not been measured."""
    measured = kept([latency.NAME]).get(latency.NAME)
    if measured is None:
        raise RuntimeError(f"the simulation draws from measured waits: first {command(latency.NAME)}")
    return study(measured["by_callers"], measured["measured"])


def study(by_callers: Mapping[str, Any], when: str) -> Part:
    """`by_callers`: figures of the part "latency", by callers as text, which was measured `when`."""
    rate = max(of["images_per_second"] for of in by_callers.values())
    work_s = work(by_callers["1"]["waits_ms"], rate)
    checks = {callers: check(by_callers[callers], work_s, int(callers)) for callers in VALIDATED}
    burst = Burst(EVENING * IMAGES_A_DAY / DAY_S / CELL, PEAK * IMAGES_A_DAY / DAY_S / CELL)
    needed = burst.peak / rate
    fleets = []
    for size in SIZES:
        replicas = math.ceil(size * needed)
        seen = open_loop(Fleet(replicas, work_s, seed=SEED), burst)
        fleets.append({"size": size, "replicas": CELL * replicas, **told(seen, burst)})
    balancers = {
        name: told(open_loop(Fleet(math.ceil(COMPARED_AT * needed), work_s, seed=SEED, balancer=each), burst), burst)
        for name, each in BALANCERS.items()
    }
    few = math.ceil(TOO_FEW * needed)
    limits = {
        most: told(open_loop(Fleet(few, work_s, seed=SEED, limits=AdmissionLimits(most, most)), burst), burst)
        for most in LIMITS
    }
    figures = {
        "rate_per_replica": rate,
        "drawn_from": when,
        "mean_per_s": IMAGES_A_DAY / DAY_S,
        "peak_per_s": PEAK * IMAGES_A_DAY / DAY_S,
        "burst_s": burst.lasts,
        "checks": checks,
        "fleets": fleets,
        "limits": {"size": TOO_FEW, "by_images": limits},
        "balancers": {"size": COMPARED_AT, "by_name": balancers},
    }
    return Part(rows(checks, fleets), figures)


def work(waits_ms: Sequence[float], rate: float) -> Sequence[float]:
    """Seconds of work for an image: what it waited alone, scaled so that the mean is one over the best rate.

    Alone an image leaves the machine partly idle, so that its wait is longer than its share of a full machine.
    """
    scale = 1 / (rate * mean(waits_ms))
    return [wait * scale for wait in waits_ms]


def check(measured: Mapping[str, Any], work_s: Sequence[float], callers: int) -> Mapping[str, float]:
    """Quantiles in ms of so many callers on one replica: simulated, measured, and how far off in per cent."""
    seen = closed_loop(Fleet(1, work_s, seed=SEED, timeout_s=1e6), callers, _LONG_S)
    found: dict[str, float] = {}
    for q in (50, 99):
        simulated = 1_000 * float(np.percentile([each.wait for each in seen[callers:]], q))
        real = measured["parts_ms"]["client"][f"p{q}"]
        found |= {f"p{q}": simulated, f"p{q}_measured": real, f"p{q}_off": 100 * abs(simulated / real - 1)}
    return found


def told(seen: Sequence[Seen], burst: Burst) -> Mapping[str, float]:
    """What callers saw whose image came in the burst, and in p99 what the others saw."""
    inside = [each for each in seen if burst.inside(each.began)]
    calm = [each for each in seen if not burst.inside(each.began)]
    judged = [each.wait for each in inside if each.outcome is Outcome.JUDGED]
    shares = {
        outcome.value: 100 * sum(each.outcome is outcome for each in inside) / len(inside)
        for outcome in (Outcome.REFUSED, Outcome.HELD)
    }
    return {
        "images": len(inside),
        "p50_s": float(np.percentile(judged, 50)),
        "p99_s": float(np.percentile(judged, 99)),
        **shares,
        "calm_p99_s": float(np.percentile([each.wait for each in calm if each.outcome is Outcome.JUDGED], 99)),
    }


def rows(checks: Mapping[str, Mapping[str, float]], fleets: Sequence[Mapping[str, float]]) -> list[Target]:
    """How far the model is off, and the smallest fleet that judges all but one in a thousand images of a burst."""
    made = [
        targets.at_most(f"simulated {q} off the measured, {callers} callers", of[f"{q}_off"], NEAR, "%", command(NAME))
        for callers, of in checks.items()
        for q in ("p50", "p99")
    ]
    enough = [each for each in fleets if each["refused"] + each["held"] < 0.1]
    if enough:
        name = "smallest fleet that judges 99.9 % of a burst, of what the peak just fills"
        made.append(targets.reported(name, enough[0]["size"], "x", command(NAME)))
    return made
