"""Triton's entry point of the fusion step; the code is gatepost_server.stages.fusion."""

from gatepost_server.serving.shell import StageShell
from gatepost_server.stages.fusion import Fusion


class TritonPythonModel(StageShell):
    stage_type = Fusion
