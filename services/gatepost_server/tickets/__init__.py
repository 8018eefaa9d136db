"""Signing release tickets, and the ring of keys that they are signed with. Checking them is the SDK's."""
