"""A child process that ends with its parent, whatever ended the parent."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO

# Runs in the child, then becomes the command. Not a preexec_fn: that runs Python between fork and exec, which may
# deadlock in a parent with threads. PR_SET_PDEATHSIG is 1, SIGTERM 15; a parent that died before prctl is seen by
# the changed parent pid.
BIND = """
import ctypes, os, sys
if ctypes.CDLL(None, use_errno=True).prctl(1, 15, 0, 0, 0) != 0:
    sys.exit("prctl: " + os.strerror(ctypes.get_errno()))
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""


def start_bound(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    output: IO[bytes] | None,
    keep_open: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start `command` (absolute path first); SIGTERM reaches it when the calling *thread* ends.

    It leads a session of its own, so that Ctrl-C in a terminal reaches only the parent, which then stops things
    in order. `output` takes stdout and stderr; None is the parent's stderr.
    """
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", BIND, str(os.getpid()), *command],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output if output is not None else sys.stderr,
        stderr=subprocess.STDOUT,
        pass_fds=keep_open,
        start_new_session=True,
    )
