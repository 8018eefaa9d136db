"""Makes an environment of what benchmarks.gpu.pack packed, on a machine without a network: .venv of this checkout.

`python3 -m benchmarks.gpu.unpack out/gpu-pack`, with the Python that has torch: what it has is used from where it is,
after what was packed. It needs pip, setuptools and Cython; of this checkout, nothing but this file. Then
`.venv/bin/python -m benchmarks.gpu.served`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Sequence
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
SOURCES = (CHECKOUT / "services", CHECKOUT / "proto", CHECKOUT / "clients" / "python")


def unpack(pack: Path, environment: Path) -> Path:
    """Its interpreter. Raises FileNotFoundError for a pack without a runtime, CalledProcessError where pip fails."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = environment / "lib" / version / "site-packages"
    with tarfile.open(pack / "runtime.tar.xz") as archive:
        archive.extractall(site, filter="data")
    packages = [str(file) for kind in ("*.whl", "*.tar.gz") for file in sorted(pack.glob(kind))]
    if packages:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile"]
        subprocess.run([*pip, "--no-build-isolation", "--upgrade", "--target", str(site), *packages], check=True)
    # After the environment's own, in this order: our sources, and what this Python has.
    paths = [*map(str, SOURCES), sysconfig.get_paths()["purelib"]]
    (site / "gatepost_there.pth").write_text("\n".join(paths) + "\n")
    return environment / "bin" / "python"


def main(arguments: Sequence[str] | None = None) -> None:
    """Unpacks and says what to run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--environment", type=Path, default=CHECKOUT / ".venv")
    asked = parser.parse_args(arguments)
    print(f"{unpack(asked.pack, asked.environment)} -m benchmarks.gpu.served")


if __name__ == "__main__":
    main()
