"""One real gatepost (tritonserver, gateway, weights) on free ports for all end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.stack import Stack, running
from gatepost_client import Client
from tests.places import build_wheels

CARDS = Path(__file__).parents[2] / "benchmarks" / "demo" / "cards"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with running() as started:
        yield started


@pytest.fixture(scope="session")
def client(stack: Stack) -> Iterator[Client]:
    with Client(stack.address, timeout=60) as connected:
        yield connected


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """gatepost, gatepost-client and gatepost-proto, built now."""
    return build_wheels(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def card() -> dict[str, bytes]:
    """The demo's cards by file name without suffix."""
    return {path.stem: path.read_bytes() for path in CARDS.iterdir() if path.suffix != ".json"}
