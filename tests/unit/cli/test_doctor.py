"""Every check of `gatepostd doctor` is made to fail for real, and says what to do."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import socket
import sqlite3
import stat
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gatepost_server.cli.app import app
from gatepost_server.cli.doctor import gate, machine, models, stores
from gatepost_server.cli.doctor.finding import Finding, Health
from gatepost_server.gateway.credentials.caller import ASKER
from gatepost_server.gateway.credentials.token_file import TokenStore
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.records.migrate import HEAD
from gatepost_server.records.sealing import new_key
from gatepost_server.records.sql_record import SqlRecord
from gatepost_server.tickets.folder import KeyFolder
from tests.conftest import MODEL_REPOSITORY
from tests.gateways import running_gateway
from tests.weights_digests import digests

HUGE = 1 << 60


def helps(finding: Finding, health: Health, *words: str) -> None:
    """It is as bad as that, names what is wrong, and says what to do."""
    assert finding.health is health, finding
    assert all(word in finding.said for word in words), finding
    assert finding.advice


# --- the machine


def test_too_little_shared_memory_fails(tmp_path: Path) -> None:
    assert machine.shared_memory(tmp_path, needed=1).health is Health.OK
    helps(machine.shared_memory(tmp_path, needed=HUGE), Health.FAILED, "MiB free")
    helps(machine.shared_memory(tmp_path / "none"), Health.FAILED, "there is no")


def test_a_disk_without_room_for_all_that_may_wait_is_warned_of_and_one_that_is_not_ours_fails(tmp_path: Path) -> None:
    assert machine.disk("disk", tmp_path / "made" / "later", 1).health is Health.OK
    helps(machine.disk("disk", tmp_path, HUGE), Health.WARNING, "MiB free")
    helps(machine.disk("disk", Path("/proc/1"), 1), Health.FAILED, "cannot be written")


def test_too_little_memory_is_warned_of() -> None:
    assert machine.memory(1).health is Health.OK
    helps(machine.memory(HUGE), Health.WARNING, "are taken")


def test_fewer_files_than_connections_fail() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert machine.files(16).health is Health.OK
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (600, before[1]))
        helps(machine.files(1_000), Health.FAILED, "600")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_file_of_tomorrow_tells_that_the_clock_is_wrong(tmp_path: Path) -> None:
    written = tmp_path / "handover.db"
    written.touch()
    assert machine.clock([written, tmp_path / "none"]).health is not Health.FAILED
    os.utime(written, (time.time() + 7_200,) * 2)
    helps(machine.clock([written]), Health.FAILED, "handover.db", "future")


def test_a_gpu_that_is_asked_for_and_cannot_be_used_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert machine.gpu("cpu").health is Health.OK
    assert machine.gpu("", tmp_path / "no driver").health is Health.OK
    helps(machine.gpu("cuda", tmp_path / "no driver"), Health.FAILED, "cuda is asked for")


# --- what judges


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The model repository, the nets among it as links."""
    folder = tmp_path / "repository"
    shutil.copytree(MODEL_REPOSITORY, folder, copy_function=lambda source, target: Path(target).symlink_to(source))
    return folder


def test_weights_that_are_missing_fail_and_others_than_shipped_are_warned_of(copied: Path) -> None:
    assert models.weights(copied).health is Health.OK
    net = copied / "clip" / "1" / "image.safetensors"
    net.unlink()
    net.write_bytes(b"cut off")
    helps(models.weights(copied), Health.WARNING, "clip/1/image.safetensors")
    net.unlink()
    helps(models.weights(copied), Health.FAILED, "clip/1/image.safetensors is missing")


def test_the_digests_are_those_of_the_nets_in_this_repository() -> None:
    assert models.DIGESTS.read_text() == digests(), "python -m tests.weights_digests writes them anew"


def test_a_repository_without_one_of_the_models_that_it_calls_fails(copied: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    whole = models.repository(copied, "", {}, tmp_path / "a")
    assert whole.health is Health.OK
    assert "text_toxicity 1" in whole.said
    shutil.rmtree(copied / "clip" / "1")
    helps(models.repository(copied, "", {}, tmp_path / "a"), Health.FAILED, "clip")
    helps(models.repository(copied, "no such layout", {}, tmp_path / "a"), Health.FAILED, "layout")
    helps(models.repository(tmp_path / "none", "", {}, tmp_path / "a"), Health.FAILED)


def test_ocr_weights_that_are_not_there_fail() -> None:
    assert models.ocr_weights({}).health is Health.OK
    helps(models.ocr_weights({"rec_model": "/no/such.onnx"}), Health.FAILED, "/no/such.onnx")


def test_a_package_that_is_missing_or_of_another_version_fails() -> None:
    assert models.packages(("triton", "gateway")).health is Health.OK
    helps(models.packages((), ["numpy<1", "no-such-package-at-all"]), Health.FAILED, "numpy", "is missing")


def test_a_cache_that_tritonserver_cannot_be_laid_out_in_fails(tmp_path: Path) -> None:
    assert models.server(tmp_path / "cache").health is Health.OK
    (tmp_path / "file").touch()
    helps(models.server(tmp_path / "file"), Health.FAILED)


# --- what is kept


async def test_tables_that_are_older_newer_or_broken_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "record.db"
    assert stores.database_tables("record", str(file)).health is Health.OK
    assert not file.exists()
    record = SqlRecord.in_file(file)
    await record.open()
    await record.close()
    assert stores.database_tables("record", str(file)).said == f"tables of version {HEAD}"
    for found, health in (("0001", Health.WARNING), ("9999", Health.FAILED)):
        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (found,))
        helps(stores.database_tables("record", str(file)), health, found)
    file.write_bytes(b"this is no database at all, and long enough to be read as one" * 20)
    helps(stores.database_tables("record", str(file)), Health.FAILED, "cannot be read")


def test_a_database_that_is_away_fails_and_its_password_is_not_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    finding = stores.database_tables("record", f"postgresql+psycopg://gatepost:hunter2@127.0.0.1:{port}/gatepost")
    helps(finding, Health.FAILED, "cannot be read")
    assert "hunter2" not in str(finding)
    helps(stores.database_tables("record", "oracle-of-delphi://host/name"), Health.FAILED)
    helps(stores.database_tables("record", None), Health.WARNING)


async def test_an_image_store_that_cannot_be_written_fails_and_a_good_one_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    assert (await stores.image_store(str(tmp_path / "images"))).health is Health.OK
    assert [file for file in (tmp_path / "images").rglob("*") if file.is_file()] == []
    (tmp_path / "file").touch()
    helps(await stores.image_store(str(tmp_path / "file")), Health.FAILED, "cannot be used")
    helps(await stores.image_store("gopher://images"), Health.FAILED)
    helps(await stores.image_store(None), Health.WARNING)


def test_image_keys_that_are_none_are_told_apart_from_broken_ones() -> None:
    assert stores.image_keys(new_key()).health is Health.OK
    helps(stores.image_keys(None), Health.WARNING)
    helps(stores.image_keys("id:c2hvcnQ="), Health.FAILED)


# --- the gateway


async def test_a_port_that_something_else_has_fails_and_one_that_a_gatepost_has_does_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        helps(gate.port("port", address), Health.FAILED, "in use")
    assert gate.port("port", address).health is Health.OK
    helps(gate.port("port", "127.0.0.1"), Health.FAILED)
    async with running_gateway() as gateway:
        found = await asyncio.to_thread(gate.port, "port", gateway.address, grpc_health=True)
        assert "a gatepost answers" in found.said


def test_models_elsewhere_that_do_not_answer_fail() -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        address = f"127.0.0.1:{there.getsockname()[1]}"
        assert gate.models_answer(address).health is Health.OK
    helps(gate.models_answer(address), Health.FAILED, address)


@pytest.fixture
def ring(tmp_path: Path) -> KeyFolder:
    folder = KeyFolder(tmp_path / "keys")
    folder.init()
    return folder


def test_keys_that_others_can_read_are_broken_or_away_fail(ring: KeyFolder, tmp_path: Path) -> None:
    assert gate.ticket_keys(ring.folder).health is Health.OK
    (private,) = ring.folder.glob("*.pem")
    private.chmod(stat.S_IRUSR | stat.S_IROTH)
    helps(gate.ticket_keys(ring.folder), Health.FAILED, "can be read by others")
    private.unlink()
    helps(gate.ticket_keys(ring.folder), Health.FAILED)
    (ring.folder / "ring.json").write_text("{}")
    helps(gate.ticket_keys(ring.folder), Health.FAILED, "damaged")
    helps(gate.ticket_keys(tmp_path / "none"), Health.WARNING, "no ring")
    helps(gate.ticket_keys(None), Health.WARNING)


def test_callers_that_nobody_asks_are_warned_of_and_a_file_without_good_tokens_fails(tmp_path: Path) -> None:
    helps(gate.callers(GatewaySettings()), Health.WARNING, "anybody")
    file = tmp_path / "tokens.json"
    token, _ = TokenStore(file).new("cards", ASKER)
    settings = GatewaySettings(credentials=file)
    assert gate.callers(settings).health is Health.OK
    (entry,) = TokenStore(file).read().tokens
    TokenStore(file).revoke(entry.id)
    helps(gate.callers(settings), Health.FAILED)
    file.write_text("not JSON")
    helps(gate.callers(settings), Health.FAILED)
    assert token not in str(gate.callers(settings))


def test_policies_and_tenants_that_do_not_fit_fail(tmp_path: Path) -> None:
    assert gate.decisions(GatewaySettings()).health is Health.OK
    helps(gate.decisions(GatewaySettings(default_policy="none-such")), Health.FAILED, "none-such")
    (tmp_path / "tenants.toml").write_text('[cards]\npolicies = ["none-such"]\n')
    helps(gate.decisions(GatewaySettings(tenants=tmp_path / "tenants.toml")), Health.FAILED, "none-such")


# --- the command


def asked(tmp_path: Path, *more: str) -> tuple[int, str]:
    """Exit code and output, for a gateway of its own whose models are `more`'s business."""
    with socket.create_server(("127.0.0.1", 0)) as there:
        settings = {
            "GATEPOST_STATE": str(tmp_path),
            "GATEPOST_GATEWAY_LISTEN": "127.0.0.1:0",
            "GATEPOST_GATEWAY_TRITON": f"127.0.0.1:{there.getsockname()[1]}",
        }
        answer = CliRunner().invoke(app, ["doctor", "--gateway", *more], env=settings)
    return answer.exit_code, answer.output


def test_the_report_is_a_table_for_people_and_json_for_machines(tmp_path: Path) -> None:
    code, table = asked(tmp_path)
    assert code == 0, table
    assert "credentials" in table
    code, text = asked(tmp_path, "--json")
    findings = json.loads(text)
    assert code == 0
    assert {each["check"] for each in findings} >= {"port", "credentials", "ticket keys", "policies", "clock", "models"}
    assert {each["health"] for each in findings} <= {"ok", "warning"}


def test_what_to_do_is_told_whole_in_a_narrow_window_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    rows = [row.split("│") for row in asked(tmp_path)[1].splitlines() if row.startswith("│")]
    assert "GATEPOST_GATEWAY_IMAGE_KEYS" in "".join(row[4].strip() for row in rows)


def test_a_setting_that_cannot_be_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEPOST_GATEWAY_MAX_STREAMS", "abc")
    code, text = asked(tmp_path, "--json")
    (finding,) = json.loads(text)
    assert (code, finding["check"], finding["health"]) == (1, "settings", "failed")
    assert finding["said"].startswith("gateway.max_streams: ")
    assert "pydantic" not in text


def test_one_failure_is_the_exit_code_and_broken_settings_are_one(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("[gateway]\ndefault_policy = 'none-such'\n")
    code, text = asked(tmp_path, "--json", "--config", str(tmp_path / "broken.toml"))
    assert code == 1
    assert [each["check"] for each in json.loads(text) if each["health"] == "failed"] == ["credentials", "policies"]
    (tmp_path / "broken.toml").write_text("[gateway]\nno_such_setting = 1\n")
    code, text = asked(tmp_path, "--json", "--config", str(tmp_path / "broken.toml"))
    assert (code, json.loads(text)[0]["check"]) == (1, "settings")
