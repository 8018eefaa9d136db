"""Coverage-guided fuzzing with atheris, of the decoder and of the wire mapping.

`python -m benchmarks.fuzz.structured decode|wire [libFuzzer's options]`; a crash leaves its input behind and ends the
process with an error. Decode starts from the seeds and damages them in its own ways, with right checksums in PNG, and
is instrumented down to the container readers. Wire reads requests and puts answers together as the gateway does.
"""

from __future__ import annotations

import random
import sys
import time
import warnings
from collections.abc import Callable

import atheris

from benchmarks.fuzz.children import HANG_CPU_S
from benchmarks.fuzz.damage import mended, mutate

Entry = Callable[[bytes], None]


class TooSlowError(Exception):
    """One input took more than 5 seconds of processor time."""


def decode_entry() -> Entry:
    """The whole decode step on one file: an answer of the contract or a typed refusal."""
    with atheris.instrument_imports(include=["gatepost_server.stages.decode", "PIL"]):
        from gatepost_server.domain.errors import ErrorCode, GatepostError
        from gatepost_server.stages.decode import DecodeStage
        from gatepost_server.stages.decode.limits import Limits
        from gatepost_server.stages.decode.stage import decode
        from gatepost_server.tensors.check import first_breach
    DecodeStage({})  # sets Pillow's filters
    limits = Limits()

    def entry(data: bytes) -> None:
        result = decode(data, limits)
        if isinstance(result, GatepostError):
            assert (result.code, result.field) == (ErrorCode.INVALID_ARGUMENT, "image"), result
            assert "/" not in result.message, result
        else:
            assert first_breach(DecodeStage.contract.outputs, result.arrays) is None

    return entry


def wire_entry() -> Entry:
    """Bytes as gRPC hands them over: a request that can be checked and mapped, or a typed status."""
    with atheris.instrument_imports(include=["gatepost_server.gateway", "gatepost_server.moderate.limits"]):
        from gatepost.v1 import moderation_pb2 as wire
        from gatepost_server.domain.errors import ErrorCode, GatepostError
        from gatepost_server.gateway.malformed import tolerant_decoder
        from gatepost_server.gateway.status import status_of
        from gatepost_server.gateway.wire import priority_from_wire, request_from_wire
        from gatepost_server.moderate.limits import RequestLimits, check_fields, check_image
        from gatepost_server.scoring.base import Priority
    limits = RequestLimits()
    decoders = [
        tolerant_decoder(message)
        for message in (wire.ModerateRequest, wire.ModerateStreamRequest, wire.GetVerdictRequest)
    ]

    def judge(message: object) -> None:
        if isinstance(message, wire.ModerateStreamRequest):
            message = message.request
        if isinstance(message, wire.ModerateRequest):
            request = request_from_wire(message, request_id=message.request_id or "fuzz")
            priority_from_wire(message, default=Priority.INTERACTIVE)
            check_fields(request, limits)
            check_image(request.image, limits)

    def refusal(message: object) -> GatepostError | None:
        if isinstance(message, GatepostError):
            return message
        try:
            judge(message)
        except GatepostError as error:
            return error
        return None

    def entry(data: bytes) -> None:
        decoder = decoders[data[0] % len(decoders)] if data else decoders[0]
        error = refusal(decoder(data[1:]))
        if error is not None:
            assert error.code is ErrorCode.INVALID_ARGUMENT, error
            assert status_of(error, request_id="fuzz", locale="zh").SerializeToString()

    return entry


def _bounded(entry: Entry) -> Entry:
    def timed(data: bytes) -> None:
        started = time.process_time()
        entry(data)
        if time.process_time() - started > HANG_CPU_S:
            raise TooSlowError

    return timed


def _image_mutator(data: bytes, most: int, seed: int) -> bytes:
    rng = random.Random(seed)
    # Half of the time libFuzzer's own mutations, which know what reached new code.
    return mutate(data, rng)[:most] if len(data) > 8 and rng.random() < 0.5 else mended(atheris.Mutate(data, most))


def main() -> None:
    """Fuzz until libFuzzer's options say stop."""
    warnings.simplefilter("ignore")
    role, options = sys.argv[1], [sys.argv[0], *sys.argv[2:]]
    if role == "decode":
        atheris.Setup(options, _bounded(decode_entry()), custom_mutator=_image_mutator)
    else:
        atheris.Setup(options, _bounded(wire_entry()))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
