"""All policies that a caller may name: the shipped ones and the operator's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import as_file, files
from pathlib import Path

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError, invalid
from gatepost_server.policy.load import Policy, PolicyError, load_policy

DEFAULT_POLICY = "greeting-card"


class PolicyBook:
    """Policies by name. Immutable: a new book is built when files change."""

    def __init__(self, policies: Iterable[Policy], *, default: str = DEFAULT_POLICY) -> None:
        """Raises PolicyError when the default is not among them. A later policy replaces one of the same name."""
        self._policies = {policy.name: policy for policy in policies}
        if default not in self._policies:
            raise PolicyError(f"there is no policy {default!r} to be the default")
        self.default = default

    def __iter__(self) -> Iterator[Policy]:
        """By name."""
        return iter(sorted(self._policies.values(), key=lambda policy: policy.name))

    def get(self, name: str) -> Policy:
        """The policy of that name, or the default for "". Raises GatepostError (NOT_FOUND)."""
        policy = self._policies.get(name or self.default)
        if policy is None:
            raise GatepostError(
                ErrorCode.NOT_FOUND, ErrorReason.POLICY_UNKNOWN, "there is no policy of that name", field="name"
            )
        return policy

    def for_request(self, name: str) -> Policy:
        """As `get`, for the policy field of a request. Raises GatepostError (INVALID_ARGUMENT)."""
        policy = self._policies.get(name or self.default)
        if policy is None:
            raise invalid(ErrorReason.POLICY_UNKNOWN, "there is no policy of that name", field="policy")
        return policy


def shipped_policies() -> tuple[Policy, ...]:
    """The policies that come with gatepost."""
    with as_file(files("gatepost_server.policy") / "policies") as folder:
        return policies_in(folder)


def policies_in(folder: Path) -> tuple[Policy, ...]:
    """Every *.yaml of a folder, by file name. Raises PolicyError, also when two files share a policy name."""
    if not folder.is_dir():
        raise PolicyError(f"{folder.name}: not a folder of policies")
    policies: dict[str, Policy] = {}
    for path in sorted(folder.glob("*.yaml")):
        policy = load_policy(path)
        if policy.name in policies:
            raise PolicyError(f"{path.name}: name: another file of the folder has {policy.name!r}")
        policies[policy.name] = policy
    return tuple(policies.values())


def open_book(folder: Path | None = None, *, default: str = DEFAULT_POLICY) -> PolicyBook:
    """The shipped policies and those of `folder`, which may replace shipped ones by name. Raises PolicyError."""
    return PolicyBook((*shipped_policies(), *(policies_in(folder) if folder else ())), default=default)
