"""What the promises cost a request: tickets, coverage, admission, credentials, idempotency, the backlog."""
