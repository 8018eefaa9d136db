"""ocr_detect: pixels to text lines and the crops to read them from."""

from gatepost_server.stages.ocr_detect.stage import OcrDetect

__all__ = ["OcrDetect"]
