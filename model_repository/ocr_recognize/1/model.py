"""Triton's entry point of the ocr_recognize step; the code is gatepost_server.stages.ocr_recognize."""

from gatepost_server.serving.shell import StageShell
from gatepost_server.stages.ocr_recognize import OcrRecognize


class TritonPythonModel(StageShell):
    stage_type = OcrRecognize
