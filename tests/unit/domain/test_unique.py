"""Names are random UUIDs, each drawn once."""

from __future__ import annotations

import os

from gatepost_server.domain.unique import unique


def test_names_are_random_uuids_and_no_two_are_the_same():
    names = [unique() for _ in range(2_000)]
    assert len(set(names)) == 2_000
    assert {name.version for name in names} == {4}


def test_a_child_process_draws_names_of_its_own():
    unique()  # so that some are drawn already
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, unique().bytes)
        os._exit(0)
    os.waitpid(child, 0)
    mine = {unique().bytes for _ in range(300)}
    assert os.read(read, 16) not in mine
    os.close(read)
    os.close(write)
