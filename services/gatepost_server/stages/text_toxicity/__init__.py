"""The text_toxicity stage: what the lines of an image say, and how bad it is."""

from gatepost_server.stages.text_toxicity.stage import TextToxicity

__all__ = ["TextToxicity"]
