"""Triton's entry point of the clip step; the code is gatepost_server.stages.clip."""

from gatepost_server.serving.shell import StageShell
from gatepost_server.stages.clip import Clip


class TritonPythonModel(StageShell):
    stage_type = Clip
