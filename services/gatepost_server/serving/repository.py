"""The model repository in another layout, or with other instance counts, than config.pbtxt's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

# One line in each config.pbtxt of ours, which tests/contract makes sure of.
INSTANCES = re.compile(r"^instance_group \[ \{ kind: (\w+) count: \d+ \} \]$", re.MULTILINE)
_STEP = re.compile(r'^ *model_name: "(\w+)"$', re.MULTILINE)


class RepositoryError(ValueError):
    """A layout or instance counts that the model repository cannot have."""


def arranged(repository: Path, into: Path, *, layout: str = "", instances: Mapping[str, int]) -> Path:
    """`repository` itself where nothing is to change, else a copy of symlinks in the empty folder `into`.

    A layout's configurations lie where Triton itself looks for them (--model-config-name): <model>/configs/
    <layout>.pbtxt in place of <model>/config.pbtxt. Models that its ensemble does not call are left out. Weights are
    never copied. Raises RepositoryError for an unknown layout or model, a count below 1, or a configuration without
    the one-line instance_group.
    """
    configs = {model.name: _config(model, layout) for model in sorted(repository.iterdir())}
    changed = {name for name, config in configs.items() if config.name != "config.pbtxt"}
    if layout:
        if not changed:
            raise RepositoryError(f"the repository has no layout named {layout}")
        called = {step for config in configs.values() for step in _STEP.findall(config.read_text())}
        ensembles = {name for name, config in configs.items() if _STEP.search(config.read_text())}
        configs = {name: config for name, config in configs.items() if name in called | ensembles}
    if not changed and not instances:
        return repository
    unknown = instances.keys() - configs.keys()
    if unknown:
        raise RepositoryError(f"no model named {min(unknown)} in the repository")
    for name, config in configs.items():
        if name not in changed | instances.keys():
            (into / name).symlink_to((repository / name).absolute())
            continue
        text = config.read_text()
        (into / name).mkdir()
        (into / name / "config.pbtxt").write_text(_counted(name, text, instances[name]) if name in instances else text)
        for entry in (repository / name).iterdir():
            if entry.name not in ("config.pbtxt", "configs"):
                (into / name / entry.name).symlink_to(entry.absolute())
    return into


def _config(model: Path, layout: str) -> Path:
    other = model / "configs" / f"{layout}.pbtxt"
    return other if layout and other.is_file() else model / "config.pbtxt"


def _counted(name: str, config: str, count: int) -> str:
    if count < 1:
        raise RepositoryError(f"{name} needs at least 1 instance")
    text, replaced = INSTANCES.subn(rf"instance_group [ {{ kind: \1 count: {count} }} ]", config)
    if replaced != 1:
        raise RepositoryError(f"{name} has no instances to count")
    return text
