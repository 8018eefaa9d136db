"""Asks for evidence: the Scorer protocol, its Triton client and a fake."""
