"""Makes of the compact shipped folder one that open_clip loads as `local-dir:`.

In the repository the weights lie in several files, matrices of the text tower as four-bit blocks
(uint8). open_clip wants one file in plain numbers and paths that exist, so the folder is expanded
once into a cache folder whose name is the content's hash.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from gatepost_server.engines import q4

_WEIGHTS = "open_clip_model.safetensors"  # open_clip's name
_CONFIG = "open_clip_config.json"
_COPIED = ("config.json", "tokenizer.json", "tokenizer_config.json")


def content_hash(folder: Path) -> str:
    """SHA-256 of everything that the expanded folder is made of, in hex."""
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.safetensors"), *(folder / name for name in (_CONFIG, *_COPIED))]):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def expanded(folder: Path, cache: Path) -> Path:
    """The expanded twin of `folder` inside `cache`, made first where it is missing.

    Written beside its place and renamed, so that several processes may do it at once.
    """
    target = cache / content_hash(folder)[:16]
    if (target / _WEIGHTS).exists():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=cache))
    try:
        _write(folder, draft, final=target)
        draft.replace(target)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not (target / _WEIGHTS).exists():  # nobody else was quicker: a real failure
            raise
    return target


def plain_state(folder: Path) -> dict[str, NDArray[np.generic]]:
    """All tensors of the folder's shards, four-bit blocks expanded to half precision."""
    state: dict[str, NDArray[np.generic]] = {}
    for shard in sorted(folder.glob("*.safetensors")):
        for name, value in load_file(shard).items():
            state[name] = q4.expand(value) if value.dtype == np.uint8 else value
    return state


def _write(folder: Path, draft: Path, *, final: Path) -> None:
    for name in _COPIED:
        shutil.copyfile(folder / name, draft / name)
    config = json.loads((folder / _CONFIG).read_text())
    config["model_cfg"]["text_cfg"].update(hf_model_name=str(final), hf_tokenizer_name=str(final))
    (draft / _CONFIG).write_text(json.dumps(config))
    save_file(plain_state(folder), draft / _WEIGHTS)
