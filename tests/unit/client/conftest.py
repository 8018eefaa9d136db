from gatepost_client.testing.pytest_plugin import fake_gatepost

__all__ = ["fake_gatepost"]
