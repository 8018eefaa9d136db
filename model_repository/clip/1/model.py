"""Triton's entry point of the clip step; the code is gatepost_server.stages.clip."""

from gatepost_server.stages.clip import Clip

from gatepost_server.serving.shell import StageShell


class TritonPythonModel(StageShell):
    stage_type = Clip
