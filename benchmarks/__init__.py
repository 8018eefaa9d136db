"""Measurements: each writes JSON under out/ with its targets, missed ones included."""
