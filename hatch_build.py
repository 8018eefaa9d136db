"""The wheel of gatepost carries the model repository and the sample cards of `gatepostd tune`; an editable installation
goes on reading those in the tree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODELS = "model_repository"
SAMPLES = "benchmarks/demo/cards"


class ModelRepositoryHook(BuildHookInterface):
    """Puts both beside the wheel's modules, where gatepost_server.cli.settings and .tune look for them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """`version` is the kind of wheel, "standard" or "editable"."""
        if version == "editable":
            return
        if not (Path(self.root) / MODELS / "moderate" / "config.pbtxt").is_file():
            raise FileNotFoundError(f"{self.root} has no {MODELS}: a wheel without it could judge nothing")
        build_data["force_include"][MODELS] = f"gatepost_server/{MODELS}"
        if (Path(self.root) / SAMPLES).is_dir():  # a container image of the models alone needs none
            build_data["force_include"][SAMPLES] = "gatepost_server/sample_cards"
