"""Moves this interpreter's wall clock by the seconds in a file; Python imports it before the program.

Not libfaketime: under it (0.9.10) Python 3.11's own time.sleep fails with EINVAL. `datetime.now()` asks C and is not
moved; `time.time()` is what backlog and tickets go by.
"""

import os
import time
from pathlib import Path

_true_time, _true_time_ns = time.time, time.time_ns


def _offset_s():
    try:
        return float(Path(os.environ["CHAOS_CLOCK"]).read_text())
    except (OSError, KeyError, ValueError):
        return 0.0


time.time = lambda: _true_time() + _offset_s()
time.time_ns = lambda: _true_time_ns() + int(1e9 * _offset_s())
