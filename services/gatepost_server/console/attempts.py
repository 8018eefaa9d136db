"""How often somebody may try to sign in."""

from __future__ import annotations

import time
from collections.abc import Callable

from cachetools import TTLCache

_WINDOW_S = 900.0
_PAIR, _ADDRESS, _NAME = 5, 30, 60  # failures within the window
_REMEMBERED = 10_000

_Key = tuple[str, str]


class Attempts:
    """Counts failures in memory: of a name from an address, of an address, and of a name. One event loop's.

    The last is generous, so that nobody keeps another out by failing in their name from one place.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures: TTLCache[_Key, int] = TTLCache(_REMEMBERED, _WINDOW_S, timer=clock)

    def may_try(self, name: str, address: str) -> bool:
        """Whether the next try is looked at."""
        return all(self._failures.get(key, 0) < most for key, most in _limits(name, address))

    def begun(self, name: str, address: str) -> None:
        """A try, as if it had failed: those that are looked at together count, too."""
        for key, _ in _limits(name, address):
            self._failures[key] = self._failures.get(key, 0) + 1

    def succeeded(self, name: str, address: str) -> None:
        """It did not fail."""
        for key, _ in _limits(name, address):
            if key in self._failures:
                self._failures[key] -= 1
        self._failures.pop((name, address), None)


def _limits(name: str, address: str) -> tuple[tuple[_Key, int], ...]:
    return ((name, address), _PAIR), (("", address), _ADDRESS), ((name, ""), _NAME)
