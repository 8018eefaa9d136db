"""When to try again. Pure: the clock, the sleep and the dice belong to the clients.

gRPC's own retries (the service config's retryPolicy) cannot do it: they know the server's wish only as
the trailing metadatum grpc-retry-pushback-ms, not as google.rpc.RetryInfo, and retry libraries such as
tenacity would bring a dependency for the one formula below.
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost_client.errors import GatepostError, Overloaded, Unavailable


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential back-off with jitter on Overloaded and Unavailable."""

    retries: int = 2
    base: float = 0.2  # seconds before the first retry, at most
    cap: float = 2.0  # seconds before any retry, at most, unless the server asks for more

    def delay(self, error: GatepostError, *, attempts: int, left: float, dice: float) -> float | None:
        """Seconds to wait before the next attempt; None to give up.

        attempts: how many were made. left: seconds until the deadline; a retry that could only start after
        it is not worth waiting for. dice: 0 to 1, the jitter. The server's RetryInfo is the shortest wait;
        the back-off comes on top, so that callers who were refused together do not return together.
        """
        if attempts > self.retries or not isinstance(error, (Overloaded, Unavailable)):
            return None
        backoff = min(self.cap, self.base * 2 ** (attempts - 1)) * (0.5 + 0.5 * dice)
        delay = (error.retry_after or 0.0) + backoff
        return delay if delay < left else None
