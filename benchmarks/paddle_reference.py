"""paddleocr itself, on the same weights: what gatepost's OCR is measured and tested against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from gatepost_server.engines.weights import Weights, characters, find_weights

DETECTOR = "PP-OCRv6_small_det"
RECOGNIZER = "PP-OCRv6_small_rec"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text as it was read; polygon in pixels, (N, 2)."""

    text: str
    confidence: float
    polygon: NDArray[np.float64]


class PaddleReference:
    """paddleocr's default pipeline through onnxruntime on the CPU, from local folders, without the network."""

    def __init__(self, folder: Path) -> None:
        """`folder` receives the model folders that paddleocr wants around the bundled weights."""
        from paddleocr import PaddleOCR

        detector, recognizer = find_weights(DETECTOR), find_weights(RECOGNIZER)
        self._ocr = PaddleOCR(
            text_detection_model_name=DETECTOR,
            text_detection_model_dir=str(_model_folder(folder, detector, _detector_config())),
            text_recognition_model_name=RECOGNIZER,
            text_recognition_model_dir=str(_model_folder(folder, recognizer, _recognizer_config(recognizer))),
            use_doc_orientation_classify=False,
            use_doc_unwarping=False,
            use_textline_orientation=False,
            engine="onnxruntime",
            device="cpu",
        )

    def read(self, image: NDArray[np.uint8]) -> Sequence[Line]:
        """The lines of an RGB image."""
        (page,) = self._ocr.predict(np.ascontiguousarray(image[..., ::-1]))
        return [
            Line(text, float(confidence), np.asarray(polygon, dtype=np.float64))
            for text, confidence, polygon in zip(page["rec_texts"], page["rec_scores"], page["rec_polys"], strict=True)
        ]


def _model_folder(folder: Path, weights: Weights, config: dict[str, object]) -> Path:
    model = folder / weights.name
    model.mkdir(parents=True)
    (model / "inference.onnx").symlink_to(weights.path)
    (model / "inference.yml").write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return model


def _detector_config() -> dict[str, object]:
    normalize = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "scale": "1./255.", "order": "hwc"}
    return {
        "Global": {"model_name": DETECTOR},
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
                {"DetResizeForTest": None},
                {"NormalizeImage": normalize},
                {"ToCHWImage": None},
            ]
        },
        "PostProcess": {
            "name": "DBPostProcess",
            "thresh": 0.2,
            "box_thresh": 0.45,
            "max_candidates": 3000,
            "unclip_ratio": 1.4,
        },
    }


def _recognizer_config(weights: Weights) -> dict[str, object]:
    return {
        "Global": {"model_name": RECOGNIZER},
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
                {"RecResizeImg": {"image_shape": [3, 48, 320]}},
            ]
        },
        "PostProcess": {"name": "CTCLabelDecode", "character_dict": characters(weights)},
    }
