"""What the record calls somebody who uses the console."""

from __future__ import annotations

from gatepost_server.moderate.review import Person
from gatepost_server.records.accounts import Account, AccountRole

_PREFIX = "console:"  # an account is no bearer token of the same name


def actor_of(account: Account) -> str:
    """The actor of what they do."""
    return f"{_PREFIX}{account.name}"


def shown(actor: str) -> str:
    """As people know them."""
    return actor.removeprefix(_PREFIX)


def senior(account: Account) -> bool:
    """Whether they decide what was escalated."""
    return account.role.covers(AccountRole.ADMIN)


def person_of(account: Account) -> Person:
    """As the use case takes them."""
    return Person(actor_of(account), senior(account))
