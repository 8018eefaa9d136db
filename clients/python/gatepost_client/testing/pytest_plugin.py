"""The fake server as a pytest fixture."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gatepost_client.testing.server import FakeServer


@pytest.fixture
def fake_gatepost() -> Iterator[FakeServer]:
    """A FakeServer of the test's own, which allows everything until it is scripted otherwise."""
    with FakeServer() as server:
        yield server
