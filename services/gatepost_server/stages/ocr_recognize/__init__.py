"""ocr_recognize: crops of text lines to texts."""

from gatepost_server.stages.ocr_recognize.stage import OcrRecognize

__all__ = ["OcrRecognize"]
