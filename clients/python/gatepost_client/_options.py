"""What both clients are built from: where the server is, how to reach it, and for how long to wait."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import grpc

from gatepost_client._retry import RetryPolicy
from gatepost_client._tracing import Traced, Tracing, Untraced
from gatepost_client._version import __version__

DEFAULT_TARGET = "localhost:50051"
DEFAULT_TIMEOUT = 5.0
DEFAULT_MAX_MESSAGE_BYTES = 64 * 2**20

Token = str | Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """TLS to the server. Each is PEM, as bytes or as the path of a file.

    root_certificates: whom to trust; None: the roots that gRPC ships.
    certificate_chain and private_key: the client's own, for servers that ask for one.
    server_name: the name that the server's certificate bears, where it is not the target's host.
    """

    root_certificates: bytes | str | os.PathLike[str] | None = None
    certificate_chain: bytes | str | os.PathLike[str] | None = None
    private_key: bytes | str | os.PathLike[str] | None = None
    server_name: str | None = None

    def loaded(self) -> Tls:
        """With the files' content in place of their paths. OSError where one cannot be read."""
        return replace(
            self,
            root_certificates=_pem(self.root_certificates),
            certificate_chain=_pem(self.certificate_chain),
            private_key=_pem(self.private_key),
        )

    def credentials(self) -> grpc.ChannelCredentials:
        """For a channel."""
        return grpc.ssl_channel_credentials(
            root_certificates=_pem(self.root_certificates),
            private_key=_pem(self.private_key),
            certificate_chain=_pem(self.certificate_chain),
        )


@dataclass(frozen=True, slots=True)
class Options:
    """A client's settings, checked."""

    target: str
    tls: Tls | None
    token: Token | None
    timeout: float
    retry: RetryPolicy
    max_message_bytes: int
    tracing: Tracing

    @classmethod
    def checked(
        cls,
        target: str | None,
        *,
        tls: Tls | bool,
        token: Token | None,
        allow_insecure_token: bool,
        timeout: float,
        retries: int,
        max_message_bytes: int,
        tracing: bool = False,
    ) -> Options:
        """ValueError for settings that cannot work or that would send the token in the clear; OSError as Tls.loaded;
        ImportError as Traced.
        """
        target = target or os.environ.get("GATEPOST_TARGET") or DEFAULT_TARGET
        if tls is True:
            tls = Tls()
        if token is not None and not tls and not allow_insecure_token and not _is_local(target):
            raise ValueError("a token without TLS can be read on the way; set tls, or allow_insecure_token=True")
        if timeout <= 0 or retries < 0 or max_message_bytes <= 0:
            raise ValueError("timeout and max_message_bytes must be positive, retries not negative")
        return cls(
            target,
            tls.loaded() if tls else None,
            token,
            timeout,
            RetryPolicy(retries=retries),
            max_message_bytes,
            Traced() if tracing else Untraced(),
        )

    def channel_arguments(self) -> list[tuple[str, str | int]]:
        """gRPC's settings of the connection."""
        arguments: list[tuple[str, str | int]] = [
            ("grpc.max_send_message_length", self.max_message_bytes),
            ("grpc.max_receive_message_length", self.max_message_bytes),
            ("grpc.primary_user_agent", f"gatepost-client/{__version__}"),
            # gRPC would wait for 1 s before it dials again, longer than our retries take.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2000),
            # A connection of one's own: after a fork, sharing the parent's would mix up both streams.
            ("grpc.use_local_subchannel_pool", 1),
        ]
        if self.tls and self.tls.server_name:
            arguments.append(("grpc.ssl_target_name_override", self.tls.server_name))
        return arguments

    def stream_metadata(self) -> tuple[tuple[str, str], ...]:
        """What goes with every stream."""
        return (*self.metadata(), *self.tracing.carried())

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What goes with every call."""
        if self.token is None:
            return ()
        token = self.token if isinstance(self.token, str) else self.token()
        return (("authorization", f"Bearer {token}"),)


def _is_local(target: str) -> bool:
    if target.startswith(("unix:", "unix-abstract:")):
        return True
    host = target.removeprefix("dns:///").removeprefix("ipv4:").removeprefix("ipv6:").rpartition(":")[0]
    return host in ("localhost", "127.0.0.1", "[::1]")


def _pem(source: bytes | str | os.PathLike[str] | None) -> bytes | None:
    return source if source is None or isinstance(source, bytes) else Path(source).read_bytes()
