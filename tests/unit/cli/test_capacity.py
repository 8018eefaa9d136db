"""gatepostd capacity: the arithmetic, where its figures are from, and what it does not claim."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gatepost_server.cli import capacity
from gatepost_server.cli.app import app
from gatepost_server.cli.capacity import Demand, Figure, FiguresError

MACHINE = {"cpu": "Some CPU", "cores": 8}


def figure(value: float, unit: str = "1/s") -> Figure:
    return Figure(value, unit, "make bench", "2026-11-22", "Some CPU, 8 hardware threads")


FIGURES = {
    capacity.HOST: figure(10.0),
    capacity.HOST_MEMORY: figure(2.0, "GB"),
    capacity.GATEWAY_CPU: figure(2_000.0, "µs"),
    capacity.GATEWAY_MEMORY: figure(100.0, "MiB"),
}


def measurement(path: Path, **values: float) -> Path:
    rows = [{"name": name, "value": value, "unit": "1/s", "command": "make bench"} for name, value in values.items()]
    path.write_text(json.dumps({"measured": "2026-12-01T00:00:00+00:00", "machine": MACHINE, "targets": rows}))
    return path


def test_the_peak_is_the_mean_second_times_the_factor() -> None:
    demand = Demand(86_400 * 10, 30.0)
    assert demand.mean == pytest.approx(10.0)
    assert demand.peak == pytest.approx(300.0)


@pytest.mark.parametrize(
    ("busy", "spare", "machines"),
    [(1.0, 0, 30), (0.7, 0, 43), (0.7, 2, 45), (0.5, 1, 61)],  # 300 images/s on machines of 10
)
def test_machines_are_rounded_up_and_some_stand_by(busy: float, spare: int, machines: int) -> None:
    assert capacity.number_of(Demand(864_000, 30.0, busy, spare), 10.0) == machines


def test_the_plan_shows_its_arithmetic() -> None:
    plan = "\n".join(capacity.told(Demand(864_000, 30.0), FIGURES, 50.0))
    assert "864,000 images a day / 86,400 s = 10 images/s on average" in plan
    assert "10 x 30 (peak factor) = 300 images/s at peak" in plan
    assert "300 / (50 x 0.7) = 9, and 1 = 10 GPUs" in plan
    assert "300 / (10 x 0.7) = 43, and 1 = 44 hosts" in plan
    assert "all: 44 x 2 = 88 GB" in plan
    assert "1,000,000 / 2,000 = 500 images/s each" in plan
    assert "300 / (500 x 0.7) = 1, and 1 = 2 gateways" in plan
    assert "300 x 200,000 bytes x 8 = 0.48 Gbit/s in" in plan


def test_a_gpu_rate_that_nobody_measured_is_called_assumed() -> None:
    assumed = "\n".join(capacity.told(Demand(864_000, 30.0), FIGURES, None))
    given = "\n".join(capacity.told(Demand(864_000, 30.0), FIGURES, 1_000.0))
    assert "ASSUMED" in assumed
    assert "ASSUMED" not in given
    assert "as given by --images-per-second" in given


def test_every_figure_is_told_with_its_command_date_and_machine() -> None:
    plan = "\n".join(capacity.told(Demand(864_000, 30.0), FIGURES, None))
    assert plan.count("(make bench, 2026-11-22, Some CPU, 8 hardware threads)") == len(FIGURES)


def test_committed_figures_are_complete() -> None:
    figures = capacity.committed()
    assert figures.keys() == capacity.ROWS.keys()
    assert all(figure.value > 0 and figure.command.startswith("make ") for figure in figures.values())


def test_a_measurement_file_gives_what_it_holds(tmp_path: Path) -> None:
    found = capacity.measured(measurement(tmp_path / "smoke.json", **{"served images a second": 7.5, "else": 1.0}))
    assert found == {capacity.HOST: Figure(7.5, "1/s", "make bench", "2026-12-01", "Some CPU, 8 hardware threads")}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"targets": [], "measured": "2026", "machine": {}}'])
def test_what_is_no_measurement_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(FiguresError, match="no measurement file"):
        capacity.measured(tmp_path / "x.json")


def test_a_file_without_any_known_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FiguresError, match="none of the rows"):
        capacity.measured(measurement(tmp_path / "x.json", another=1.0))


def test_figures_are_kept_later_files_over_earlier_ones(tmp_path: Path) -> None:
    files = [measurement(tmp_path / f"{rate}.json", **{"served images a second": rate}) for rate in (5.0, 6.0)]
    capacity.keep(files, tmp_path / "kept.json")
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert kept[capacity.HOST]["value"] == 6.0
    assert kept.keys() == capacity.ROWS.keys()


def test_the_command_prints_the_plan_and_takes_measured_files(tmp_path: Path) -> None:
    file = measurement(tmp_path / "smoke.json", **{"served images a second": 7.0})
    result = CliRunner().invoke(app, ["capacity", "--images-per-day", "50e6", "--measured", str(file)])
    assert result.exit_code == 0
    assert "50,000,000 images a day / 86,400 s = 579 images/s on average" in result.stdout
    assert "17,361 / (7 x 0.7) = 3,544" in result.stdout
    assert "2026-12-01" in result.stdout


def test_the_command_says_in_a_line_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    result = CliRunner().invoke(app, ["capacity", "--images-per-day", "1e6", "--measured", str(tmp_path / "x.json")])
    assert result.exit_code == 1
    assert "no measurement file" in result.stderr
