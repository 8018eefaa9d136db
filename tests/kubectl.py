"""A real kubectl for tests: the machine's, or Debian's package unpacked into the cache. Nothing is installed."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from platformdirs import user_cache_path


def kubectl_binary() -> str:
    """Skips the test, and says so, where there is none to be had."""
    folder = user_cache_path("gatepost") / "tests" / "kubectl"
    unpacked = folder / "usr" / "bin" / "kubectl"
    if found := shutil.which("kubectl"):
        return found
    if not unpacked.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for command in (
                ["apt-get", "download", "kubernetes-client"],
                ["sh", "-c", "dpkg -x kubernetes-client_*.deb ."],
            ):
                subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"KUSTOMIZE NOT TESTED: no kubectl, and Debian's package cannot be had: {error}")
    return str(unpacked)
