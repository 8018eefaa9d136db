"""A stage's parameters: config.pbtxt, overlaid by the operator's environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatepost_server.domain.labels import StageName

PREFIX = "GATEPOST_MODEL_"


def stage_parameters(
    stage: StageName, config: Mapping[str, Any], environment: Mapping[str, str], *, directory: str
) -> dict[str, str]:
    """String parameters of `stage`, later ones win: config.pbtxt, GATEPOST_MODEL_<KEY>,
    GATEPOST_MODEL_<STAGE>_<KEY>. Keys are lower case; "directory" is the folder of the model's own files.

    `config` is the model's configuration as Triton gives it (the JSON form of config.pbtxt).
    """
    declared = {key.lower(): str(value["string_value"]) for key, value in config.get("parameters", {}).items()}
    own = f"{PREFIX}{stage.upper()}_"
    every_stage = tuple(f"{PREFIX}{name.upper()}_" for name in StageName)
    for_all = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and not name.startswith(every_stage)
    }
    for_this = {name.removeprefix(own).lower(): value for name, value in environment.items() if name.startswith(own)}
    return {**declared, **for_all, **for_this, "directory": directory}
