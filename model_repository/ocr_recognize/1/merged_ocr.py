"""Triton's entry point of the layout merged_ocr's OCR step; the code is gatepost_server.serving.merged_ocr."""

from gatepost_server.serving.merged_ocr import MergedOcr
from gatepost_server.serving.shell import StageShell


class TritonPythonModel(StageShell):
    stage_type = MergedOcr
