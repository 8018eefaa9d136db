"""One driver for a destination at a time, on this machine and in an object store alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gatepost_server.rescan.failures import PausedError
from gatepost_server.rescan.job import Destination
from gatepost_server.rescan.lease import only_driver
from gatepost_server.rescan.stores.base import address
from tests.rescan_parts import until


@pytest.fixture
def destination(tmp_path) -> Destination:
    return Destination(address(str(tmp_path)))


def drivers(destination: Destination) -> Path:
    return Path(destination.place.path) / "_gatepost" / "drivers"


def leave_behind(destination: Destination, **fields) -> None:
    """What a driver that was killed leaves."""
    driver = {"host": "elsewhere", "process": 7, "started": "1", "ended": False} | fields
    destination.write("_gatepost/drivers/000000.json", json.dumps(driver).encode())


def age(file: Path, seconds: float) -> None:
    told = file.stat().st_mtime - seconds
    os.utime(file, (told, told))


def test_the_second_of_two_drivers_is_told_who_is_at_work(destination):
    told = f"process {os.getpid()} of"
    with only_driver(destination), pytest.raises(PausedError, match=told), only_driver(destination):
        raise AssertionError("two drivers at a time")


def test_one_after_the_other_may_drive(destination):
    for _ in range(3):
        with only_driver(destination) as lease:
            lease.check()


def test_a_driver_of_this_machine_that_was_killed_is_followed_at_once(destination):
    script = (
        "import os, signal, sys\n"
        "from gatepost_server.rescan.job import Destination\n"
        "from gatepost_server.rescan.lease import only_driver\n"
        "from gatepost_server.rescan.stores.base import address\n"
        "with only_driver(Destination(address(sys.argv[1]))):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, destination.place.path], timeout=120, check=False)
    assert killed.returncode == -9
    assert not json.loads((drivers(destination) / "000000.json").read_text())["ended"]
    with only_driver(destination) as lease:
        lease.check()


def test_another_process_with_the_number_of_the_one_that_died_is_not_taken_for_it(destination):
    with only_driver(destination):
        told = json.loads((drivers(destination) / "000000.json").read_text())
    leave_behind(destination, **(told | {"started": "0", "ended": False}))
    with only_driver(destination) as lease:
        lease.check()


def test_a_driver_of_another_machine_is_waited_for_until_it_was_silent_for_long(destination):
    leave_behind(destination)
    with pytest.raises(PausedError, match="process 7 of elsewhere"), only_driver(destination, silent_s=600.0):
        raise AssertionError("it may be at work")
    age(drivers(destination) / "000000.json", 700.0)
    with only_driver(destination, silent_s=600.0) as lease:
        lease.check()


def test_a_file_that_is_being_written_counts_as_a_driver(destination):
    destination.write("_gatepost/drivers/000000.json", b"")
    with pytest.raises(PausedError, match="at work"), only_driver(destination):
        raise AssertionError("somebody is beginning")


def test_who_was_taken_for_dead_writes_no_more(destination):
    with only_driver(destination, silent_s=600.0) as first:
        age(drivers(destination) / "000000.json", 700.0)
        leave_behind(destination)  # as if it ran elsewhere
        age(drivers(destination) / "000000.json", 700.0)
        with only_driver(destination, silent_s=600.0) as second:
            first.renew()
            with pytest.raises(PausedError, match="taken over"):
                first.check()
            second.check()


def test_a_driver_says_again_and_again_that_it_is_there(destination):
    with only_driver(destination, renew_s=0.01):
        file = drivers(destination) / "000000.json"
        age(file, 700.0)
        aged = file.stat().st_mtime
        until(lambda: file.stat().st_mtime > aged + 350.0, within_s=60.0, otherwise=lambda: "it is silent")
