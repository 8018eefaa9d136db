"""The problem's words, in the standard library only: labels, evidence, decisions, errors."""
