"""quality.json as targets, tables, pictures and docs/quality.md."""
