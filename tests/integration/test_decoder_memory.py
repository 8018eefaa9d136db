"""A decoder at its memory limit, in a real stub: one image is refused or one stub restarted, and nothing else."""

from __future__ import annotations

import io
import threading
import time

import numpy as np
import pytest
import tritonclient.grpc as triton_grpc
from PIL import Image

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.serving.supervisor import Supervisor
from gatepost_server.tensors.errors import decode_error
from tests.conftest import MODEL_REPOSITORY, TINY_REPOSITORY, triton_settings

pytestmark = pytest.mark.integration


def supervised(settings):
    """A watched tritonserver; its stubs are restarted when they die."""
    supervisor, stop = Supervisor(settings), threading.Event()
    supervisor.start(stop)
    thread = threading.Thread(target=supervisor.run, args=[stop])
    thread.start()
    try:
        yield supervisor
    finally:
        stop.set()
        thread.join()
        supervisor.stop()


def decode(supervisor, image):
    """The step's answer, or the GatepostError that it carried."""
    array = np.empty((1, 1), object)
    array[0, 0] = image
    tensor = triton_grpc.InferInput("IMAGE", [1, 1], "BYTES")
    tensor.set_data_from_numpy(array)
    with triton_grpc.InferenceServerClient(supervisor.grpc_address) as client:
        try:
            return client.infer("decode", [tensor])
        except triton_grpc.InferenceServerException as error:
            return decode_error(error.message())


def png(width, height):
    out = io.BytesIO()
    Image.new("RGBA", (width, height), (200, 30, 40, 128)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    """The real decode step alone, with little memory."""
    repository = tmp_path_factory.mktemp("decode")
    (repository / "decode").symlink_to(MODEL_REPOSITORY / "decode")
    folder = tmp_path_factory.mktemp("triton")
    yield from supervised(triton_settings(repository, folder, parameters={"decode_memory_limit_mb": "400"}))


@pytest.fixture(scope="module")
def careless(tmp_path_factory):
    """A decode step that asks for a gigabyte on request; it may have half of one."""
    folder = tmp_path_factory.mktemp("tiny")
    yield from supervised(triton_settings(TINY_REPOSITORY, folder, parameters={"decode_memory_limit_mb": "500"}))


def test_an_image_over_the_limit_is_refused_and_the_same_stub_goes_on(decoder):
    (stub,) = decoder._stubs
    error = decode(decoder, png(7000, 7000))
    assert (error.code, error.reason, error.field) == (
        ErrorCode.INVALID_ARGUMENT,
        ErrorReason.IMAGE_TOO_MANY_PIXELS,
        "image",
    )
    assert "memory" in error.message
    assert not isinstance(decode(decoder, png(700, 700)), GatepostError)
    assert list(decoder._stubs) == [stub]


def test_python_code_over_the_limit_is_that_request_s_error(careless):
    error = decode(careless, b"hog")
    assert (error.code, error.reason) == (ErrorCode.INTERNAL, ErrorReason.MODEL_FAILED)
    assert not isinstance(decode(careless, b"one"), GatepostError)


def test_a_library_that_dies_of_the_limit_takes_one_stub_with_it_which_comes_back(careless):
    before = dict(careless._stubs)
    error = decode(careless, b"careless")
    assert (error.code, error.reason) == (ErrorCode.UNAVAILABLE, ErrorReason.MODEL_SERVER_UNAVAILABLE)
    assert careless.server.exit_code() is None
    deadline = time.monotonic() + 60
    while isinstance(decode(careless, b"one"), GatepostError) or careless._stubs.keys() == before.keys():
        assert time.monotonic() < deadline, "the stub did not come back"
    assert [before[pid] for pid in before.keys() & careless._stubs.keys()] == ["fusion"]
