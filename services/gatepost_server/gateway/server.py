"""The gateway's life: build, serve, drain, stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import grpc
import structlog
import uvloop
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import SERVICE_NAME as HEALTH
from grpc_health.v1.health import aio as health_aio  # type: ignore[attr-defined] # missing in the stubs
from grpc_health.v1.health_pb2 import HealthCheckResponse
from grpc_reflection.v1alpha import reflection
from opentelemetry.trace import Tracer

from gatepost.v1 import moderation_pb2_grpc, policy_pb2_grpc, ticket_pb2_grpc, verdict_pb2
from gatepost_server.domain.errors import GatepostError
from gatepost_server.gateway import http
from gatepost_server.gateway.admission import Admission, AdmissionLimits
from gatepost_server.gateway.allowance import Allowance
from gatepost_server.gateway.bank import kept_bank
from gatepost_server.gateway.canaries import open_canaries
from gatepost_server.gateway.credentials import configured
from gatepost_server.gateway.credentials.authenticator import Authenticator
from gatepost_server.gateway.credentials.interceptor import CallerInterceptor
from gatepost_server.gateway.health import CANARIES, MODELS, MODERATION, POLICY, TICKETS, not_serving, watch
from gatepost_server.gateway.images import ImageFetcher
from gatepost_server.gateway.interceptors import AdmissionInterceptor, ErrorInterceptor
from gatepost_server.gateway.memory import release_large_blocks
from gatepost_server.gateway.metrics import Metrics
from gatepost_server.gateway.observing import ObservingInterceptor
from gatepost_server.gateway.record import kept_record
from gatepost_server.gateway.servicers import ModerationServicer, PolicyServicer, Timing
from gatepost_server.gateway.settings import GatewaySettings, TlsSettings
from gatepost_server.gateway.tenants import Tenants, check_shadows, open_tenants
from gatepost_server.gateway.ticket_keys import TicketKeyServicer
from gatepost_server.gateway.tracing import open_tracer
from gatepost_server.gateway.traffic import Traffic
from gatepost_server.gateway.usage import kept_usage
from gatepost_server.gateway.watching import Watching
from gatepost_server.moderate.limits import RequestLimits
from gatepost_server.moderate.moderator import Moderator
from gatepost_server.moderate.nearline import Nearline, NearlineLimits
from gatepost_server.moderate.once import Once
from gatepost_server.moderate.recorder import Recorder
from gatepost_server.moderate.shadow import Shadows
from gatepost_server.policy.book import open_book
from gatepost_server.records.backlog import BacklogLimits
from gatepost_server.records.database import DatabaseUrlError
from gatepost_server.records.sql_backlog import SqlBacklog
from gatepost_server.records.store import MemoryVerdictStore
from gatepost_server.scoring.base import Scorer
from gatepost_server.scoring.observed import ObservedScorer
from gatepost_server.scoring.paced import PacedScorer
from gatepost_server.scoring.remembered import RememberedScorer
from gatepost_server.scoring.triton import TritonEndpoint, TritonScorer
from gatepost_server.scoring.trusted import TrustedScorer
from gatepost_server.text.temper import read_abuse
from gatepost_server.tickets.folder import KeyFolder, RingError
from gatepost_server.tickets.sign import TicketSigner

_WINDOW_BYTES = 1 << 20
_UNHURRIED = 0.8  # of the grace period; what is not judged by then is held
_CLOSE_S = 1.0  # for what remains on the wire once nothing is inside

_log = structlog.get_logger("gatepost.gateway")


class ListenError(RuntimeError):
    """The address cannot be served on."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a gateway listens, host:port each. `http` is None where there is no page."""

    grpc: str
    http: str | None = None

    def told(self) -> dict[str, str]:
        """By name, those that there are."""
        return {"grpc": self.grpc} | ({} if self.http is None else {"http": self.http})


async def serve(
    settings: GatewaySettings,
    *,
    ready: Callable[[Addresses], None] | None = None,
    stop: asyncio.Event | None = None,
    scorer: Scorer | None = None,
    serving: Callable[[], None] = lambda: None,
    metrics: Metrics | None = None,
) -> None:
    """Serve until `stop` is set (SIGTERM and SIGINT by default), drain, return.

    `ready` gets the addresses as soon as the ports are open; `serving` is called when images can be judged, each time
    anew. `scorer` is Triton's unless given, `metrics` the gateway's own. Raises PolicyError, ListenError, OSError (TLS
    files, ring of keys), FileError (credentials, tenants).
    """
    release_large_blocks()
    _log.info("starting", settings=settings.printable())
    policies = open_book(settings.policies, default=settings.default_policy)
    tenants = open_tenants(settings.tenants, policies)
    check_shadows(settings.shadow_policies, policies)
    callers = configured.authenticator(settings, tenants)
    configured.warn(settings, everybody=callers.open)
    signer = _signer(settings)
    metrics = metrics if metrics is not None else Metrics()
    traffic = metrics.traffic
    admission = Admission(
        AdmissionLimits(
            images=settings.max_images_in_flight,
            bulk_images=settings.stream_images,
            bytes=settings.max_bytes_in_flight,
            retry_after_s=settings.retry_after_s,
        ),
        waited=partial(traffic.waited, "admission"),
    )
    health = health_aio.HealthServicer()
    async with contextlib.AsyncExitStack() as resources:
        tracer = resources.enter_context(open_tracer(settings))
        chosen = scorer if scorer is not None else await resources.enter_async_context(_triton(settings))
        fetcher = ImageFetcher(
            settings.image_uri_prefixes, max_bytes=settings.max_image_bytes, timeout_s=settings.image_uri_timeout_s
        )
        resources.push_async_callback(fetcher.close)
        kept = await resources.enter_async_context(kept_record(settings, policies, signer))
        recorder = None if kept is None else kept.recorder
        nearline = await resources.enter_async_context(_nearline(settings, recorder, traffic))
        metrics.depths.follow(settings, admission, recorder)
        paced: Scorer = PacedScorer(
            ObservedScorer(chosen, tracer, traffic.looked),
            places=settings.background_images,
            beside=settings.background_images_beside,
            waited=partial(traffic.waited, "background"),
        )
        remembered = RememberedScorer(
            paced,
            capacity_bytes=settings.evidence_cache_bytes,
            keep_s=settings.evidence_cache_s,
            told=metrics.looked_up,
        )
        seen: Scorer = remembered if settings.evidence_cache_bytes else paced
        canaries = open_canaries(settings, paced, signer, admission, metrics, lost=remembered.forget)

        def vouched() -> bool:
            return canaries is None or canaries.trusted

        metrics.trusted(trusted=vouched())
        trusted = TrustedScorer(seen, vouched)
        lexicon = read_abuse(settings.word_lists) if settings.word_lists is not None else None
        shadows = Shadows(lambda name: tenants.shadows(name, settings.shadow_policies), metrics, lexicon=lexicon)
        moderator = Moderator(
            trusted,
            policies,
            MemoryVerdictStore(capacity_bytes=settings.verdict_store_bytes, ttl_s=settings.verdict_ttl_s),
            RequestLimits(image_bytes=settings.max_image_bytes),
            nearline=nearline,
            once=Once(window_s=settings.same_request_s),
            signer=signer,
            lexicon=lexicon,
            trusted=vouched,
            bank=await resources.enter_async_context(kept_bank(settings, metrics)),
            shadows=shadows,
            recorder=recorder,
            people=None if kept is None else kept.people,
            tracer=tracer,
        )
        usage = await resources.enter_async_context(kept_usage(settings))
        allowance = Allowance(tenants, usage, closed=admission.closed)
        server = _server(settings, callers, tenants, admission, allowance, traffic, tracer)
        moderation_pb2_grpc.add_ModerationServiceServicer_to_server(
            ModerationServicer(
                moderator,
                fetcher,
                admission,
                tenants,
                allowance,
                _annotate,
                Timing(settings.max_deadline_s, settings.deadline_margin_s),
                stream_window=settings.stream_window,
                max_streams=settings.max_streams,
                watching=Watching(admission, most=settings.max_watches, most_for_people=settings.max_review_watches),
                max_image_bytes=settings.max_image_bytes,
                log_text=settings.log_text,
                told=traffic,
                tracer=tracer,
            ),
            server,
        )
        policy_pb2_grpc.add_PolicyServiceServicer_to_server(PolicyServicer(tenants), server)
        ticket_pb2_grpc.add_TicketKeyServiceServicer_to_server(TicketKeyServicer(signer), server)
        health_pb2_grpc.add_HealthServicer_to_server(health, server)
        reflection.enable_server_reflection((MODERATION, POLICY, TICKETS, HEALTH, reflection.SERVICE_NAME), server)
        parts = {MODELS: chosen.ready} | ({} if canaries is None else {CANARIES: canaries.passed})
        for service in ("", MODERATION, *parts):
            await health.set(service, HealthCheckResponse.NOT_SERVING)
        for service in (POLICY, TICKETS):
            await health.set(service, HealthCheckResponse.SERVING)

        addresses = Addresses(
            _listen(server, settings),
            await resources.enter_async_context(_page(settings, lambda: not_serving(health, parts), signer, metrics)),
        )
        await server.start()

        def changed(part: str, well: bool) -> None:
            if part == CANARIES:
                metrics.trusted(trusted=well)
            if part == MODELS:
                metrics.ready(ready=well)
                remembered.forget()  # they may be other models than before
            if part == MODELS and well and canaries is not None:
                canaries.soon()
            if part == MODERATION and well:
                serving()

        watcher = asyncio.create_task(watch(health, parts, settings.watch_interval_s, changed=changed))
        resources.callback(watcher.cancel)
        sending = None if canaries is None else asyncio.create_task(canaries.run(chosen.ready))
        if sending is not None:
            resources.push_async_callback(_ended, sending)
        resources.push_async_callback(_ended, asyncio.create_task(shadows.run()))
        resources.push_async_callback(_ended, asyncio.create_task(metrics.depths.run(nearline, recorder)))
        if nearline is not None:
            resources.push_async_callback(_ended, asyncio.create_task(nearline.run(moderator.judge, trusted.ready)))
        _log.info("listening", **addresses.told())
        if ready is not None:
            ready(addresses)
        await _stopped(stop)
        watcher.cancel()
        if sending is not None:
            await _ended(sending)
        await _drain(server, health, admission, moderator, settings.grace_s)


def run(settings: GatewaySettings, *, ready: Callable[[Addresses], None] | None = None) -> int:
    """`serve` in an event loop of its own; the process' exit code."""
    uvloop.run(serve(settings, ready=ready))
    return 0


async def _drain(
    server: grpc.aio.Server,
    health: health_aio.HealthServicer,
    admission: Admission,
    moderator: Moderator,
    grace_s: float,
) -> None:
    """Tell balancers, refuse new images with a typed status, let those inside finish, hold the rest, close."""
    await health.enter_graceful_shutdown()
    admission.close()
    _log.info("draining", images=admission.images)
    last = asyncio.get_running_loop().call_later(_UNHURRIED * grace_s, moderator.hurry)
    try:
        await asyncio.wait_for(admission.emptied(), grace_s)
    except TimeoutError:
        _log.warning("grace_over", images=admission.images)
    finally:
        last.cancel()
    await server.stop(_CLOSE_S)
    _log.info("stopped")


async def _stopped(stop: asyncio.Event | None) -> None:
    if stop is not None:
        await stop.wait()
        return
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await stop.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


@contextlib.asynccontextmanager
async def _triton(settings: GatewaySettings) -> AsyncIterator[Scorer]:
    tls = settings.triton_tls
    scorer = TritonScorer(
        TritonEndpoint(
            address=settings.triton,
            max_message_bytes=settings.max_message_bytes,
            root_certificates=tls.ca.read_bytes() if tls else None,
            private_key=_bytes(tls.key) if tls else None,
            certificate_chain=_bytes(tls.certificate) if tls else None,
        ),
        max_calls=settings.scorer_calls,
    )
    try:
        yield scorer
    finally:
        await scorer.close()


@contextlib.asynccontextmanager
async def _nearline(
    settings: GatewaySettings, recorder: Recorder | None, told: Traffic
) -> AsyncIterator[Nearline | None]:
    if settings.backlog is None:
        yield None
        return
    limits = BacklogLimits(settings.backlog_images, settings.backlog_bytes)
    owner = f"{socket.gethostname()}:{settings.listen}"
    place = settings.backlog.get_secret_value()
    try:
        if "://" in place:
            backlog = SqlBacklog(place, limits, owner=owner)
        else:
            backlog = SqlBacklog.in_file(Path(place), limits, owner=owner)
    except DatabaseUrlError as error:
        raise OSError(f"the backlog cannot be used: {error}") from None
    try:
        await backlog.open()
    except GatepostError as error:
        raise OSError(f"the backlog cannot be used: {error.__cause__}") from error
    try:
        yield Nearline(backlog, NearlineLimits(workers=settings.nearline_workers), recorder=recorder, told=told)
    finally:
        await backlog.close()


def _signer(settings: GatewaySettings) -> TicketSigner | None:
    if settings.ticket_keys is None:
        return None
    folder = KeyFolder(settings.ticket_keys)
    try:
        folder.read()  # said now, and not with the first image
    except RingError as error:
        raise OSError(f"{settings.ticket_keys}: {error}; gatepostd keys init makes a ring") from error
    return TicketSigner(folder, issuer=settings.ticket_issuer)


@contextlib.asynccontextmanager
async def _page(
    settings: GatewaySettings,
    unwell: Callable[[], Awaitable[Sequence[str]]],
    signer: TicketSigner | None,
    metrics: Metrics,
) -> AsyncIterator[str | None]:
    if settings.http_listen is None:
        yield None
        return
    page = http.application(unwell, None if signer is None else signer.jwks, metrics)
    async with contextlib.AsyncExitStack() as stack:
        try:
            address = await stack.enter_async_context(http.listening(page, settings.http_listen))
        except (OSError, ValueError) as error:
            raise ListenError(f"cannot listen on {settings.http_listen}: {error}") from error
        yield address


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _server(
    settings: GatewaySettings,
    callers: Authenticator,
    tenants: Tenants,
    admission: Admission,
    allowance: Allowance,
    traffic: Traffic,
    tracer: Tracer,
) -> grpc.aio.Server:
    return grpc.aio.server(
        interceptors=[
            ObservingInterceptor(tracer, traffic.call),
            CallerInterceptor(callers, tenants, traffic.refused),
            ErrorInterceptor(traffic.refused),
            AdmissionInterceptor(
                admission, allowance, tracer, reserve=settings.max_image_bytes, timeout_s=settings.max_deadline_s
            ),
        ],
        options=channel_options(settings),
    )


def channel_options(settings: GatewaySettings) -> list[tuple[str, int]]:
    """What gRPC is told of the gateway's connections."""
    age_s = settings.max_connection_age_s
    return [
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", -1),  # annotated images; what we make we may send
        # A fixed window: left to itself it grows to megabytes, and bodies of calls that are not read pile up.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", _WINDOW_BYTES),
        ("grpc.so_reuseport", 0),  # a second gateway on the same port must fail, not share it in silence
        *([("grpc.max_connection_age_ms", round(1_000 * age_s))] if age_s is not None else []),
    ]


def _listen(server: grpc.aio.Server, settings: GatewaySettings) -> str:
    """Open the port; the address with the real port number."""
    try:
        if settings.tls is None:
            port = server.add_insecure_port(settings.listen)
        else:
            port = server.add_secure_port(settings.listen, _credentials(settings.tls))
    except RuntimeError as error:
        raise ListenError(f"cannot listen on {settings.listen}: is it in use?") from error
    if port == 0:
        raise ListenError(f"cannot listen on {settings.listen}")
    return f"{settings.listen.rpartition(':')[0]}:{port}"


def _credentials(tls: TlsSettings) -> grpc.ServerCredentials:
    client_ca = _bytes(tls.client_ca)
    return grpc.ssl_server_credentials(
        [(tls.key.read_bytes(), tls.certificate.read_bytes())],
        root_certificates=client_ca,
        require_client_auth=client_ca is not None,
    )


def _annotate(image: bytes, verdict: verdict_pb2.Verdict) -> bytes:
    from gatepost_client.annotate import annotate  # on first use: Pillow and fonts stay out of gateways that never draw

    drawn = annotate(image, verdict)
    if isinstance(drawn, bytes):
        return drawn
    raise ValueError("the image cannot be drawn on")


def _bytes(path: Path | None) -> bytes | None:
    return path.read_bytes() if path is not None else None
