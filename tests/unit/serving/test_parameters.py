"""Where a stage's parameters come from."""

from __future__ import annotations

import pytest

from gatepost_server.domain.labels import StageName
from gatepost_server.serving.parameters import stage_parameters

CONFIG = {"parameters": {"Device": {"string_value": "auto"}, "side": {"string_value": "736"}}}


def parameters(environment, stage=StageName.CLIP):
    return stage_parameters(stage, CONFIG, environment, directory="/models/clip/1")


def test_config_pbtxt_is_the_default():
    assert parameters({}) == {"device": "auto", "side": "736", "directory": "/models/clip/1"}


def test_the_environment_wins_and_the_stage_s_own_variable_wins_over_the_common_one():
    environment = {"GATEPOST_MODEL_DEVICE": "cpu", "GATEPOST_MODEL_SIDE": "512", "GATEPOST_MODEL_CLIP_SIDE": "224"}
    assert parameters(environment) == {"device": "cpu", "side": "224", "directory": "/models/clip/1"}


@pytest.mark.parametrize("stage", [StageName.CLIP, StageName.OCR_DETECT])
def test_a_stage_never_sees_another_s_variables(stage):
    environment = {"GATEPOST_MODEL_OCR_DETECT_SIDE": "1024"}
    seen = parameters(environment, stage)
    assert seen["side"] == ("1024" if stage == StageName.OCR_DETECT else "736")
    assert "ocr_detect_side" not in seen


def test_a_model_without_parameters_and_unrelated_variables_are_fine():
    assert stage_parameters(StageName.DECODE, {}, {"GATEPOST_PORT": "1", "PATH": "/bin"}, directory="d") == {
        "directory": "d"
    }
