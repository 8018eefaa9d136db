"""The first step: an encoded file becomes the views that the nets look at, or a typed error.

limits -> header (containers/) -> pixels -> frames -> views -> stage
"""

from gatepost_server.stages.decode.stage import DecodeStage

__all__ = ["DecodeStage"]
