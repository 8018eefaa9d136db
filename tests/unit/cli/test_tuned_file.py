"""tuned.toml: what gatepostd tune writes, and how little it says beside everything else."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from typer.testing import CliRunner

from gatepost_server.cli.app import app
from gatepost_server.cli.tune import sample_cards
from gatepost_server.cli.tuning.served import Sample, Served, TuneError, images_for, read_samples
from gatepost_server.cli.tuning.tuned import (
    GatewayPart,
    Machine,
    TritonPart,
    Tuned,
    TunedError,
    applied,
    read,
    said_of_threads,
    write,
)
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.serving import supervisor
from gatepost_server.serving.repository import RepositoryError
from gatepost_server.serving.server import StoppedError
from gatepost_server.serving.settings import TritonSettings

HERE = Machine(cpu='Some "CPU" \\ 1', cores=8)
TUNED = Tuned(
    machine=HERE,
    triton=TritonPart(instances={"clip": 2}, parameters={"clip_threads": "4", "ocr_detect_threads": "8"}),
    gateway=GatewayPart(max_images_in_flight=48, background_images=4),
)
TRITON = TritonSettings(Path("/repository"))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "state" / "tuned.toml"
    write(path, TUNED, measured="2026-01-01", gain="1.20x (1.10 to 1.30)")
    return path


def test_what_is_written_is_read_again(file):
    assert read(file) == TUNED
    assert "1.20x (1.10 to 1.30)" in file.read_text()


def test_it_counts_where_nothing_else_is_said(file):
    result = applied(file, TRITON, GatewaySettings(), {}, HERE)
    assert result.told == "used"
    assert result.triton.instances == {"clip": 2}
    assert result.triton.parameters == {"clip_threads": "4", "ocr_detect_threads": "8"}
    assert (result.gateway.max_images_in_flight, result.gateway.background_images) == (48, 4)


def test_whatever_the_operator_says_goes_before_it(file):
    triton = TritonSettings(Path("/repository"), instances={"clip": 1}, parameters={"clip_threads": "1"})
    environment = {"GATEPOST_MODEL_OCR_DETECT_THREADS": "2"}
    result = applied(file, triton, GatewaySettings(background_images=7), environment, HERE)
    assert result.triton.instances == {"clip": 1}
    assert result.triton.parameters == {"clip_threads": "1"}
    assert (result.gateway.max_images_in_flight, result.gateway.background_images) == (48, 7)


def test_one_word_about_all_threads_is_about_each(file):
    result = applied(file, TRITON, GatewaySettings(), {"GATEPOST_MODEL_THREADS": "1"}, HERE)
    assert result.triton.parameters == {}


def test_a_share_of_streams_keeps_the_whole_that_it_was_chosen_for(file):
    result = applied(file, TRITON, GatewaySettings(max_stream_images_in_flight=30), {}, HERE)
    assert result.gateway.max_images_in_flight == 32


def test_on_another_machine_it_does_not_count(file):
    result = applied(file, TRITON, GatewaySettings(), {}, Machine(cpu=HERE.cpu, cores=4))
    assert (result.triton, result.gateway) == (TRITON, GatewaySettings())
    assert "another machine" in result.told


def test_without_a_file_nothing_changes(tmp_path):
    result = applied(tmp_path / "tuned.toml", TRITON, GatewaySettings(), {}, HERE)
    assert (result.triton, result.gateway, result.told) == (TRITON, GatewaySettings(), "none")


@pytest.mark.parametrize("text", ["[", "[machine]\ncpu = 'x'\ncores = 0\n", "[other]\n", "\udcff"])
def test_a_file_that_is_none_of_ours_is_refused_with_its_name(tmp_path, text):
    path = tmp_path / "tuned.toml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(TunedError, match=r"tuned\.toml"):
        read(path)


def test_this_machine_has_cores():
    assert Machine.here().cores >= 1


def test_only_parameters_about_threads_are_in_the_way():
    triton = TritonSettings(Path("/repository"), parameters={"device": "cpu", "clip_threads": "2"})
    assert said_of_threads(triton, {"GATEPOST_MODEL_THREADS": "1", "PATH": "threads"}) == {"clip_threads", "threads"}


def test_the_sample_cards_are_there():
    assert len(read_samples(sample_cards())) >= 25


def test_a_folder_without_pictures_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(TuneError, match="holds no picture"):
        read_samples(tmp_path)


def test_a_turn_is_whole_rounds_of_the_samples():
    assert images_for(seconds=6.0, rate=5.0, samples=25) == 50
    assert images_for(seconds=0.1, rate=1.0, samples=25) == 25


def test_threads_that_are_set_already_are_told_before_anything_starts(monkeypatch, tmp_path):
    monkeypatch.setenv("GATEPOST_MODEL_CLIP_THREADS", "2")
    result = CliRunner().invoke(app, ["tune", "--state", str(tmp_path)])
    assert result.exit_code == 1
    assert "clip_threads" in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def started(monkeypatch):
    """What `gatepostd up` would start Triton with; nothing is started."""
    seen = []

    def refuse(triton, *_):
        seen.append(triton)
        raise RepositoryError("far enough")

    monkeypatch.setattr(supervisor, "Supervisor", refuse)
    return seen


def up(state):
    return CliRunner().invoke(app, ["up", "--state", str(state)])


def test_up_starts_triton_with_what_was_tuned_here(started, tmp_path):
    tuned = TUNED.model_copy(update={"machine": Machine.here()})
    write(tmp_path / "tuned.toml", tuned, measured="2026-01-01", gain="1.20x")
    assert "far enough" in up(tmp_path).output
    assert [triton.instances for triton in started] == [{"clip": 2}]
    assert started[0].parameters["ocr_detect_threads"] == "8"


def test_up_says_which_file_it_cannot_read_and_starts_nothing(started, tmp_path):
    (tmp_path / "tuned.toml").write_text("[machine]\n")
    result = up(tmp_path)
    assert result.exit_code == 1
    assert "tuned.toml" in result.output
    assert started == []


def test_a_stop_is_heard_before_the_next_turn():
    stop = Event()
    stop.set()
    with pytest.raises(StoppedError):
        Served("127.0.0.1:1", [Sample("card.jpg", b"card")], stop).rate(1, 1.0)


def test_a_picture_that_cannot_be_judged_is_named():
    nobody = Served("127.0.0.1:1", [Sample("card.jpg", b"card")], Event())
    with pytest.raises(TuneError, match=r"card\.jpg could not be judged"):
        nobody.rate(2, 1.0)
