"""gatepostd rescan, as far as it goes without Ray: what is asked for, and what would be done."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from gatepost_server.cli.app import app


def run(*arguments: str):
    return CliRunner().invoke(app, ["rescan", *arguments])


@pytest.fixture
def manifest(tmp_path):
    file = tmp_path / "cards.jsonl"
    rows = [{"uri": f"{number}.png", "likes": number} for number in range(1_000)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_a_dry_run_says_what_would_be_scanned_and_writes_nothing(manifest, tmp_path):
    out = tmp_path / "out"
    done = run(str(manifest), "--out", str(out), "--dry-run", "--where", "likes >= 400", "--shard-size", "100")
    assert done.exit_code == 0
    assert "600 images would be scanned, in 6 shards" in done.output
    assert "400.png" in done.output
    assert not out.exists()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--where", "colour = 'red'"), "colour"),
        (("--changed-since", "yesterday"), "yesterday"),
        (("--changed-since", "1d"), "needs a column modified"),
    ],
)
def test_what_cannot_be_asked_for_is_said_in_a_line(manifest, tmp_path, more, told):
    done = run(str(manifest), "--out", str(tmp_path / "out"), "--dry-run", *more)
    assert done.exit_code == 1
    assert told in done.output
    assert "Traceback" not in done.output


def test_an_address_that_is_none_is_said_in_a_line(tmp_path):
    done = run("ftp://cards/", "--out", str(tmp_path / "out"))
    assert done.exit_code == 1
    assert "ftp:// is none of s3" in done.output
