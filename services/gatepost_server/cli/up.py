"""The whole service in one process tree: this process is the gateway and Triton's supervisor.

    gatepostd up                gateway and review console (this thread), supervisor (a thread)
    └── tritonserver            ends with this process, however that ends
        └── a Python stub for each model instance

The gateway listens while the models load (health: NOT_SERVING). On SIGTERM it drains, and only then is Triton
stopped. Where either part ends for good, so does the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from threading import Event

from gatepost_server.cli.stopping import SIGNALS
from gatepost_server.gateway.metrics import Metrics
from gatepost_server.gateway.server import Addresses, serve
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.scoring.triton import TritonEndpoint, TritonScorer
from gatepost_server.serving.server import StoppedError
from gatepost_server.serving.supervisor import Supervisor


class TritonLostError(RuntimeError):
    """tritonserver ended and could not be brought back."""


async def run_up(
    supervisor: Supervisor,
    gateway: GatewaySettings,
    ready: Callable[[Mapping[str, str]], None],
    *,
    console: AbstractAsyncContextManager[str] | None = None,
    metrics: Metrics | None = None,
) -> None:
    """Run until SIGTERM or SIGINT; `ready` gets addresses by name once images can be judged.

    `console` serves the review console and gives its address; None: there is none. `metrics` are those that the
    supervisor tells of restarts.

    Raises TritonLostError, and whatever kept either part from starting.
    """
    loop = asyncio.get_running_loop()
    drain, stop_triton = asyncio.Event(), Event()
    for number in SIGNALS:
        loop.add_signal_handler(number, drain.set)

    address: asyncio.Future[Addresses] = loop.create_future()
    serving = asyncio.Event()
    # Its thread lives as long as the loop. It must: the server is bound to the thread that started it.
    supervising = loop.run_in_executor(None, _supervise, supervisor, stop_triton)
    supervising.add_done_callback(lambda _: drain.set())
    scorer = TritonScorer(
        TritonEndpoint(address=supervisor.grpc_address, max_message_bytes=gateway.max_message_bytes),
        max_calls=gateway.scorer_calls,
    )

    async def announce(pages: str | None) -> None:
        await serving.wait()
        ready((await address).told() | ({} if pages is None else {"console": f"http://{pages}"}))

    try:
        async with console if console is not None else nullcontext() as pages:
            announcing = asyncio.create_task(announce(pages))
            try:
                await serve(
                    gateway.model_copy(update={"triton": supervisor.grpc_address}),  # for its log
                    ready=address.set_result,
                    stop=drain,
                    scorer=scorer,
                    serving=serving.set,
                    metrics=metrics,
                )
            finally:
                announcing.cancel()
    finally:
        await scorer.close()
        stop_triton.set()
        await supervising


def _supervise(supervisor: Supervisor, stop: Event) -> None:
    try:
        supervisor.start(stop)
        if not supervisor.run(stop):
            raise TritonLostError("tritonserver ended and did not come back")
    except StoppedError:
        return
    finally:
        supervisor.stop()
