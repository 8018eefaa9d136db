"""What a SOURCE holds, in the order and with the words that it says."""

from __future__ import annotations

import io
import json
import os
import tarfile
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gatepost_server.rescan.failures import Failure, RescanError, SourceError
from gatepost_server.rescan.filters import Filters, moment
from gatepost_server.rescan.reading import Reading, fetch, fetched
from gatepost_server.rescan.sources.open import open_source
from gatepost_server.rescan.stores.base import address

ODD_NAMES = ["a b#c%20é福.png", "new\nline.png", "bracket[1]*.png", "quote'\".png", "back\\slash.png", "..hidden.png"]


def scanned(source, **filters):
    return list(open_source(address(str(source)), Filters(**filters)))


def write(path, content=b"png"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def tar_of(path, members):
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_a_folder_gives_its_images_by_name_and_passes_over_what_is_none(tmp_path):
    for name in ("b.JPG", "a.png", "sub/c.webp", "without_ending", "notes.txt", "card.json"):
        write(tmp_path / name)
    found = scanned(tmp_path)
    assert [each.uri for each in found] == [
        str(tmp_path / name) for name in ("a.png", "b.JPG", "sub/c.webp", "without_ending")
    ]
    assert [each.number for each in found] == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_files_with_odd_names_are_found_and_read(tmp_path, name):
    write(tmp_path / name, name.encode())
    (found,) = scanned(tmp_path)
    assert fetch(found, 1_000) == name.encode()
    (alone,) = scanned(tmp_path / name)
    assert fetch(alone, 1_000) == name.encode()


def test_a_glob_takes_whatever_matches_and_a_star_stays_in_its_folder(tmp_path):
    for name in ("x/one.png", "x/two.txt", "y/one.png", "x/deep/one.png"):
        write(tmp_path / name)
    names = lambda pattern: [each.uri.removeprefix(f"{tmp_path}/") for each in scanned(tmp_path / pattern)]  # noqa: E731
    assert names("x/*") == ["x/one.png", "x/two.txt"]
    assert names("*/one.png") == ["x/one.png", "y/one.png"]
    assert names("x/**/one.png") == ["x/deep/one.png", "x/one.png"]
    assert names("[xz]/t?o.txt") == ["x/two.txt"]


def test_a_tar_gives_its_images_with_what_stands_beside_them(tmp_path):
    beside = {"prompt": "a card", "expected_text": ["新年快乐"], "id": "card-1", "locale": "zh"}
    tar = tar_of(
        tmp_path / "cards.tar",
        {
            "0001.jpg": b"first",
            "0001.json": json.dumps(beside).encode(),
            "folder/0002.png": b"second",
            "folder/0002.txt": b"a wish\n",
            "0003.json": b"{broken",
            "0003.webp": b"third",
        },
    )
    first, second, third = scanned(tar)
    assert (first.id, first.prompt, first.expected_text, first.locale) == ("card-1", "a card", ("新年快乐",), "zh")
    assert (second.uri, second.prompt) == (f"{tar}#folder/0002.png", "a wish")
    assert third.prompt == ""
    assert [fetch(each, 1_000) for each in (first, second, third)] == [b"first", b"second", b"third"]


def test_tars_in_a_folder_are_opened(tmp_path):
    write(tmp_path / "a.png")
    tar_of(tmp_path / "b.tar", {"1.png": b"x", "2.png": b"y"})
    assert [each.uri.rpartition("/")[2] for each in scanned(tmp_path)] == ["a.png", "b.tar#1.png", "b.tar#2.png"]


def test_what_is_no_tar_is_said_to_be_none(tmp_path):
    with pytest.raises(SourceError, match="is no tar"):
        scanned(write(tmp_path / "bad.tar", b"this is not a tar at all" * 100))


ROWS = [
    {"uri": "a.png", "id": "1", "country": "SG", "likes": 5, "prompt": "a card", "expected_text": '["新年快乐", "福"]'},
    {"uri": "s3://cards/b.png", "id": "2", "country": "CN", "likes": 1, "prompt": None, "expected_text": "one text"},
    {"uri": "", "id": "3", "country": "SG", "likes": 9, "prompt": "", "expected_text": None},
]


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_a_manifest_of_any_kind_says_the_same(tmp_path, kind):
    file = tmp_path / f"manifest[1].{kind}"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), file)
    elif kind == "csv":
        import csv

        with file.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, ROWS[0])
            writer.writeheader()
            writer.writerows(ROWS)
    else:
        file.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    first, second, third = scanned(file)
    assert (first.id, first.file, first.prompt) == ("1", str(tmp_path / "a.png"), "a card")
    assert first.expected_text == ("新年快乐", "福")
    assert (second.file, second.expected_text) == ("s3://cards/b.png", ("one text",))
    assert isinstance(fetch(third, 1_000), Failure)
    assert [each.id for each in scanned(file, where="country = 'SG' AND likes > 5")] == ["3"]


def test_a_filter_that_cannot_be_is_refused_with_the_reason(tmp_path):
    file = tmp_path / "manifest.jsonl"
    file.write_text('{"uri": "a.png"}\n')
    with pytest.raises(RescanError, match="colour"):
        scanned(file, where="colour = 'red'")
    with pytest.raises(RescanError, match="--changed-since needs a column"):
        scanned(file, changed_since=datetime.now(UTC))
    with pytest.raises(RescanError, match="for manifests"):
        scanned(tmp_path, where="likes > 3")
    file.write_text('{"picture": "a.png"}\n')
    with pytest.raises(RescanError, match="no column uri; it has picture"):
        scanned(file)


def test_what_changed_since_is_told_by_the_file_or_by_the_manifest(tmp_path):
    old, new = write(tmp_path / "images/old.png"), write(tmp_path / "images/new.png")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    os.utime(old, (yesterday.timestamp(), yesterday.timestamp()))
    since = datetime.now(UTC) - timedelta(hours=1)
    assert [each.uri for each in scanned(tmp_path / "images", changed_since=since)] == [str(new)]
    manifest = tmp_path / "m.jsonl"
    rows = [
        {"uri": "old.png", "modified": yesterday.isoformat()},
        {"uri": "new.png", "modified": str(datetime.now(UTC))},
    ]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [each.uri for each in scanned(manifest, changed_since=since)] == ["new.png"]


def test_times_are_read_as_moments_or_ages():
    now = datetime(2026, 1, 8, tzinfo=UTC)
    assert moment("7d", now) == datetime(2026, 1, 1, tzinfo=UTC)
    assert moment("90m", now) == now - timedelta(minutes=90)
    assert moment("2026-01-01T12:00:00+08:00", now) == datetime(2026, 1, 1, 4, tzinfo=UTC)
    assert moment("2026-01-01", now).tzinfo is UTC
    with pytest.raises(ValueError, match="yesterday"):
        moment("yesterday", now)


def test_a_sample_is_the_same_every_time_and_about_as_large_as_asked_for(tmp_path):
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("".join(json.dumps({"uri": f"{n}.png"}) + "\n" for n in range(5_000)))
    once = [each.id for each in scanned(manifest, sample=0.1)]
    assert once == [each.id for each in scanned(manifest, sample=0.1)]
    assert once != [each.id for each in scanned(manifest, sample=0.1, seed=1)]
    assert 400 < len(once) < 600
    assert len(scanned(manifest, limit=7)) == 7


def test_bytes_come_in_pieces_and_what_cannot_be_read_is_a_failure_in_its_place(tmp_path):
    write(tmp_path / "good.png", b"x" * 10)
    write(tmp_path / "large.png", b"x" * 2_000)
    write(tmp_path / "empty.png", b"")
    manifest = tmp_path / "m.jsonl"
    names = ["good.png", "missing.png", "large.png", "empty.png", "ftp://nowhere/x.png", "good.png", "x\\u0000.png"]
    manifest.write_text("".join(f'{{"uri": "{name}"}}\n' for name in names))
    pieces = list(fetched(scanned(manifest), Reading(threads=2, most=1_000, piece_images=3)))
    assert [len(piece) for piece in pieces] == [3, 3, 1]
    told = [content if isinstance(content, bytes) else content.reason for piece in pieces for _, content in piece]
    assert told == [
        b"x" * 10,
        "SOURCE_MISSING",
        "IMAGE_TOO_LARGE",
        "IMAGE_EMPTY",
        "SOURCE_INVALID",
        b"x" * 10,
        "SOURCE_INVALID",
    ]


@pytest.mark.parametrize("text", ["", "ftp://x/y", "s3:///key", "s3://user:secret@bucket/key"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the words differ
        address(text)
