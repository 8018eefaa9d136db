"""gatepostd purge."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from gatepost_server.cli.app import app
from gatepost_server.records.images import ImageStore
from gatepost_server.records.sql_record import SqlRecord
from tests.unit.records.record_contract import entry


@pytest.fixture
def place(tmp_path):
    async def fill() -> None:
        record = SqlRecord.in_file(tmp_path / "record.db")
        await record.open()
        await record.add([replace(entry(1, subject="u1"), image=b"sealed"), entry(2, subject="u2")])
        await record.close()
        await ImageStore(str(tmp_path / "images")).put("verdicts/1", b"sealed")

    asyncio.run(fill())
    return ["--record", str(tmp_path / "record.db"), "--images", str(tmp_path / "images")]


def test_a_dry_run_counts_and_removes_nothing_and_a_purge_takes_the_image_along(place, tmp_path):
    for _ in range(2):
        told = CliRunner().invoke(app, ["purge", "--subject", "u1", "--dry-run", *place])
        assert (told.exit_code, told.stdout) == (0, "1 verdicts would be removed\n")
    told = CliRunner().invoke(app, ["purge", "--subject", "u1", *place])
    assert (told.exit_code, told.stdout) == (0, "1 verdicts were removed\n")
    assert not [file for file in (tmp_path / "images").rglob("*") if file.is_file()]
    told = CliRunner().invoke(app, ["purge", "--older-than", "1", "--category", "insult", *place])
    assert told.stdout == "1 verdicts were removed\n"


@pytest.mark.parametrize("arguments", [[], ["--category", "nonsense"]])
def test_a_purge_that_says_nothing_or_nonsense_is_refused(place, arguments):
    assert CliRunner().invoke(app, ["purge", *arguments, *place]).exit_code == 1


def test_a_record_that_is_not_there_is_told(tmp_path):
    told = CliRunner().invoke(app, ["purge", "--subject", "u1", "--record", str(tmp_path / "none.db")])
    assert told.exit_code == 1
    assert not (tmp_path / "none.db").exists()


def test_a_purge_that_knows_not_where_the_images_are_removes_nothing(place, tmp_path):
    told = CliRunner().invoke(app, ["purge", "--subject", "u1", *place[:2]])
    assert told.exit_code == 1
    assert "--images" in told.stderr
    assert CliRunner().invoke(app, ["purge", "--subject", "u1", "--dry-run", *place]).stdout.startswith("1 ")
