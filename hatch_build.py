"""The wheel of gatepost carries the model repository; an editable installation goes on reading the one in the tree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODELS = "model_repository"


class ModelRepositoryHook(BuildHookInterface):
    """Puts model_repository/ beside the wheel's modules, where gatepost_server.cli.settings looks for it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """`version` is the kind of wheel, "standard" or "editable"."""
        if version == "editable":
            return
        if not (Path(self.root) / MODELS / "moderate" / "config.pbtxt").is_file():
            raise FileNotFoundError(f"{self.root} has no {MODELS}: a wheel without it could judge nothing")
        build_data["force_include"][MODELS] = f"gatepost_server/{MODELS}"
