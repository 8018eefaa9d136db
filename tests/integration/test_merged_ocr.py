"""The repository's two layouts give one answer: OCR as two steps, and as one."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tritonclient.grpc as triton_grpc
from PIL import Image, ImageDraw

from gatepost_server.domain.errors import ErrorReason
from gatepost_server.domain.labels import StageName
from gatepost_server.tensors import contract
from gatepost_server.tensors.errors import decode_error
from gatepost_server.tensors.reports import decode_report
from tests.conftest import MODEL_REPOSITORY, running, triton_settings

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def merged(tmp_path_factory):
    yield from running(triton_settings(MODEL_REPOSITORY, tmp_path_factory.mktemp("merged"), layout="merged_ocr"))


def card(*lines):
    image = Image.new("RGB", (640, 480), "white")
    for row, line in enumerate(lines):
        ImageDraw.Draw(image).text((40, 60 + 120 * row), line, fill="black", font_size=56)
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def strings(tensor, *values):
    array = np.empty((1, len(values)), object)
    array[0, :] = values
    sent = triton_grpc.InferInput(tensor.name, list(array.shape), "BYTES")
    sent.set_data_from_numpy(array)
    return sent


def ask(server, image):
    inputs = [strings(contract.IMAGE, image), strings(contract.PROMPT, b""), strings(contract.EXPECTED)]
    answer = triton_grpc.InferenceServerClient(server.grpc_address).infer(contract.ENSEMBLE, inputs)
    return {each.name: answer.as_numpy(each.name)[0] for each in contract.ENSEMBLE_OUTPUTS}


@pytest.mark.parametrize("lines", [("HAPPY NEW YEAR", "from all of us"), ()], ids=["two lines", "no text"])
def test_both_layouts_see_the_same_and_say_who_saw_it(triton, merged, lines):
    apart, together = ask(triton, card(*lines)), ask(merged, card(*lines))
    assert len(apart["TEXTS"]) == len(lines)
    reports = {f"{stage.upper()}_REPORT" for stage in StageName}
    for name in apart.keys() - reports:
        assert np.array_equal(apart[name], together[name], equal_nan=apart[name].dtype == np.float32), name
    for name in reports:
        one, other = (decode_report(answer[name][0]) for answer in (apart, together))
        assert (one.stage, one.models, one.looked_at, one.skipped) == (
            other.stage,
            other.models,
            other.looked_at,
            other.skipped,
        )


def test_the_detector_is_no_model_of_its_own(merged):
    client = triton_grpc.InferenceServerClient(merged.grpc_address)
    loaded = {model.name for model in client.get_model_repository_index().models if model.state == "READY"}
    assert loaded == {*StageName, contract.ENSEMBLE} - {"ocr_detect"}


def test_an_image_that_cannot_be_read_is_refused_as_ever(merged):
    with pytest.raises(triton_grpc.InferenceServerException) as refused:
        ask(merged, card("x")[:200])
    assert decode_error(refused.value.message()).reason in (ErrorReason.IMAGE_TRUNCATED, ErrorReason.IMAGE_CORRUPT)
