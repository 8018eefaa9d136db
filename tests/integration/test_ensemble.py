"""The real models behind the real ensemble."""

from __future__ import annotations

import io
import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tritonclient.grpc as triton_grpc
from PIL import Image, ImageDraw

from gatepost_server.domain.errors import ErrorCode, GatepostError
from gatepost_server.domain.labels import StageName
from gatepost_server.tensors import contract
from gatepost_server.tensors.check import first_breach
from gatepost_server.tensors.errors import decode_error
from gatepost_server.tensors.reports import decode_report

pytestmark = pytest.mark.integration


def card(text="", size=(640, 480), form="PNG"):
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).text((40, 180), text, fill="black", font_size=64)
    data = io.BytesIO()
    image.save(data, form)
    return data.getvalue()


def strings(tensor, values):
    array = np.empty((1, len(values)), object)
    array[0, :] = values
    sent = triton_grpc.InferInput(tensor.name, list(array.shape), "BYTES")
    sent.set_data_from_numpy(array)
    return sent


@pytest.fixture(scope="module")
def moderate(triton):
    client = triton_grpc.InferenceServerClient(triton.grpc_address)

    def call(image, prompt=b"", expected=()):
        inputs = [
            strings(contract.IMAGE, [image]),
            strings(contract.PROMPT, [prompt]),
            strings(contract.EXPECTED, list(expected)),
        ]
        try:
            answer = client.infer(contract.ENSEMBLE, inputs)
        except triton_grpc.InferenceServerException as error:
            return decode_error(error.message())
        return {each.name: answer.as_numpy(each.name)[0] for each in contract.ENSEMBLE_OUTPUTS}

    return call


def texts(answer):
    return [text.decode() for text in answer["TEXTS"]]


def test_every_output_keeps_the_contract(moderate):
    answer = moderate(card("HAPPY NEW YEAR"), b"a card", [b"HAPPY NEW YEAR"])
    assert first_breach(contract.ENSEMBLE_OUTPUTS, answer) is None
    assert texts(answer) == ["HAPPY NEW YEAR"]
    assert answer["LINE_EXPECTED"].tolist() == pytest.approx([1.0])


def test_an_image_without_text_and_a_request_without_prompt_run_through_every_stage(moderate):
    answer = moderate(card())
    assert first_breach(contract.ENSEMBLE_OUTPUTS, answer) is None
    assert texts(answer) == []
    reports = [decode_report(answer[f"{stage.upper()}_REPORT"][0]) for stage in StageName]
    assert [report.stage for report in reports] == list(StageName)
    for before, after in itertools.pairwise(reports):
        if after.stage != StageName.CLIP:  # the branch beside the text
            assert before.started <= after.started


def test_bad_images_among_good_ones_fail_alone_and_answers_are_not_mixed_up(moderate):
    words = ["ALPHA", "BRAVO", "CHARLIE", "DELTA"]
    images = [
        card(words[0]),
        b"not an image",
        card(words[1], (512, 512)),
        b"",
        card(words[2], form="WEBP"),
        card(words[3]),
    ]
    with ThreadPoolExecutor(len(images)) as pool:
        answers = list(pool.map(moderate, images))
    failures = [answer for answer in answers if isinstance(answer, GatepostError)]
    assert [answers.index(failure) for failure in failures] == [1, 3]
    assert {failure.code for failure in failures} == {ErrorCode.INVALID_ARGUMENT}
    assert all(failure.field == "image" for failure in failures)
    assert [texts(answer) for answer in answers if not isinstance(answer, GatepostError)] == [[word] for word in words]
