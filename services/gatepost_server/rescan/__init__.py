"""The batch rim."""
