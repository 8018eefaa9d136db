"""The model repository with other instance counts than config.pbtxt's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

# One line in each config.pbtxt of ours, which tests/contract makes sure of.
INSTANCES = re.compile(r"^instance_group \[ \{ kind: (\w+) count: \d+ \} \]$", re.MULTILINE)


class RepositoryError(ValueError):
    """Instance counts that the model repository cannot have."""


def with_instances(repository: Path, instances: Mapping[str, int], into: Path) -> Path:
    """`repository` itself where nothing is to change, else a copy of symlinks in the empty folder `into`.

    Only config.pbtxt is rewritten, so weights are never copied. Raises RepositoryError for an unknown model, a count
    below 1, or a config.pbtxt without the one-line instance_group.
    """
    if not instances:
        return repository
    unknown = instances.keys() - {model.name for model in repository.iterdir()}
    if unknown:
        raise RepositoryError(f"no model named {min(unknown)} in the repository")
    for model in sorted(repository.iterdir()):
        if model.name not in instances:
            (into / model.name).symlink_to(model.absolute())
            continue
        count = instances[model.name]
        if count < 1:
            raise RepositoryError(f"{model.name} needs at least 1 instance")
        config, replaced = INSTANCES.subn(
            rf"instance_group [ {{ kind: \1 count: {count} }} ]", (model / "config.pbtxt").read_text()
        )
        if replaced != 1:
            raise RepositoryError(f"{model.name} has no instances to count")
        (into / model.name).mkdir()
        (into / model.name / "config.pbtxt").write_text(config)
        for entry in model.iterdir():
            if entry.name != "config.pbtxt":
                (into / model.name / entry.name).symlink_to(entry.absolute())
    return into
