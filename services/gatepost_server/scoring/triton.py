"""A Scorer over a Triton server that runs the ensemble `moderate`. Only this module knows tritonclient."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import InferInput, InferRequestedOutput, InferResult
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from gatepost_server.domain.decision import ModerationRequest
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.evidence import Evidence
from gatepost_server.scoring.base import Priority
from gatepost_server.scoring.spans import carried
from gatepost_server.tensors import contract
from gatepost_server.tensors.codec import decode_evidence
from gatepost_server.tensors.errors import decode_error

RETRY_AFTER_S = 1.0
_LAST_ANSWERS_S = 5.0  # how long `close` waits for calls that nobody waits for any more
_READY_TIMEOUT_S = 2.0
_QUEUE_TIMEOUT = "Request timeout expired"  # Triton's words for a request that waited too long
_STATUS = re.compile(r"^StatusCode\.([A-Z_]+)$")
_CODES: Mapping[str, ErrorCode] = {code.value: code for code in ErrorCode}


@dataclass(frozen=True, slots=True)
class TritonEndpoint:
    """Where Triton listens for gRPC, and how large a message may be (bytes)."""

    address: str = "127.0.0.1:8001"
    max_message_bytes: int = 64 << 20
    root_certificates: bytes | None = None  # PEM; None: no TLS
    private_key: bytes | None = None  # PEM, for mutual TLS
    certificate_chain: bytes | None = None  # PEM, for mutual TLS


class TritonScorer:
    """Sends one ensemble call for each image. Must be built inside the event loop that uses it.

    A call that was sent is never cancelled, and has no gRPC deadline, which cancels too: Triton 2.51 ends in a
    segmentation fault when a cancellation meets the answer (docs/adr/0012). Whoever waits is let go in time; the
    call's queue time-out takes it out of Triton's queues; until it ends it keeps its place among `max_calls`.
    """

    def __init__(self, endpoint: TritonEndpoint, *, max_calls: int = 64) -> None:
        self._max_calls = max_calls
        self._calls: set[asyncio.Task[InferResult]] = set()
        credentials = None
        if endpoint.root_certificates is not None:
            credentials = grpc.ssl_channel_credentials(
                endpoint.root_certificates, endpoint.private_key, endpoint.certificate_chain
            )
        self._client = InferenceServerClient(
            endpoint.address,
            ssl=credentials is not None,
            creds=credentials,
            channel_args=[
                ("grpc.max_send_message_length", endpoint.max_message_bytes),
                ("grpc.max_receive_message_length", endpoint.max_message_bytes),
                # Reconnect at once when a restarted server is back; gRPC's own back-off grows to two minutes.
                ("grpc.initial_reconnect_backoff_ms", 100),
                ("grpc.max_reconnect_backoff_ms", 1_000),
            ],
        )

    async def score(
        self, request: ModerationRequest, *, timeout_s: float, priority: Priority = Priority.INTERACTIVE
    ) -> Evidence:
        """As Scorer.score."""
        if timeout_s <= 0.0:
            raise deadline_exceeded()
        if len(self._calls) >= self._max_calls:
            raise busy()
        names = output_names(embedding=request.want_embedding)
        call = asyncio.create_task(
            self._client.infer(
                contract.ENSEMBLE,
                _inputs(request),
                outputs=[InferRequestedOutput(name) for name in names],
                request_id=request.request_id,
                priority=int(priority),
                timeout=int(timeout_s * 1e6),  # microseconds, of each step's queue
                headers=carried(),
            )
        )
        self._calls.add(call)
        call.add_done_callback(self._ended)
        await asyncio.wait({call}, timeout=timeout_s)  # leaves the call alone when it is itself cancelled
        if not call.done():
            raise deadline_exceeded()
        try:
            result = call.result()
        except InferenceServerException as error:
            raise as_gatepost_error(error) from error
        return decode_evidence(_arrays(result, names))

    def _ended(self, call: asyncio.Task[InferResult]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # of a call that nobody waits for any more: seen, so that asyncio does not complain

    async def ready(self) -> bool:
        """Whether the server and the whole ensemble are ready."""
        try:
            return bool(await self._client.is_model_ready(contract.ENSEMBLE, client_timeout=_READY_TIMEOUT_S))
        except InferenceServerException:
            return False

    async def close(self) -> None:
        """Close the channel, after the calls that are still out or a few seconds."""
        if self._calls:
            await asyncio.wait(set(self._calls), timeout=_LAST_ANSWERS_S)
        await self._client.close()


def output_names(*, embedding: bool) -> list[str]:
    """The ensemble outputs to ask for: the embedding costs bytes and is left out unless wanted."""
    return [t.name for t in contract.ENSEMBLE_OUTPUTS if embedding or t is not contract.EMBEDDING]


def busy() -> GatepostError:
    """As many calls are out as may be; some may be those of callers who have left."""
    return GatepostError(
        ErrorCode.RESOURCE_EXHAUSTED,
        ErrorReason.OVERLOADED,
        "too many images are being judged",
        retry_after_s=RETRY_AFTER_S,
    )


def deadline_exceeded() -> GatepostError:
    """The caller's time ran out before the models answered."""
    return GatepostError(
        ErrorCode.DEADLINE_EXCEEDED, ErrorReason.DEADLINE, "the deadline passed before the image was judged"
    )


def as_gatepost_error(error: InferenceServerException) -> GatepostError:
    """What went wrong, from Triton's status and the JSON that a stage may have put in its message."""
    match = _STATUS.match(str(error.status() or ""))
    status = match[1] if match else "INTERNAL"
    if status == "DEADLINE_EXCEEDED" or (status == "UNAVAILABLE" and _QUEUE_TIMEOUT in (error.message() or "")):
        return deadline_exceeded()
    reported = decode_error(error.message() or "", code=_CODES.get(status, ErrorCode.INTERNAL))
    if reported.reason is not ErrorReason.MODEL_FAILED:
        return reported
    if status == "UNAVAILABLE":
        return GatepostError(
            ErrorCode.UNAVAILABLE,
            ErrorReason.MODEL_SERVER_UNAVAILABLE,
            "the model server does not answer",
            retry_after_s=RETRY_AFTER_S,
        )
    # Whatever Triton itself says of a request that the gateway made is the gateway's fault, not the caller's.
    return GatepostError(ErrorCode.INTERNAL, ErrorReason.MODEL_FAILED, "a model did not answer")


def _inputs(request: ModerationRequest) -> list[InferInput]:
    return [
        _text_input(contract.IMAGE, [request.image]),
        _text_input(contract.PROMPT, [request.prompt.encode()]),
        _text_input(contract.EXPECTED, [text.encode() for text in request.expected_text]),
    ]


def _text_input(tensor: contract.Tensor, values: Sequence[bytes]) -> InferInput:
    array = np.empty((1, len(values)), dtype=np.object_)
    array[0, :] = values
    tensor_input = InferInput(tensor.name, array.shape, "BYTES")
    tensor_input.set_data_from_numpy(array)
    return tensor_input


def _arrays(result: InferResult, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The outputs without the batch dimension. An output that Triton left out stays out: the codec says which."""
    arrays: dict[str, NDArray[Any]] = {}
    for name in names:
        array = result.as_numpy(name)
        if array is not None and array.ndim and len(array) == 1:
            arrays[name] = array[0]
    return arrays
