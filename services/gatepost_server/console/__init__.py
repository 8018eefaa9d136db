"""The review rim."""
