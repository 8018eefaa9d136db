"""The settings file that `gatepostd tune` writes and `gatepostd up` reads: tuned.toml in the state folder.

It says less than everything else does: what the configuration file, the environment or the command line say of the
same goes before it. It counts on the machine that it was measured on, and on no other.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gatepost_server.serving.parameters import PREFIX
from gatepost_server.serving.settings import TritonSettings

if TYPE_CHECKING:
    from gatepost_server.gateway.settings import GatewaySettings

TUNED_FILE = "tuned.toml"
THREADS = "threads"
_HEAD = """\
# Written by `gatepostd tune` on {measured}. Images a second, beside the defaults: {gain}.
# `gatepostd up` reads it from its state folder, beneath configuration file and environment; delete it to do without.
"""

_Count = Annotated[int, Field(ge=1)]


class TunedError(ValueError):
    """A file that is none of ours; the message says what is wrong with it."""


class Machine(BaseModel):
    """What settings were measured on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cpu: str
    cores: _Count

    @classmethod
    def here(cls) -> Machine:
        """This one: as many cores as this process may use."""
        return cls(cpu=_cpu(), cores=len(os.sched_getaffinity(0)))


class TritonPart(BaseModel):
    """As TritonSettings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    instances: Mapping[str, _Count] = {}
    parameters: Mapping[str, str] = {}


class GatewayPart(BaseModel):
    """As GatewaySettings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_images_in_flight: _Count
    background_images: _Count


class Tuned(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    machine: Machine
    triton: TritonPart
    gateway: GatewayPart


def write(path: Path, tuned: Tuned, *, measured: str, gain: str) -> None:
    """Write `tuned`, whole or not at all. Raises OSError."""
    lines = [_HEAD.format(measured=measured, gain=gain)]
    machine, triton = tuned.machine, tuned.triton
    lines += _table("machine", machine.model_dump())
    lines += _table("triton.instances", triton.instances) + _table("triton.parameters", triton.parameters)
    lines += _table("gateway", tuned.gateway.model_dump())
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    draft.rename(path)


def read(path: Path) -> Tuned:
    """What `write` wrote. Raises TunedError, OSError."""
    try:
        return Tuned.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise TunedError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TunedError(f"{path}: {error}") from error


@dataclass(frozen=True, slots=True)
class Applied:
    """Settings with what was tuned beneath them; `told` is for the log: why not, or what."""

    triton: TritonSettings
    gateway: GatewaySettings
    told: str


def applied(
    path: Path, triton: TritonSettings, gateway: GatewaySettings, environment: Mapping[str, str], here: Machine
) -> Applied:
    """The settings, with those of the file at `path` where they say nothing. `gateway` is as it was loaded.

    Raises TunedError, OSError.
    """
    if not path.exists():
        return Applied(triton, gateway, "none")
    tuned = read(path)
    if tuned.machine != here:
        return Applied(triton, gateway, "not used: of another machine")
    if triton.layout:
        return Applied(triton, gateway, "not used: the model repository has another layout")
    said = said_of_threads(triton, environment)
    parameters = {key: value for key, value in tuned.triton.parameters.items() if not {key, THREADS} & said}
    ours = {key: value for key, value in tuned.gateway.model_dump().items() if key not in gateway.model_fields_set}
    if gateway.max_stream_images_in_flight is not None:  # said by the operator: it must not exceed the whole
        ours.pop("max_images_in_flight", None)
    return Applied(
        replace(
            triton,
            instances={**tuned.triton.instances, **triton.instances},
            parameters={**parameters, **triton.parameters},
        ),
        gateway.model_copy(update=ours),
        "used",
    )


def said_of_threads(triton: TritonSettings, environment: Mapping[str, str]) -> set[str]:
    """The parameters about threads that the operator sets, of a net (clip_threads) or of all (threads)."""
    told = (name.removeprefix(PREFIX).lower() for name in environment if name.startswith(PREFIX))
    return {key for key in (*triton.parameters, *told) if key.endswith(THREADS)}


def _table(name: str, entries: Mapping[str, str | int]) -> list[str]:
    # JSON's strings and whole numbers are TOML's, too.
    return [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in entries.items()), ""]


def _cpu() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else ()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
