"""The file of bearer tokens: who each is, what for, until when, and its hash. The tokens themselves are nowhere.

A token is 256 random bits behind its id, so its plain SHA-256 tells nothing (docs/adr/0014).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from gatepost_server.gateway.credentials.caller import TENANT, Caller, Role
from gatepost_server.gateway.credentials.watched import FileError

PREFIX = "gatepost_"  # for scanners that look for secrets in the wrong places
_ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,31}$"
_SECRET_BYTES = 32


class TokenState(StrEnum):
    """What a token is good for at a moment."""

    ACTIVE = "active"
    EARLY = "early"
    EXPIRED = "expired"
    REVOKED = "revoked"


class TokenEntry(BaseModel):
    """One token."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=_ID_PATTERN)]
    tenant: Annotated[str, Field(pattern=f"^{TENANT}$")]
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    created: AwareDatetime
    not_before: AwareDatetime | None = None
    expires: AwareDatetime | None = None
    revoked: AwareDatetime | None = None

    def state(self, now: datetime) -> TokenState:
        """At `now`, which has a time zone."""
        if self.revoked is not None:
            return TokenState.REVOKED
        if self.expires is not None and now >= self.expires:
            return TokenState.EXPIRED
        if self.not_before is not None and now < self.not_before:
            return TokenState.EARLY
        return TokenState.ACTIVE

    def caller(self, still: Callable[[], bool]) -> Caller:
        """Who shows it, for as long as it is good `still`."""
        return Caller(self.tenant, frozenset(self.roles), f"token:{self.id}", still)


class TokenFile(BaseModel):
    """All of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    tokens: tuple[TokenEntry, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len({token.id for token in self.tokens}) != len(self.tokens):
            raise ValueError("two tokens share an id")
        return self

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raises FileError, which says where but not what."""
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            raise FileError(said(error)) from None


class TokenStore:
    """Makes and revokes tokens. Running gateways follow by themselves."""

    def __init__(self, path: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._path = path
        self._clock = clock

    def read(self) -> TokenFile:
        """What the file says. Raises FileError."""
        try:
            return TokenFile.parse(self._path.read_bytes())
        except OSError as error:
            raise FileError(f"cannot be read: {error.strerror}") from error

    def new(
        self,
        tenant: str,
        roles: Iterable[Role],
        *,
        id: str | None = None,  # noqa: A002 - as the file names it
        lifetime: timedelta | None = None,
        wait: timedelta | None = None,
    ) -> tuple[str, TokenEntry]:
        """A new token, and what is kept of it; the file is made where there is none. Raises FileError."""
        name = id if id is not None else secrets.token_hex(4)
        token = f"{PREFIX}{name}_{secrets.token_urlsafe(_SECRET_BYTES)}"
        now = self._clock().replace(microsecond=0)
        with self._changing() as known:
            try:
                entry = TokenEntry(
                    id=name,
                    tenant=tenant,
                    roles=tuple(sorted(set(roles))),
                    sha256=digest(token).hex(),
                    created=now,
                    not_before=None if wait is None else now + wait,
                    expires=None if lifetime is None else now + lifetime,
                )
                changed = TokenFile(tokens=(*known.tokens, entry))
            except ValidationError as error:
                raise FileError(said(error)) from None
            self._write(changed)
        return token, entry

    def revoke(self, id: str) -> None:  # noqa: A002
        """No call with that token is let in any more. Raises FileError where there is none of that id."""
        now = self._clock().replace(microsecond=0)
        with self._changing() as known:
            if id not in {token.id for token in known.tokens}:
                raise FileError("there is no such token")
            self._write(
                TokenFile(
                    tokens=tuple(
                        token.model_copy(update={"revoked": token.revoked or now}) if token.id == id else token
                        for token in known.tokens
                    )
                )
            )

    @contextlib.contextmanager
    def _changing(self) -> Iterator[TokenFile]:
        """One change at a time."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._path.with_name(f".{self._path.name}.lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield self.read() if self._path.exists() else TokenFile()
        except OSError as error:
            raise FileError(f"cannot be written: {error.strerror}") from error

    def _write(self, content: TokenFile) -> None:
        """Beside its place and then moved there: readers see the file as it was or as it is."""
        text = json.dumps(content.model_dump(mode="json", exclude_none=True), indent=1) + "\n"
        draft, name = tempfile.mkstemp(dir=self._path.parent, prefix=".draft-")  # mode 0600
        try:
            with os.fdopen(draft, "w") as file:
                self._keep_access(file.fileno())
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _keep_access(self, draft: int) -> None:
        """Who could read the file before can read it after: the gateway may be another user than the operator."""
        with contextlib.suppress(FileNotFoundError, PermissionError):
            facts = self._path.stat()
            os.fchmod(draft, stat.S_IMODE(facts.st_mode))
            os.fchown(draft, facts.st_uid, facts.st_gid)


def digest(token: str) -> bytes:
    """What is kept of a token: 32 bytes."""
    return hashlib.sha256(token.encode()).digest()


def id_of(token: str) -> str:
    """The id in a token of ours; "" in others."""
    match = re.match(rf"{PREFIX}([a-z0-9][a-z0-9-]{{0,31}})_", token)
    return match[1] if match else ""


def said(error: ValidationError) -> str:
    """What is wrong where, without the values: they may be secrets in the wrong place."""
    return "; ".join(
        f"{'.'.join(map(str, detail['loc'])) or 'content'}: {detail['msg']}"
        for detail in error.errors(include_url=False, include_input=False, include_context=False)
    )
