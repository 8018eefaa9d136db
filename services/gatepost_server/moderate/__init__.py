"""The use case: score, decide, record."""
