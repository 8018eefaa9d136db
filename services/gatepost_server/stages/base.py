"""What every stage is: a plain object that turns a batch of items into results or errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from gatepost_server.domain.errors import GatepostError
from gatepost_server.domain.evidence import ModelVersion, Skipped
from gatepost_server.tensors.contract import ModelContract

# One request's tensors by name, without the batch dimension. Strings are object arrays of bytes.
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class StageResult:
    """One request's outputs, and what of its input was and was not looked at."""

    arrays: Arrays
    looked_at: Mapping[str, int] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()


class Stage(Protocol):
    """Built once for each Triton instance; `run` is called from one thread.

    `parameters` are those of config.pbtxt overlaid by the operator's settings (serving.shell); the
    key "directory" is the folder that holds the model's own files.
    """

    contract: ClassVar[ModelContract]

    def __init__(self, parameters: Mapping[str, str]) -> None: ...

    @property
    def models(self) -> tuple[ModelVersion, ...]:
        """The nets behind this stage."""
        ...

    def run(self, items: Sequence[Arrays]) -> Sequence[StageResult | GatepostError]:
        """One answer for each item, in order. Never raises for what an item holds."""
        ...


def text_array(values: Sequence[str | bytes]) -> NDArray[np.object_]:
    """A BYTES tensor of UTF-8 strings; shape (len(values),)."""
    out = np.empty(len(values), dtype=np.object_)
    out[:] = [value.encode() if isinstance(value, str) else value for value in values]
    return out
