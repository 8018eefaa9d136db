"""Finds settings in the environment that no part reads, for a misspelt one can leave a gate open."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

# Kubernetes sets these for a service that is named gatepost-gateway.
_KUBERNETES = re.compile(r"_(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP)(_\w+)?)?)$")


def unknown_variables(names: Iterable[str], prefix: str, fields: Collection[str]) -> list[str]:
    """Those of `names` that begin with `prefix` and name none of `fields` ("tls__key" counts as "tls")."""
    return sorted(
        name
        for name in names
        if name.startswith(prefix)
        and name.removeprefix(prefix).lower().split("__")[0] not in fields
        and not _KUBERNETES.search(name)
    )
