"""Typed, versioned policy documents and a pure evaluation."""
