"""The settings that a GPU machine is to start from are settings that there are."""

from pathlib import Path

import pytest

from gatepost_server.cli.settings import TRITON_FIELDS, read_triton
from gatepost_server.cli.unknown import unknown_variables
from gatepost_server.domain.labels import StageName
from gatepost_server.engines.choose import open_net
from gatepost_server.engines.net import NetFile
from gatepost_server.engines.weights import find_weights
from gatepost_server.serving.parameters import PREFIX, stage_parameters
from gatepost_server.serving.repository import arranged
from gatepost_server.tensors import contract

FILE = Path(__file__).parents[3] / "benchmarks" / "gpu" / "h100.env"
REPOSITORY = FILE.parents[2] / "model_repository"
LINES = [line for line in FILE.read_text().splitlines() if line and not line.startswith("#")]
SETTINGS = dict(line.split("=", 1) for line in LINES)


def test_the_repository_is_laid_out_by_them(monkeypatch, tmp_path):
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    assert unknown_variables(SETTINGS, "GATEPOST_TRITON_", TRITON_FIELDS) == []
    triton = read_triton(None)
    folder = arranged(REPOSITORY, tmp_path, layout=triton.layout, instances=triton.instances)
    assert {model.name for model in folder.iterdir()} == {*StageName, contract.ENSEMBLE} - {"ocr_detect"}
    assert "count: 6" in (folder / "ocr_recognize" / "config.pbtxt").read_text()


@pytest.mark.parametrize("stage", [StageName.OCR_DETECT, StageName.OCR_RECOGNIZE])
def test_the_nets_take_them(stage):
    parameters = stage_parameters(stage, {}, SETTINGS, directory="")
    assert len(parameters) == 1 + sum(name.startswith(f"{PREFIX}{stage.upper()}") for name in SETTINGS)
    del parameters["directory"]
    file = NetFile(find_weights("PP-OCRv6_small_rec").path, (127.5,) * 3, (127.5,) * 3, top1=True)
    net = open_net(file, engine="torch", device="cpu", **{**parameters, "batch": int(parameters["batch"])})
    assert net.batch == int(parameters["batch"]) > 1
