"""A stub's memory is bounded. Each test limits a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gatepost_server.serving.memory_limit import limit_memory

LIMITED = """
import resource, sys
from gatepost_server.serving.memory_limit import limit_memory
limit_memory({"memory_limit_mb": "300"})
"""


def ends(code: str) -> str:
    ran = subprocess.run([sys.executable, "-c", LIMITED + code], capture_output=True, text=True, timeout=60)
    return ran.stdout.strip() or ran.stderr.strip().splitlines()[-1].split(":")[0]


def test_more_than_the_limit_cannot_be_had():
    assert ends("bytearray(400 << 20)") == "MemoryError"


def test_within_the_limit_nothing_changes_and_what_was_freed_can_be_had_again():
    assert ends("for _ in range(5): bytearray(150 << 20)\nprint('done')") == "done"


def test_shared_memory_counts_as_addresses_only():
    assert ends("import mmap\nkept = [mmap.mmap(-1, 100 << 20) for _ in range(20)]\nprint('done')") == "done"
    assert ends("import mmap\nkept = [mmap.mmap(-1, 100 << 20) for _ in range(31)]") == "OSError"


def test_a_stage_without_the_parameter_is_not_limited():
    assert ends("limit_memory({})\nprint(resource.getrlimit(resource.RLIMIT_DATA)[0] >> 20)") == "300"


@pytest.mark.parametrize("limit", ["0", "-1", "much"])
def test_a_limit_that_makes_no_sense_stops_the_model_from_loading(limit):
    with pytest.raises(ValueError, match=r"memory_limit_mb|invalid literal"):
        limit_memory({"memory_limit_mb": limit})
