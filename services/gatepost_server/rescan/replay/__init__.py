"""Policy time-travel: stored evidence judged again, many rows at a time."""
