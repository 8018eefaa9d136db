"""A server's Python stubs, one process for each model instance. Linux only: it reads /proc."""

from __future__ import annotations

from pathlib import Path

PROC = Path("/proc")
STUB = "triton_python_backend_stub"


def find_stubs(server_pid: int) -> dict[int, str]:
    """Process id to model name of all running stubs. Looks at every process of the host."""
    found = {}
    for entry in PROC.iterdir():
        if not entry.name.isdigit() or not is_running(int(entry.name), server_pid):
            continue
        try:
            command = (entry / "cmdline").read_text().split("\0")
        except OSError:  # it ended while we looked
            continue
        # triton_python_backend_stub <repository>/<model>/<version>/model.py ...
        if Path(command[0]).name == STUB:
            found[int(entry.name)] = Path(command[1]).parts[-3]
    return found


def is_running(pid: int, server_pid: int) -> bool:
    """Whether `pid` is a living child of the server; a dead stub stays behind as a zombie."""
    try:
        # After the command in parentheses, which may hold anything: state, parent.
        state, parent = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return False
    return state != "Z" and int(parent) == server_pid
