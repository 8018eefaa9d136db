"""The tritonserver inside the nvidia-pytriton wheel, laid out as Triton wants it.

The wheel keeps the server, the Python backend and its stubs in folders of its own; Triton finds its parts by
folder. So a folder of symlinks is built in a cache, and site-packages stays as pip left it. The pytriton API is
not used.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

WHEEL = "nvidia-pytriton"


class RuntimeMissingError(RuntimeError):
    """No tritonserver can be run here; the message says what to install."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """An assembled server: where its parts are and the environment that it needs."""

    executable: Path
    backends: Path
    caches: Path
    path: str  # PATH
    library_path: str  # LD_LIBRARY_PATH


def assemble(cache: Path) -> Runtime:
    """The bundled server's runtime under `cache`, built if it is not there yet.

    Safe for any number of processes at once: each builds its own folder and renames it into place, and the loser
    of the race takes the winner's. Raises RuntimeMissingError.
    """
    try:
        site = Path(str(importlib.metadata.distribution(WHEEL).locate_file("")))
    except importlib.metadata.PackageNotFoundError:
        raise RuntimeMissingError(f"no tritonserver: pip install {WHEEL} (or gatepost[triton])") from None
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    wheel = site / "pytriton" / "tritonserver"
    backend = wheel / "backends" / "python"
    links = {
        "bin/tritonserver": wheel / "bin" / "tritonserver",
        "caches/local/libtritoncache_local.so": wheel / "caches" / "local" / "libtritoncache_local.so",
        "backends/python/libtriton_python.so": backend / "libtriton_python.so",
        "backends/python/triton_python_backend_utils.py": backend / "triton_python_backend_utils.py",
        "backends/python/triton_python_backend_stub": (
            wheel / "python_backend_stubs" / python / "triton_python_backend_stub"
        ),
    }
    missing = [target for target in links.values() if not target.is_file()]
    if missing:
        raise RuntimeMissingError(f"{WHEEL} has no {missing[0].name} for Python {python} on this platform")

    # Named by what it links to, so that an upgraded or moved environment gets a runtime of its own.
    version = importlib.metadata.version(WHEEL)
    key = hashlib.sha256("\n".join(map(str, links.values())).encode()).hexdigest()[:12]
    root = cache.absolute() / f"triton-{version}-{key}"
    if not root.exists():
        _build(root, links)
    return Runtime(
        executable=root / "bin" / "tritonserver",
        backends=root / "backends",
        caches=root / "caches",
        # The stub finds site-packages through the first python3 on PATH and pays no heed to PYTHONPATH.
        path=os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        # This interpreter's libpython before the distribution's, then the libraries that the wheel brings.
        library_path=os.pathsep.join(
            [str(sysconfig.get_config_var("LIBDIR")), str(site / f"{WHEEL.replace('-', '_')}.libs")]
        ),
    )


def _build(root: Path, links: dict[str, Path]) -> None:
    root.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=root.parent))
    try:
        for name, target in links.items():
            link = draft / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)
        draft.rename(root)
    except OSError:
        if not root.is_dir():  # not merely a lost race: another process' runtime would be there
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
