"""File, environment and command line become one set of settings."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from gatepost_server.cli import settings
from gatepost_server.cli.settings import SettingsError, check_tables, default_repository, read_log, read_triton
from gatepost_server.serving.settings import TritonSettings


@pytest.fixture
def file(tmp_path, monkeypatch):
    for name in ("GATEPOST_TRITON_HOST", "GATEPOST_TRITON_GRPC_PORT"):
        monkeypatch.delenv(name, raising=False)

    def write(text):
        path = tmp_path / "gatepost.toml"
        path.write_text(text)
        return path

    return write


def test_without_any_of_them_the_defaults_hold(file):
    assert read_triton(None) == TritonSettings(repository=default_repository())
    assert read_log(None).level == "info"


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(file, monkeypatch):
    path = file('[triton]\nhost = "file"\ngrpc_port = 1\nhttp_port = 1\nrepository = "/file"\n')
    monkeypatch.setenv("GATEPOST_TRITON_GRPC_PORT", "2")
    monkeypatch.setenv("GATEPOST_TRITON_REPOSITORY", "/environment")
    read = read_triton(path, repository=Path("/command-line"))
    assert (read.host, read.http_port, read.grpc_port) == ("file", 1, 2)
    assert read.repository == Path("/command-line")


def test_tables_inside_tables_are_merged_entry_by_entry(file, monkeypatch):
    path = file('[triton.parameters]\ndevice = "cpu"\nthreads = "1"\n[triton.instances]\nclip = 1\n')
    monkeypatch.setenv("GATEPOST_TRITON_PARAMETERS__THREADS", "2")
    monkeypatch.setenv("GATEPOST_TRITON_INSTANCES__OCR_DETECT", "2")
    read = read_triton(path)
    assert read.parameters == {"device": "cpu", "threads": "2"}
    assert read.instances == {"clip": 1, "ocr_detect": 2}


def test_an_option_that_was_not_given_says_nothing(file):
    assert read_triton(file('[triton]\nrepository = "/file"\n'), repository=None).repository == Path("/file")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[triton]\nhots = 'x'\n", "triton.hots"),
        ("[triton]\ngrpc_port = 'x'\n", "triton.grpc_port"),
        ("[log]\nlevel = 'loud'\n", "log.level"),
        ("[tritn]\nhost = 'x'\n", "tritn is none of"),
        ("host = 'x'\n", "host is none of"),
        ("[triton\n", "gatepost.toml"),
    ],
)
def test_a_mistake_is_named(file, text, complaint):
    path = file(text)
    with pytest.raises(SettingsError, match=complaint):
        (check_tables(path), read_triton(path), read_log(path))


def test_a_mistake_in_the_environment_is_named(file, monkeypatch):
    monkeypatch.setenv("GATEPOST_TRITON_GRPC_PORT", "many")
    with pytest.raises(SettingsError, match=r"triton\.grpc_port"):
        read_triton(None)


def test_every_triton_setting_can_be_set():
    assert set(settings._TRITON.model_fields) == {each.name for each in fields(TritonSettings)}


def test_the_repository_of_the_working_folder_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (default_repository() / "moderate" / "config.pbtxt").is_file()
    (tmp_path / "model_repository").mkdir()
    assert default_repository() == tmp_path / "model_repository"
