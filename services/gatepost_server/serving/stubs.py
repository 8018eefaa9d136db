"""Which of a server's Python stubs live. Linux only: it reads /proc."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

PROC = Path("/proc")
STUB = "triton_python_backend_stub"


def live_stubs(server_pid: int) -> Counter[str]:
    """Running stub processes by model name. A dead one stays behind as a zombie and does not count."""
    return Counter(model for _, model in _stubs(server_pid))


def stub_pids(server_pid: int, model: str) -> tuple[int, ...]:
    """The process ids of the model's stubs."""
    return tuple(pid for pid, name in _stubs(server_pid) if name == model)


def _stubs(server_pid: int) -> list[tuple[int, str]]:
    found = []
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # After the command in parentheses, which may hold anything: state, parent.
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(parent) != server_pid or state == "Z":
                continue
            command = (entry / "cmdline").read_text().split("\0")
        except OSError:  # it ended while we looked
            continue
        # triton_python_backend_stub <repository>/<model>/<version>/model.py ...
        if Path(command[0]).name == STUB:
            found.append((int(entry.name), Path(command[1]).parts[-3]))
    return found
