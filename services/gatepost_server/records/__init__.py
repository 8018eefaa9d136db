"""The decision log behind a protocol."""
