"""Triton's entry point of the decode step; the code is gatepost_server.stages.decode."""

from gatepost_server.serving.shell import StageShell
from gatepost_server.stages.decode import DecodeStage


class TritonPythonModel(StageShell):
    stage_type = DecodeStage
