"""Text as data: normalisation, reading order, lexicons, matching. Shared by both sides, light imports only."""
