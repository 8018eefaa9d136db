"""A file that changes while it is in use."""

from __future__ import annotations

import pytest
import structlog

from gatepost_server.gateway.credentials.watched import FileError, WatchedFile


def parse(data: bytes) -> list[str]:
    if data.startswith(b"broken"):
        raise FileError("this is broken")
    return data.decode().split()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("one two")
    return path


def test_a_change_counts_from_the_next_call_on(path):
    file = WatchedFile(path, parse)
    assert file.current() is file.current()
    path.write_text("three and more")
    assert file.current() == ["three", "and", "more"]


@pytest.mark.parametrize("content", ["broken", None])
def test_a_file_that_cannot_be_used_from_the_start_is_an_error(path, content):
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(FileError, match=r"^words\.txt: ") as caught:
        WatchedFile(path, parse)
    assert str(path.parent) not in str(caught.value)


def test_a_file_that_breaks_or_goes_away_leaves_the_last_content_in_force_and_is_shouted_once(path):
    file = WatchedFile(path, parse)
    with structlog.testing.capture_logs() as logs:
        path.write_text("broken, now")
        assert [file.current() for _ in range(3)] == [["one", "two"]] * 3
        path.unlink()
        assert [file.current() for _ in range(3)] == [["one", "two"]] * 3
    assert [line["log_level"] for line in logs] == ["error", "error"]
    assert [line["problem"] for line in logs] == [
        "words.txt: this is broken",
        "words.txt: cannot be read: No such file or directory",
    ]


def test_a_file_that_is_mended_or_comes_back_counts_again(path):
    file = WatchedFile(path, parse)
    path.write_text("broken")
    file.current()
    path.write_text("mended")
    assert file.current() == ["mended"]
    path.rename(path.with_suffix(".away"))
    file.current()
    path.with_suffix(".away").rename(path)
    with structlog.testing.capture_logs() as logs:
        assert file.current() == ["mended"]
    assert [line["event"] for line in logs] == ["file_read_again"]
