"""Who may use the console, and who is signed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

LONGEST_STRETCH = 600  # minutes, of Preferences.break_minutes


class AccountRole(StrEnum):
    """What somebody may do; each may what those before it may."""

    VIEWER = "viewer"  # looks
    REVIEWER = "reviewer"  # decides
    ADMIN = "admin"  # decides what was escalated, and undoes what others did

    def covers(self, needed: AccountRole) -> bool:
        """Whether this is `needed`, or more."""
        order = tuple(AccountRole)
        return order.index(self) >= order.index(needed)


class Theme(StrEnum):
    """Light or dark pages."""

    AUTO = "auto"  # as the device has it
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Preferences:
    """How somebody wants to see the console. What a database holds of another version is taken as far as it fits."""

    language: str = ""  # "": as the browser asks
    theme: Theme = Theme.AUTO
    blur: bool = True  # pictures, until asked
    greyscale: bool = True
    shortcuts: bool = True  # single letters do things
    break_minutes: int = 50  # at work, until they are reminded of a break; 0: never


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody. `password` is a hash, "" where another system signs them in."""

    name: str  # [a-z0-9._@-]
    role: AccountRole
    password: str = field(repr=False, default="")
    disabled: bool = False
    created: float = 0.0  # Unix seconds
    preferences: Preferences = Preferences()


class Accounts(Protocol):
    """Methods raise GatepostError (UNAVAILABLE, STORE_UNAVAILABLE).

    Sessions are known by the SHA-256 of their token: whoever reads the database cannot become anybody.
    """

    async def add(self, account: Account) -> bool:
        """False where there is somebody of that name."""
        ...

    async def find(self, name: str) -> Account | None:
        """Whoever has that name."""
        ...

    async def everybody(self) -> tuple[Account, ...]:
        """By name."""
        ...

    async def change(self, account: Account) -> None:
        """Role, password, being disabled and preferences are as here.

        Another password or role ends all sessions, and so does being disabled.
        """
        ...

    async def prefer(self, name: str, preferences: Preferences) -> None:
        """Theirs from now on; all else stays as somebody may be changing it."""
        ...

    async def lock(self, name: str, password: str) -> None:
        """Another password's hash; all sessions end, and all else stays."""
        ...

    async def begin(self, name: str, session: str, *, until: float) -> None:
        """Somebody signed in, until then (Unix seconds) at most."""
        ...

    async def whose(self, session: str, *, idle_s: float, step: bool = True) -> Account | None:
        """Who is signed in there, and takes a step if it is one. None where nobody is any more."""
        ...

    async def end(self, session: str) -> None:
        """Signed out."""
        ...
