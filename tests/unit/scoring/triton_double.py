"""A Triton without models: speaks the inference protocol on a real socket and answers as told."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import numpy as np
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import np_to_triton_dtype, serialize_byte_tensor

from gatepost_server.tensors.errors import encode_error


class TritonDouble(service_pb2_grpc.GRPCInferenceServiceServicer):
    """`answers` are ensemble outputs without the batch dimension; `error` or `abort` replace them."""

    def __init__(self) -> None:
        self.answers: dict[str, np.ndarray] = {}
        self.error: Any = None  # a GatepostError, as a stage would report it
        self.abort: tuple[grpc.StatusCode, str] | None = None
        self.delay_s = 0.0
        self.is_ready = True
        self.requests: list[service_pb2.ModelInferRequest] = []
        self.metadata: list[dict[str, Any]] = []
        self.cancelled = asyncio.Event()

    async def start(self) -> str:
        """Serve; the address."""
        self._server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
        service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(self, self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()
        return f"127.0.0.1:{port}"

    async def stop(self) -> None:
        await self._server.stop(None)

    async def ModelReady(self, request, context):
        return service_pb2.ModelReadyResponse(ready=self.is_ready)

    async def ModelInfer(self, request, context):
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        try:
            await asyncio.sleep(self.delay_s)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        if self.error is not None:
            code = grpc.StatusCode[self.error.code]
            await context.abort(code, f"in ensemble 'moderate', {encode_error(self.error)}")
        if self.abort is not None:
            await context.abort(*self.abort)
        response = service_pb2.ModelInferResponse(model_name=request.model_name, id=request.id)
        for output in request.outputs:
            if output.name in self.answers:
                self._add(response, output.name, self.answers[output.name][np.newaxis])
        return response

    def _add(self, response: service_pb2.ModelInferResponse, name: str, array: np.ndarray) -> None:
        tensor = response.outputs.add(name=name, datatype=np_to_triton_dtype(array.dtype), shape=array.shape)
        del tensor
        if array.dtype == object:
            serialized = serialize_byte_tensor(array)
            response.raw_output_contents.append(serialized.item() if serialized.size else b"")
        else:
            response.raw_output_contents.append(array.tobytes())
