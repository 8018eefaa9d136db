"""A fake gatepost server for tests: real gRPC on a free port, answers as scripted.

    from gatepost_client import Category, Client, Decision
    from gatepost_client.testing import FakeServer, Failure, verdict

    def test_an_insult_is_not_shown():
        with FakeServer() as server, Client(server.target) as client:
            server.script(verdict(Decision.BLOCK, Category.INSULT))
            assert not show_card(client, ...)

As a pytest fixture, `fake_gatepost`: put `pytest_plugins = ["gatepost_client.testing.pytest_plugin"]`
into the top conftest.py.
"""

from gatepost_client.testing.replies import Answer, Delayed, Failure, Reply, verdict
from gatepost_client.testing.server import FakeServer, Received

__all__ = ["Answer", "Delayed", "Failure", "FakeServer", "Received", "Reply", "verdict"]
