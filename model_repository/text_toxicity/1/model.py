"""Triton's entry point of the text_toxicity step; the code is gatepost_server.stages.text_toxicity."""

from gatepost_server.serving.shell import StageShell
from gatepost_server.stages.text_toxicity import TextToxicity


class TritonPythonModel(StageShell):
    stage_type = TextToxicity
