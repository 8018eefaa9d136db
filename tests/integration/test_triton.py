"""A real tritonserver over stages without nets: what goes wrong around stages, and what is left afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc as triton_grpc

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.serving.server import TritonFailedError, TritonServer
from gatepost_server.serving.shared_memory import FOLDER, NAME
from gatepost_server.serving.stubs import find_stubs
from gatepost_server.serving.supervisor import Supervisor
from gatepost_server.tensors.errors import decode_error
from gatepost_server.tensors.reports import decode_report

pytestmark = pytest.mark.integration


def wait_until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def regions(server):
    return [path.name for path in FOLDER.iterdir() if path.name.startswith(server._memory.prefix)]


def strings(name, values):
    array = np.empty((1, len(values)), object)
    array[0, :] = values
    tensor = triton_grpc.InferInput(name, list(array.shape), "BYTES")
    tensor.set_data_from_numpy(array)
    return tensor


class Caller:
    """Sends "images" to the tiny ensemble; a failure comes back as the GatepostError that it carried."""

    def __init__(self, address):
        self._client = triton_grpc.InferenceServerClient(address)

    def __call__(self, image, expected=(), **options):
        try:
            return self._client.infer(
                "moderate", [strings("IMAGE", [image]), strings("EXPECTED", list(expected))], **options
            )
        except triton_grpc.InferenceServerException as error:
            return decode_error(error.message())

    def all_at_once(self, images):
        with ThreadPoolExecutor(len(images)) as pool:
            return list(pool.map(self, images))


@pytest.fixture(scope="module")
def tiny(start_tiny_triton):
    return start_tiny_triton()


@pytest.fixture(scope="module")
def call(tiny):
    return Caller(tiny.grpc_address)


def test_a_bad_image_in_a_batch_with_good_ones_fails_alone(call):
    bad, *good = call.all_at_once([b"bad", b"one", b"one two", b""])
    assert isinstance(bad, GatepostError)
    assert (bad.code, bad.reason, bad.field) == (ErrorCode.INVALID_ARGUMENT, ErrorReason.IMAGE_CORRUPT, "image")
    assert [answer.as_numpy("SCORES")[0, 0] for answer in good] == [1, 2, 0]


def test_requests_that_meet_share_a_batch_though_their_sizes_differ(call):
    answers = call.all_at_once([b"a b c", b"", b"d", b"e f"])
    assert [answer.as_numpy("TEXTS").shape for answer in answers] == [(1, 3), (1, 0), (1, 1), (1, 2)]
    batches = [decode_report(answer.as_numpy("DECODE_REPORT")[0, 0]).looked_at["batch"] for answer in answers]
    assert max(batches) > 1


def test_reports_of_all_steps_lie_on_one_clock(call):
    before = time.monotonic()
    answer = call(b"one")
    after = time.monotonic()
    decode, fusion = (decode_report(answer.as_numpy(f"{stage}_REPORT")[0, 0]) for stage in ("DECODE", "FUSION"))
    times = [before, decode.started, decode.ended, fusion.started, fusion.ended, after]
    assert times == sorted(times)


def test_an_urgent_request_overtakes_those_that_wait(call):
    def started(answer):
        return decode_report(answer.as_numpy("DECODE_REPORT")[0, 0]).started

    with ThreadPoolExecutor(32) as pool:
        pool.submit(call, b"slow")
        time.sleep(0.2)  # more than the queue delay: the instance is busy now
        waiting = [pool.submit(call, b"one", priority=3) for _ in range(20)]
        time.sleep(0.1)
        urgent = pool.submit(call, b"two", priority=1)
        others = [started(each.result()) for each in waiting]
        assert started(urgent.result()) == min(others)
        assert started(urgent.result()) < max(others)


@pytest.mark.parametrize(
    ("image", "reason"), [(b"raise", ErrorReason.MODEL_FAILED), (b"nan", ErrorReason.MODEL_OUTPUT_INVALID)]
)
def test_a_stage_s_own_fault_is_an_internal_error_without_its_words(call, image, reason):
    error = call(image)
    assert (error.code, error.reason) == (ErrorCode.INTERNAL, reason)
    assert "secret" not in error.message
    assert "/" not in error.message


def test_expected_texts_may_be_none_or_many(call):
    assert call(b"x").as_numpy("SCORES")[0, 1] == 0
    assert call(b"x", [b"", "新年快乐".encode()]).as_numpy("SCORES")[0, 1] == 2


def test_settings_reach_the_stage_and_the_instance_count(start_tiny_triton):
    server = start_tiny_triton(instances={"decode": 2}, parameters={"decode_suffix": "!"})
    assert sorted(find_stubs(server.pid).values()) == ["decode", "decode", "fusion"]
    assert Caller(server.grpc_address)(b"one").as_numpy("TEXTS").tolist() == [[b"one!"]]


def test_a_stopped_server_leaves_no_process_and_no_shared_memory(start_tiny_triton):
    server = start_tiny_triton()
    stubs = find_stubs(server.pid)
    assert len(stubs) == 2
    assert len(regions(server)) == 3  # one for each stub, and the lock
    server.stop()
    assert server.exit_code() == 0
    assert not regions(server)
    assert not any(Path(f"/proc/{pid}").exists() for pid in (server.pid, *stubs))


def test_a_killed_server_s_stubs_and_shared_memory_go_too(start_tiny_triton):
    server = start_tiny_triton()
    stubs = find_stubs(server.pid)
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: server.exit_code() is not None)
    server.stop()
    assert not regions(server)
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in stubs))


def test_a_port_that_is_taken_is_said_so(start_tiny_triton, tiny):
    port = int(tiny.grpc_address.split(":")[1])
    with pytest.raises(TritonFailedError, match=rf"127\.0\.0\.1:{port}"):
        start_tiny_triton(grpc_port=port)


@pytest.fixture
def supervised(tiny_settings):
    supervisor, stop = Supervisor(tiny_settings(parameters={"hang_s": "3"})), threading.Event()
    supervisor.start(stop)
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(supervisor.run(stop)))
    thread.start()
    yield supervisor
    stop.set()
    thread.join()
    supervisor.stop()
    assert outcome == [True]


def test_a_killed_stub_is_back_within_seconds(supervised):
    call = Caller(supervised.server.grpc_address)
    error = call(b"die")
    assert (error.code, error.reason) == (ErrorCode.UNAVAILABLE, ErrorReason.MODEL_SERVER_UNAVAILABLE)
    killed = time.monotonic()
    wait_until(lambda: not isinstance(call(b"one"), GatepostError))
    assert time.monotonic() - killed < 5


def test_a_model_that_hangs_is_ended_and_brought_back(supervised):
    call = Caller(supervised.server.grpc_address)
    assert not isinstance(call(b"one"), GatepostError)  # the first batch may take four times as long
    error = call(b"hang")
    assert (error.code, error.reason) == (ErrorCode.UNAVAILABLE, ErrorReason.MODEL_SERVER_UNAVAILABLE)
    wait_until(lambda: not isinstance(call(b"one"), GatepostError))


def test_a_killed_server_is_back_at_the_same_address(supervised):
    first = supervised.server
    call = Caller(first.grpc_address)
    os.kill(first.pid, signal.SIGKILL)
    wait_until(lambda: first.exit_code() is not None and not isinstance(call(b"one"), GatepostError))
    assert supervised.server.pid != first.pid
    assert supervised.server.grpc_address == first.grpc_address
    assert not regions(first)


OWNER = """
import sys, threading, time
from pathlib import Path
from gatepost_server.serving.server import TritonServer
from gatepost_server.serving.settings import TritonSettings
folder = Path(sys.argv[2])
server = TritonServer(TritonSettings(Path(sys.argv[1]), cache=folder / "cache", log_file=folder / "log"))
server.wait_ready(threading.Event())
print(server.pid, server._memory.prefix, flush=True)
time.sleep(60)
"""


def test_a_killed_owner_leaves_no_server_behind_and_the_next_start_clears_its_shared_memory(tiny_settings, tmp_path):
    settings = tiny_settings()
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(settings.repository), str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as owner:
        pid, prefix = owner.stdout.readline().split()
        owner.kill()
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), 15)
    assert prefix.startswith(NAME)
    server = TritonServer(settings)
    server.stop()
    assert not list(FOLDER.glob(f"{prefix}*"))
