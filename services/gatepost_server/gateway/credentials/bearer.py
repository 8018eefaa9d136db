"""Bearer tokens against their hashes."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog

from gatepost_server.domain.decision import DEFAULT_TENANT
from gatepost_server.gateway.credentials.caller import ASKER, Caller
from gatepost_server.gateway.credentials.token_file import TokenEntry, TokenFile, TokenState, digest, id_of
from gatepost_server.gateway.credentials.watched import WatchedFile

_NOBODY = bytes(32)  # no token is known whose SHA-256 this is

_log = structlog.get_logger("gatepost.credentials")


class BearerTokens:
    """Those of a file, and those of the settings, which are all of the default tenant."""

    def __init__(
        self,
        file: WatchedFile[TokenFile] | None,
        plain: Sequence[str] = (),
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._file = file
        self._plain = tuple(digest(token) for token in plain)
        self._clock = clock

    def find(self, token: str) -> Caller | None:
        """Whose it is; None where it is nobody's, or not now.

        The id in a token is no secret and only chooses the hash to compare with; hashes are compared in constant time.
        """
        shown = digest(token)
        entry = self._entry(id_of(token))
        expected = bytes.fromhex(entry.sha256) if entry is not None else _NOBODY
        known = hmac.compare_digest(shown, expected)
        plain = [hmac.compare_digest(shown, each) for each in self._plain]  # every one, whatever the first says
        if entry is not None and known:
            state = entry.state(self._clock())
            if state is TokenState.ACTIVE:
                return entry.caller(lambda: self._still(entry))
            _log.warning("token_refused", credential=f"token:{entry.id}", state=state.value)
            return None
        return Caller(DEFAULT_TENANT, ASKER, "token:settings") if any(plain) else None

    def _entry(self, id_: str) -> TokenEntry | None:
        kept = self._file.current().tokens if self._file is not None else ()
        return next((each for each in kept if each.id == id_), None)

    def _still(self, known: TokenEntry) -> bool:
        return self._entry(known.id) == known and known.state(self._clock()) is TokenState.ACTIVE
