"""Alembic's folder: how the tables change from version to version."""
