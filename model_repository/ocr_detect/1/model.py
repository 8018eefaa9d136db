"""Triton's entry point of the ocr_detect step; the code is gatepost_server.stages.ocr_detect."""

from gatepost_server.serving.shell import StageShell
from gatepost_server.stages.ocr_detect import OcrDetect


class TritonPythonModel(StageShell):
    stage_type = OcrDetect
