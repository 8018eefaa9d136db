"""Who asks, for as long as a call lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum

import structlog

from gatepost_server.domain.decision import DEFAULT_TENANT
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError

TENANT = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"  # safe to log, and in a file's table


class Role(StrEnum):
    """What a credential is for. None holds another: who may moderate may not read unless it says so, too."""

    MODERATE = "moderate"  # have images judged
    READ = "read"  # fetch verdicts of the own tenant, and policies
    REVIEW = "review"  # decide as a person
    ADMIN = "admin"  # change how the service works


@dataclass(frozen=True, slots=True)
class Caller:
    """A tenant, what may be done in its name, and the credential's name for the log (never the credential)."""

    tenant: str
    roles: frozenset[Role]
    credential: str
    # Whether the credential is good still, for calls that last. An issuer's token is looked at when a call begins.
    still: Callable[[], bool] = field(default=lambda: True, compare=False, repr=False)


ASKER = frozenset({Role.MODERATE, Role.READ})  # of credentials that name no roles
ANYBODY = Caller(DEFAULT_TENANT, frozenset(Role), "none")  # where no credential is configured

_CALLER: ContextVar[Caller] = ContextVar("caller")


def caller() -> Caller:
    """Of the call that this task serves. Raises LookupError where nobody was let in: a fault, and never an ALLOW."""
    return _CALLER.get()


def caller_still() -> Caller:
    """The same, in a call that lasts. Raises GatepostError (UNAUTHENTICATED) once the credential is good no more."""
    known = caller()
    if not known.still():
        raise unauthenticated()
    return known


def unauthenticated() -> GatepostError:
    """The same words whatever was wrong: the log says more."""
    return GatepostError(ErrorCode.UNAUTHENTICATED, ErrorReason.UNAUTHENTICATED, "a valid credential is required")


def let_in(known: Caller) -> None:
    """`known` is who asks from here on, in this task, in those that it starts and in their logs."""
    _CALLER.set(known)
    structlog.contextvars.bind_contextvars(tenant=known.tenant, credential=known.credential)


def roles_of(names: Iterable[str]) -> frozenset[Role]:
    """Those of `names` that are roles of ours; an issuer's other words mean nothing here."""
    return frozenset(Role(name) for name in names if name in tuple(Role))
