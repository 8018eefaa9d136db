"""clip: what a picture shows, by zero-shot questions, and how well it fits its prompt."""

from gatepost_server.stages.clip.stage import Clip

__all__ = ["Clip"]
