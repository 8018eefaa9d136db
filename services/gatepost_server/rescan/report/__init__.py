"""The page about a re-scan that can be sent to people: one file, nothing fetched."""
