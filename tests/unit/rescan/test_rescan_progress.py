"""What somebody who watches sees, and what is there after a kill between two writes."""

from __future__ import annotations

import io

import pyarrow as pa
import pytest
from rich.console import Console

from gatepost_server.domain.errors import ErrorCode
from gatepost_server.rescan.failures import Failure
from gatepost_server.rescan.inputs import Input
from gatepost_server.rescan.job import Destination, Done
from gatepost_server.rescan.progress import Bar, Lines
from gatepost_server.rescan.rows import row_of
from gatepost_server.rescan.schema import results_schema
from gatepost_server.rescan.sink import read_shard, write_shard
from gatepost_server.rescan.stores.base import address


def test_rows_decisions_and_errors_are_told_as_they_come_and_what_was_done_before_counts():
    console = Console(file=io.StringIO(), width=200, force_terminal=True)
    with Bar(console) as bar:
        bar.planned(30)
        bar.began(30, [Done(0, "shards/part-000000.parquet", 10, 99, "ab", {"ALLOW": 9}, {"IMAGE_CORRUPT": 1})])
        bar.judged(5, {"ALLOW": 3, "BLOCK": 1}, {"SOURCE_MISSING": 1})
    told = console.file.getvalue()
    assert "15/30" in told
    assert "ALLOW 12 · BLOCK 1 · errors 2" in told


def test_a_log_hears_the_beginning_and_then_a_line_every_so_often():
    told: list[str] = []
    now = [100.0]
    view = Lines(told.append, every_s=30.0, clock=lambda: now[0])
    view.planned(20)
    now[0] += 31
    view.planned(25)
    view.began(30, [Done(0, "shards/part-000000.parquet", 10, 99, "ab", {"ALLOW": 9}, {"IMAGE_CORRUPT": 1})])
    now[0] += 10
    view.judged(5, {"ALLOW": 4, "BLOCK": 1}, {})
    now[0] += 30
    view.judged(5, {"ALLOW": 4}, {"SOURCE_MISSING": 1})
    view.judged(5, {"ALLOW": 5}, {})
    assert told == [
        "planning: 25 images so far",
        "scanning: 10 of 30 were done before",
        "scanning: 20 of 30 · 0.2/s · ALLOW 17 · BLOCK 1 · errors 2",
    ]


class KilledError(BaseException):
    """Nothing may catch it."""


def test_a_shard_whose_entry_was_not_written_is_not_done_and_can_be_written_again(tmp_path, monkeypatch):
    destination = Destination(address(str(tmp_path)))
    row = {"embedding": [0.0, 0.0]} | row_of(
        Input(0, "a", "b", "c"), None, Failure(ErrorCode.NOT_FOUND, "SOURCE_MISSING", "")
    )
    table = pa.Table.from_pylist([row], schema=results_schema(2))

    def killed(done: Done) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(destination, "finish", killed)
        with pytest.raises(KilledError):
            write_shard(destination, 0, table)
    assert destination.done() == {}
    done = write_shard(destination, 0, table)
    assert destination.done() == {0: done}
    assert done.errors == {"SOURCE_MISSING": 1}
    assert read_shard(destination, 0).to_pylist() == table.to_pylist()
    assert [path.name for path in (tmp_path / "shards").iterdir()] == ["part-000000.parquet"]
