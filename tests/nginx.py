"""A real nginx for tests: the machine's, or Debian's package unpacked into the cache. Nothing is installed."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from platformdirs import user_cache_path

EXAMPLE = Path(__file__).parents[1] / "examples" / "nginx" / "gatepost.conf"


def nginx_binary() -> str:
    """Skips the test, and says so, where there is none to be had."""
    unpacked = user_cache_path("gatepost") / "tests" / "nginx" / "usr" / "sbin" / "nginx"
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or (
        str(unpacked) if unpacked.exists() else None
    )
    if found is None:
        try:
            _unpack(unpacked.parents[2])
            found = str(unpacked)
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"NGINX NOT TESTED: it is not installed, and Debian's package cannot be had: {error}")
    works = subprocess.run([found, "-V"], capture_output=True, text=True, check=False)
    if "http_auth_request_module" not in works.stderr:
        pytest.skip(f"NGINX NOT TESTED: {found} does not run, or has no auth_request")
    return found


def _unpack(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "download", "nginx"], cwd=folder, check=True, capture_output=True, timeout=60)
    package = next(folder.glob("nginx_*.deb"))
    subprocess.run(["dpkg", "-x", package.name, "."], cwd=folder, check=True, capture_output=True, timeout=60)


@contextlib.contextmanager
def running_nginx(pictures: Path, gate: str, scratch: Path) -> Iterator[str]:
    """The example's configuration over `pictures`, asking `gate` (host:port); yields nginx's host:port."""
    binary = nginx_binary()
    address = f"127.0.0.1:{_free_port()}"
    example = EXAMPLE.read_text()
    for ours, here in (
        ("listen 8080;", f"listen {address};"),
        ("/srv/pictures/;", f"{pictures}/;"),
        ("http://127.0.0.1:9009;", f"http://{gate};"),
    ):
        assert example.count(ours) == 1, ours
        example = example.replace(ours, here)
    temporary = "\n".join(
        f"{name}_temp_path {scratch}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = scratch / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    configuration.write_text(
        f"{user}\ndaemon off;\nworker_processes 1;\npid {scratch}/pid;\nerror_log {scratch}/error.log;\n"
        f"events {{}}\nhttp {{\naccess_log off;\ntypes {{ image/png png; }}\n{temporary}\n{example}}}\n"
    )
    process = subprocess.Popen([binary, "-p", str(scratch), "-e", str(scratch / "error.log"), "-c", str(configuration)])
    try:
        wait_listening(process, address, scratch / "error.log")
        yield address
    finally:
        process.terminate()
        process.wait(20)


def wait_listening(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Returns when `process` answers at host:port; fails the test with its log where it ends."""
    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + 20
    while True:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
            return
        assert time.monotonic() < deadline, "nginx did not start in time"
        time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
