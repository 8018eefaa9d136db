"""How much our own weights weigh: what git would ship of model_repository."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_WEIGHTS = {".npz", ".npy", ".safetensors", ".onnx", ".bin", ".pt", ".q4", ".model"}
_LARGE = 100_000  # bytes from which any other file counts too, such as a tokenizer's vocabulary


def sizes(root: Path = ROOT) -> dict[str, Any]:
    """Sizes of the weight files; files that git does not know yet count as well."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "model_repository"]
    names = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.split("\0")
    files = {name: (root / name).stat().st_size for name in sorted(set(names)) if name and (root / name).is_file()}
    ours = {name: size for name, size in files.items() if Path(name).suffix in _WEIGHTS or size >= _LARGE}
    return {
        "files_mb": {name.removeprefix("model_repository/"): round(size / 1e6, 3) for name, size in ours.items()},
        "total_mb": round(sum(ours.values()) / 1e6, 2),
        "largest_mib": round(max(ours.values(), default=0) / 2**20, 2),
    }
