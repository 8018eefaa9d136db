"""gatepost: ask whether a generated image may be shown."""
