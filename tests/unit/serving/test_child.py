"""Children that do not outlive their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from gatepost_server.serving.child import start_bound

PARENT = """
import os, time
from gatepost_server.serving.child import start_bound
child = start_bound(["/bin/sleep", "60"], environment=os.environ, output=None)
print(child.pid, flush=True)
time.sleep(60)
"""


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_a_killed_parent_takes_its_child_along():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        wait_until(lambda: Path(f"/proc/{child}/comm").read_text() == "sleep\n")
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        wait_until(lambda: not is_running(child))


def test_a_child_whose_parent_died_first_does_not_start():
    from gatepost_server.serving.child import BIND

    somebody_else = "1"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", BIND, somebody_else, "/bin/echo", "started"], capture_output=True, text=True
    )
    assert done.returncode != 0
    assert done.stdout == ""
    assert "the parent is gone" in done.stderr


def test_it_gets_its_environment_its_files_and_a_session_of_its_own(tmp_path):
    log = tmp_path / "log"
    reader, writer = os.pipe()
    code = f"import os; print(dict(os.environ), os.getsid(0), flush=True); os.write({writer}, b'kept'); os._exit(3)"
    with log.open("wb") as output:
        child = start_bound(
            [sys.executable, "-I", "-c", code], environment={"WORD": "hello"}, output=output, keep_open=[writer]
        )
    assert child.wait(10) == 3
    environment, session = log.read_text().rsplit(" ", 1)
    assert "'WORD': 'hello'" in environment
    assert "'PATH'" not in environment
    assert int(session) == child.pid
    assert os.read(reader, 10) == b"kept"
    os.close(reader)
    os.close(writer)
