"""Takes the served gate to a machine with a GPU and without a network: archives of a size that can be carried.

`python -m benchmarks.gpu.pack --python 3.12 --there torch torchvision ...` writes out/gpu-pack: the part of Triton's
runtime that is used, and the wheels of everything that gatepost needs and that machine lacks. There, in a checkout,
`python3 -m benchmarks.gpu.unpack out/gpu-pack` makes an environment of them.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks import targets
from gatepost_server.serving.runtime import WHEEL

OUT = targets.OUT / "gpu-pack"
RUNTIME = "runtime.tar.xz"
GLIBC = (39, 35, 34, 31, 28, 27, 24, 17)  # minor versions that wheels are built for; that machine has a newer one
ROOTS = ("gatepost[triton,gateway]", "rapidocr", "psutil")
# OpenVINO and Paddle are the CPU's; cv2 comes without windows in place of the build that Paddle asks for.
OPENCV = "opencv-python-headless"
LEFT_OUT = frozenset({"openvino", "paddleocr", "paddlex", "opencv-contrib-python", "opencv-python", OPENCV, WHEEL})
BUILT = frozenset({"pdqhash", "wordninja"})  # have no wheels (requirements/build.in): built there, with Cython
OURS = frozenset({"gatepost", "gatepost-client", "gatepost-proto"})  # these come with the checkout


def runtime(into: Path, python: str) -> Path:
    """The wheel of Triton laid out in `into` as in site-packages, with nothing but what a Python backend needs.

    `python` is that machine's version, "3.12". The same in any folder of sys.path: serving.runtime finds it there.
    Raises FileNotFoundError where the wheel has no stub for that Python.
    """
    wheel = importlib.metadata.distribution(WHEEL)
    site = Path(str(wheel.locate_file("")))
    parts = Path("pytriton") / "tritonserver"
    binaries = [
        parts / "bin" / "tritonserver",
        parts / "backends" / "python" / "libtriton_python.so",
        parts / "caches" / "local" / "libtritoncache_local.so",
        parts / "python_backend_stubs" / python / "triton_python_backend_stub",
    ]
    missing = [file for file in binaries if not (site / file).is_file()]
    if missing:
        raise FileNotFoundError(f"{WHEEL} has no {missing[0]}")
    libraries = Path(f"{WHEEL.replace('-', '_')}.libs")
    needed = [libraries / name for name in _needed([site / file for file in binaries], site / libraries)]
    kept = [*binaries, parts / "backends" / "python" / "triton_python_backend_utils.py", *needed]
    described = Path(f"{WHEEL.replace('-', '_')}-{wheel.version}.dist-info") / "METADATA"
    for file in (*kept, described):
        (into / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(site / file, into / file)
    return into


def _needed(binaries: Iterable[Path], libraries: Path) -> Sequence[str]:
    """Names of the files of `libraries` that the binaries load, and that those load."""
    own = {file.name for file in libraries.iterdir()}
    found: set[str] = set()
    waiting = list(binaries)
    while waiting:
        dynamic = subprocess.check_output(["readelf", "-d", str(waiting.pop())], text=True)
        fresh = (set(re.findall(r"NEEDED.*\[(.*)\]", dynamic)) & own) - found
        found |= fresh
        waiting += [libraries / name for name in fresh]
    return sorted(found)


def stripped(folder: Path) -> None:
    """Takes symbols out of every binary, which halves them."""
    for file in folder.rglob("*"):
        if file.is_file() and file.read_bytes()[:4] == b"\x7fELF":
            subprocess.run(["strip", "--strip-unneeded", str(file)], check=True)


def requirements(roots: Iterable[str], there: Iterable[str]) -> Sequence[str]:
    """name==version of everything that `roots` need, as installed here, but for OURS, LEFT_OUT and what is `there`.

    What only those need is left out as well. Raises PackageNotFoundError for what is not installed here.
    """
    skipped = {canonicalize_name(name) for name in there} | LEFT_OUT
    versions: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(root) for root in roots]
    while waiting:
        asked = waiting.pop()
        name, extras = canonicalize_name(asked.name), frozenset(asked.extras)
        if (name, extras) in seen or name in skipped:
            continue
        seen.add((name, extras))
        installed = importlib.metadata.distribution(name)
        if name not in OURS:
            versions[name] = installed.version
        for line in installed.requires or ():
            more = Requirement(line)
            if more.marker is None or any(more.marker.evaluate({"extra": extra}) for extra in extras or {""}):
                waiting.append(more)
    return [f"{name}=={version}" for name, version in sorted(versions.items())]


def _download(pinned: Sequence[str], python: str, into: Path) -> None:
    names = [*(f"manylinux_2_{minor}_x86_64" for minor in GLIBC), "manylinux2014_x86_64", "any"]
    platforms = [f"--platform={name}" for name in names]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += [f"--python-version={python}", "--implementation=cp", *platforms, f"--dest={into}"]
    sources = [line for line in pinned if line.partition("==")[0] in BUILT]
    subprocess.run([*command, *(line for line in pinned if line not in sources)], check=True)
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=:all:"]
    subprocess.run([*fetch, "--no-build-isolation", f"--dest={into}", *sources], check=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the runtime and the wheels, and prints what they weigh."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default="3.12", help="that machine's")
    parser.add_argument("--there", nargs="+", default=["torch", "torchvision"], help="packages which it has")
    parser.add_argument("--runtime-only", action="store_true")
    parser.add_argument("--into", type=Path, default=OUT)
    asked = parser.parse_args(arguments)
    asked.into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        stripped(runtime(Path(scratch), asked.python))
        with tarfile.open(asked.into / RUNTIME, "w:xz", preset=6) as archive:
            archive.add(scratch, arcname=".")
    if not asked.runtime_only:
        pinned = requirements(ROOTS, asked.there)
        same = importlib.metadata.version("opencv-contrib-python")
        _download([*pinned, f"{OPENCV}=={same}"], asked.python, asked.into)
    for file in sorted(asked.into.iterdir(), key=lambda each: -each.stat().st_size):
        print(f"{file.stat().st_size / 2**20:6.1f} MiB  {file.name}")


if __name__ == "__main__":
    main()
