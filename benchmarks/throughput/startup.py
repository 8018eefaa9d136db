"""From the command to the first image that may be judged, by part, from the log's own times.

Warm: everything was just used. Cold: gatepost's own cache is empty, and the files of the environment and of the models
were dropped from the page cache, as far as no other process holds them.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks import targets
from benchmarks.stack import running
from benchmarks.targets import Target
from benchmarks.throughput.part import Part, command

NAME = "startup"
COLD, WARM = "cold", "warm"
WARM_STARTS, WARM_STARTS_IN_FULL = 2, 5
MOST_S = 20.0
REPOSITORY = Path(__file__).parents[2] / "model_repository"
# Triton says nothing of single models unless asked.
TELLING = {"GATEPOST_TRITON_ARGUMENTS": '["--log-info=true"]', "GATEPOST_LOG_FORMAT": "json", "TZ": "UTC"}

PROCESS, PREPARED, TRITON = "gatepostd, to its first log line", "settings and keys", "tritonserver, to its first model"
MODELS, SEEN, CANARIES, TOLD = "all models", "the gateway sees them", "canaries", "ready is told"
TOTAL = "all"

_TRITON_LINE = re.compile(r"^I(\d{2})(\d{2}) (\d{2}):(\d{2}):(\d{2})\.(\d{6}) \d+ model_lifecycle\.cc:\d+\] \"(.*)\"$")


def measure(full: bool) -> Part:
    """Seconds of each part; warm ones are medians."""
    starts: dict[str, list[Mapping[str, float]]] = {COLD: [], WARM: []}
    with tempfile.TemporaryDirectory(prefix="gatepost-cold-") as cache:
        drop_pages([Path(sys.prefix), REPOSITORY])
        starts[COLD].append(_start({**TELLING, "GATEPOST_TRITON_CACHE": cache, "GATEPOST_MODEL_CACHE": cache}))
    for _ in range(WARM_STARTS_IN_FULL if full else WARM_STARTS):
        starts[WARM].append(_start(TELLING))
    return Part(rows(starts), {"starts_s": starts})


def rows(starts: Mapping[str, Sequence[Mapping[str, float]]]) -> list[Target]:
    """Every part of each kind of start; a warm one is held against the target."""
    made: list[Target] = []
    for kind, some in starts.items():
        for part in some[0]:
            seconds = median(start[part] for start in some)
            name = f"{kind} start: {part}"
            if (kind, part) == (WARM, TOTAL):
                made.append(targets.at_most(name, seconds, MOST_S, "s", command(NAME)))
            else:
                made.append(targets.reported(name, seconds, "s", command(NAME)))
    return made


def parts_of(log: str, began: float, ready_s: float) -> dict[str, float]:
    """Seconds by part from a log. `began` is the process' start (Unix time), `ready_s` what its caller waited.

    Models load side by side, so that theirs do not add up. Raises KeyError for a log that lacks one of the events.
    """
    events = _events(log)
    loads = dict(_loads(log, datetime.fromtimestamp(began, UTC).year))
    first, last = min(begin for begin, _ in loads.values()), max(end for _, end in loads.values())
    models = events["models"]
    trusted = events.get("trusted", models)
    return {
        PROCESS: events["settings"] - began,
        PREPARED: events["starting"] - events["settings"],
        TRITON: first - events["starting"],
        MODELS: last - first,
        **{f"model {name}": end - begin for name, (begin, end) in sorted(loads.items())},
        SEEN: models - last,
        CANARIES: trusted - models,
        TOLD: began + ready_s - trusted,
        TOTAL: ready_s,
    }


def _start(environment: Mapping[str, str]) -> Mapping[str, float]:
    with running(environment=environment, ready_timeout_s=300) as stack:
        began = time.time() - stack.ready_s
        return parts_of(stack.log.read_text(errors="replace"), began, stack.ready_s)


def _events(log: str) -> dict[str, float]:
    """When the first of each event was, in seconds since 1970."""
    names = {"triton.starting": "starting", "models_trusted": "trusted", "settings": "settings"}
    found: dict[str, float] = {}
    for line in log.splitlines():
        if not line.startswith("{"):
            continue
        told = json.loads(line)
        seen = told.get("event") == "health" and told.get("part") == "gatepost.models" and told.get("serving")
        name = "models" if seen else names.get(told.get("event", ""))
        if name is not None:
            found.setdefault(name, datetime.fromisoformat(told["timestamp"]).timestamp())
    return found


def _loads(log: str, year: int) -> Iterator[tuple[str, tuple[float, float]]]:
    """By model, when its loading began and ended. Triton's lines have no year and no zone; it is told to use UTC."""
    begun: dict[str, float] = {}
    for line in log.splitlines():
        if (match := _TRITON_LINE.match(line)) is None:
            continue
        month, day, hour, minute, second, micro = map(int, match.groups()[:6])
        at = datetime(year, month, day, hour, minute, second, micro, UTC).timestamp()
        said = match[7]
        if said.startswith("loading: "):
            begun[said.removeprefix("loading: ").partition(":")[0]] = at
        elif said.startswith("successfully loaded '"):
            name = said.split("'")[1]
            yield name, (begun[name], at)


def drop_pages(roots: Sequence[Path]) -> None:
    """Ask the kernel to forget the files below the folders. Needs no rights; what is mapped elsewhere stays."""
    for root in roots:
        for path in root.rglob("*"):
            if path.is_file() and not path.is_symlink():
                with _opened(path) as file:
                    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDONLY)
    try:
        yield file
    finally:
        os.close(file)
