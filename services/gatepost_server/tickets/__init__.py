"""Signing and checking release tickets."""
