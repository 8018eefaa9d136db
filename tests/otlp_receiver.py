"""An OTLP receiver on a real socket: gathers the spans that are sent to it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Receiver(trace_service_pb2_grpc.TraceServiceServicer):
    """`spans` as they came; `address` is what `otlp` is to be set to."""

    def __init__(self) -> None:
        self.address = ""
        self.spans: list[Span] = []
        self.services: set[str] = set()
        self._came = threading.Condition()

    def Export(self, request, context):
        with self._came:
            for each in request.resource_spans:
                named = {pair.key: pair.value.string_value for pair in each.resource.attributes}
                self.services.add(named["service.name"])
                for scope in each.scope_spans:
                    self.spans.extend(scope.spans)
            self._came.notify_all()
        return trace_service_pb2.ExportTraceServiceResponse()

    def named(self, name: str) -> list[Span]:
        """Those of that name."""
        return [span for span in self.spans if span.name == name]

    def one(self, name: str) -> Span:
        """The only one of that name."""
        (span,) = self.named(name)
        return span


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """Listens on a free port until the block ends."""
    receiver = Receiver()
    server = grpc.server(ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(receiver, server)
    receiver.address = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield receiver
    finally:
        server.stop(None).wait()


def attributes(span: Span) -> dict[str, object]:
    """A span's attributes, as plain values."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes}
