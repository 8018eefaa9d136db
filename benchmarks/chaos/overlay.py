"""The model repository with models that can be made to fail. The product knows nothing of it.

Each model.py is replaced by `faulty_model.py`, beside the true one (`genuine.py`); weights stay links. Which model
fails, and how, stands in a file that the faulty models read before each batch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

FAULTY = Path(__file__).with_name("faulty_model.py")
VARIABLE = "CHAOS_MODEL_FAULT"


class Overlay:
    """A repository of links in `folder`, and the switch of its models."""

    def __init__(self, genuine: Path, folder: Path) -> None:
        self.repository = folder / "repository"
        self._switch = folder / "model-fault"
        for model in sorted(genuine.iterdir()):
            _overlay(model, self.repository / model.name)

    @property
    def environment(self) -> dict[str, str]:
        """What the models need to find the switch."""
        return {VARIABLE: str(self._switch)}

    @contextlib.contextmanager
    def failing(self, model: str, how: str) -> Iterator[None]:
        """The model fails during the block; see faulty_model.py for the ways."""
        draft = self._switch.with_suffix(".new")
        draft.write_text(f"{model} {how}")
        draft.rename(self._switch)
        try:
            yield
        finally:
            self._switch.unlink(missing_ok=True)


def _overlay(model: Path, into: Path) -> None:
    (into / "1").mkdir(parents=True)
    for entry in model.iterdir():
        if entry.name != "1":
            (into / entry.name).symlink_to(entry.absolute())
    for entry in (model / "1").iterdir():
        if entry.name == "__pycache__":
            continue
        name = "genuine.py" if entry.name == "model.py" else entry.name
        (into / "1" / name).symlink_to(entry.absolute())
    if (model / "1" / "model.py").exists():
        (into / "1" / "model.py").symlink_to(FAULTY)
