"""The shell between Triton and a stage, over a stand-in for pb_utils."""

from __future__ import annotations

import contextlib
import importlib
import json

import numpy as np
import pytest

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError, invalid
from gatepost_server.domain.evidence import ModelVersion, Skipped
from gatepost_server.domain.labels import StageName
from gatepost_server.serving.hang import DEFAULT_S
from gatepost_server.stages.base import StageResult, text_array
from gatepost_server.tensors import contract
from gatepost_server.tensors.errors import decode_error
from gatepost_server.tensors.reports import decode_report

CONTRACT = contract.ModelContract(
    StageName.DECODE, (contract.IMAGE, contract.EXPECTED), (contract.TEXTS, contract.JOINED_SCORES)
)
GOOD = StageResult({"TEXTS": text_array(["字", ""]), "JOINED_SCORES": np.zeros(contract.C, np.float32)})


class Scripted:
    """Answers what the test put into `answers`, and remembers what it was asked."""

    contract = CONTRACT
    models = (ModelVersion("net", "1"),)
    answers = ()

    def __init__(self, parameters):
        self.parameters = parameters
        self.seen = None

    def run(self, items):
        self.seen = items
        if isinstance(self.answers, Exception):
            raise self.answers
        return self.answers


@pytest.fixture
def shell_module(pb_utils):
    return importlib.import_module("gatepost_server.serving.shell")


@pytest.fixture
def shell(shell_module):
    class Model(shell_module.StageShell):
        stage_type = Scripted

    model = Model()
    config = {"parameters": {"side": {"string_value": "736"}}}
    model.initialize({"model_repository": "/models/decode", "model_version": "1", "model_config": json.dumps(config)})
    return model


@pytest.fixture
def request_of(pb_utils):
    def make(image=b"image", expected=(), batch=1):
        texts = np.empty((batch, len(expected)), object)
        texts[:] = list(expected)
        images = np.full((batch, 1), image, object)
        return pb_utils.InferenceRequest([pb_utils.Tensor("IMAGE", images), pb_utils.Tensor("EXPECTED", texts)])

    return make


def answer(shell, answers, requests):
    shell._stage.answers = answers
    return shell.execute(requests)


def outputs(response):
    assert not response.has_error()
    return {tensor.name(): tensor.as_numpy() for tensor in response.output_tensors()}


def error(response):
    return decode_error(response.error().message())


def test_a_stage_sees_one_request_at_a_time_without_a_batch_dimension(shell, request_of):
    answer(shell, [GOOD, GOOD], [request_of(b"a", ["x", "y"]), request_of(b"b")])
    first, second = shell._stage.seen
    assert first["IMAGE"].tolist() == [b"a"]
    assert first["EXPECTED"].tolist() == [b"x", b"y"]
    assert second["EXPECTED"].shape == (0,)


def test_outputs_get_the_batch_dimension_back(shell, request_of):
    (response,) = answer(shell, [GOOD], [request_of()])
    arrays = outputs(response)
    assert arrays["TEXTS"].tolist() == [["字".encode(), b""]]
    assert arrays["JOINED_SCORES"].shape == (1, contract.C)


def test_every_answer_carries_the_stage_s_own_account(shell, request_of):
    result = StageResult(GOOD.arrays, looked_at={"views": 3}, skipped=(Skipped("frame 4", "too many frames"),))
    (response,) = answer(shell, [result], [request_of()])
    report = decode_report(outputs(response)["DECODE_REPORT"][0, 0])
    assert report.stage == StageName.DECODE
    assert report.models == (ModelVersion("net", "1"),)
    assert report.looked_at == {"views": 3}
    assert report.skipped == (Skipped("frame 4", "too many frames"),)
    assert 0 < report.started <= report.ended


def test_one_bad_image_does_not_sink_its_neighbours(shell, request_of, pb_utils):
    bad = invalid(ErrorReason.IMAGE_CORRUPT, "not an image", field="image")
    first, second, third = answer(shell, [GOOD, bad, GOOD], [request_of() for _ in range(3)])
    assert "TEXTS" in outputs(first)
    assert "TEXTS" in outputs(third)
    assert second.error().code() == pb_utils.TritonError.INVALID_ARG
    assert error(second).reason == ErrorReason.IMAGE_CORRUPT
    assert error(second).field == "image"


def test_a_stage_that_raises_fails_every_waiter_and_tells_none_of_them_where(shell, request_of, pb_utils):
    responses = answer(shell, RuntimeError("/srv/models: the text of the image"), [request_of(), request_of()])
    assert [response.error().code() for response in responses] == [pb_utils.TritonError.INTERNAL] * 2
    for response in responses:
        assert error(response).reason == ErrorReason.MODEL_FAILED
        assert "/" not in response.error().message()


def test_the_log_of_a_failure_says_where_but_not_what_the_image_said(shell, request_of, pb_utils):
    answer(shell, RuntimeError("the text of the image"), [request_of()])
    (line,) = pb_utils.Logger.errors
    assert "RuntimeError" in line
    assert "in run" in line
    assert "the text of the image" not in line


def test_too_few_results_fail_every_waiter(shell, request_of):
    responses = answer(shell, [GOOD], [request_of(), request_of()])
    assert [error(response).reason for response in responses] == [ErrorReason.MODEL_FAILED] * 2


def test_an_output_that_breaks_the_contract_never_leaves_the_model(shell, request_of):
    infinite = StageResult({**GOOD.arrays, "JOINED_SCORES": np.full(contract.C, np.inf, np.float32)})
    broken, whole = answer(shell, [infinite, GOOD], [request_of(), request_of()])
    assert error(broken).reason == ErrorReason.MODEL_OUTPUT_INVALID
    assert error(broken).code == ErrorCode.INTERNAL
    assert "JOINED_SCORES" in outputs(whole)


def test_a_request_of_two_images_is_refused_and_the_stage_never_sees_it(shell, request_of):
    refused, served = answer(shell, [GOOD], [request_of(batch=2), request_of(b"other")])
    assert error(refused).code == ErrorCode.INVALID_ARGUMENT
    assert "TEXTS" in outputs(served)
    assert [item["IMAGE"].tolist() for item in shell._stage.seen] == [[b"other"]]


def test_the_stage_gets_its_parameters_and_its_folder(shell):
    assert shell._stage.parameters == {"side": "736", "directory": "/models/decode/1"}


@pytest.mark.parametrize("code", ErrorCode)
def test_every_kind_of_error_has_a_code_of_triton_s(code, shell, request_of, pb_utils):
    failure = GatepostError(code, ErrorReason.OVERLOADED, "busy", retry_after_s=1.5)
    (response,) = answer(shell, [failure], [request_of()])
    assert response.error().code() in range(8)
    assert error(response).code == code
    assert error(response).retry_after_s == 1.5


def test_a_numpy_that_the_backend_misreads_stops_the_model_from_loading(shell_module, monkeypatch):
    monkeypatch.setattr(shell_module.np, "__version__", "2.1.0")
    with pytest.raises(RuntimeError, match="numpy < 2"):
        shell_module.check_tensors_survive()


def test_tensors_that_come_back_changed_stop_the_model_from_loading(shell_module, pb_utils, monkeypatch):
    monkeypatch.setattr(pb_utils.Tensor, "as_numpy", lambda self: self._array[..., ::-1])
    with pytest.raises(RuntimeError, match="came back changed"):
        shell_module.check_tensors_survive()


def test_only_the_first_batch_may_take_longer_than_a_hang(shell, shell_module, request_of, monkeypatch):
    limits = []

    @contextlib.contextmanager
    def watch(limit_s):
        limits.append(limit_s)
        yield

    monkeypatch.setattr(shell_module, "ends_process_after", watch)
    for _ in range(3):
        answer(shell, [GOOD], [request_of()])
    assert limits == [4 * DEFAULT_S, DEFAULT_S, DEFAULT_S]
