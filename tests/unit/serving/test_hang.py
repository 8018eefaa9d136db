"""A batch that does not end takes its process with it; one that ends leaves no watch behind."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gatepost_server.serving.hang import DEFAULT_S, hang_limit_s

PROGRAM = """
import time
from gatepost_server.serving.hang import ends_process_after
with ends_process_after({limit}):
    time.sleep({inside})
time.sleep({outside})
print("alive")
"""


def outcome(limit, inside, outside):
    program = PROGRAM.format(limit=limit, inside=inside, outside=outside)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)


def test_a_batch_that_hangs_ends_its_process_and_says_where_it_hung():
    ended = outcome(0.2, 50, 0)
    assert ended.returncode == 1
    assert "alive" not in ended.stdout
    assert "Timeout" in ended.stderr
    assert "line 5" in ended.stderr


def test_a_batch_that_ends_in_time_leaves_its_process_alone():
    ended = outcome(1.0, 0, 1.5)
    assert (ended.returncode, ended.stdout.strip()) == (0, "alive")


def test_the_limit_is_a_parameter_of_the_stage():
    assert hang_limit_s({}) == DEFAULT_S
    assert hang_limit_s({"hang_s": "8"}) == 8.0


@pytest.mark.parametrize("wrong", ["0", "-1", "nan"])
def test_a_limit_that_no_batch_could_keep_is_refused(wrong):
    with pytest.raises(ValueError, match="hang_s"):
        hang_limit_s({"hang_s": wrong})
