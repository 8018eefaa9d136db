"""The sample cards, what is expected of them, and the run that shows them being judged."""
