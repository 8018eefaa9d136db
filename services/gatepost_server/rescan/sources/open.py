"""A SOURCE of the command line to its inputs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from gatepost_server.rescan.failures import RescanError
from gatepost_server.rescan.filters import Filters
from gatepost_server.rescan.inputs import Input
from gatepost_server.rescan.sources.files import files, is_pattern
from gatepost_server.rescan.sources.manifest import is_manifest, manifest
from gatepost_server.rescan.stores.base import Address


def open_source(source: Address, filters: Filters) -> Iterator[Input]:
    """What is to be scanned, numbered, as the source is read.

    Raises SourceError, CredentialsError, and RescanError for filters that do not fit the source.
    """
    if is_manifest(source.path) and not is_pattern(source):
        found = manifest(source, filters)
    elif filters.where:
        raise RescanError("--where is for manifests: files have no columns")
    else:
        found = files(source, filters)
    wanted = itertools.islice((each for each in found if filters.sampled(each.id)), filters.limit)
    return (replace(each, number=number) for number, each in enumerate(wanted))
