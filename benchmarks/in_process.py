"""Gatepost's own stages in one process, one image after another: what the served gate is measured against.

`python -m benchmarks.in_process FOLDER --threads N`, a child of benchmarks.rounds. Every step that Triton runs for an
image is run here, with the parameters of model_repository, and nothing stands between them.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from google.protobuf import json_format, text_format
from numpy.typing import NDArray
from tritonclient.grpc import model_config_pb2

from benchmarks.load import EXPECTED, PROMPT
from benchmarks.paddle_reference import Line
from benchmarks.rounds import answer, files_of
from gatepost_server.domain.errors import GatepostError
from gatepost_server.serving.parameters import PREFIX, stage_parameters
from gatepost_server.stages.base import Stage, text_array
from gatepost_server.stages.clip.stage import Clip
from gatepost_server.stages.decode import DecodeStage
from gatepost_server.stages.fusion import Fusion
from gatepost_server.stages.ocr_detect import OcrDetect
from gatepost_server.stages.ocr_recognize import OcrRecognize
from gatepost_server.stages.text_toxicity import TextToxicity

REPOSITORY = Path(__file__).parents[1] / "model_repository"
LEAST_CONFIDENCE = 0.3  # below this a reading is taken for a mistaken region, as in evaluate_ocr
ORDER: Sequence[type[Stage]] = (DecodeStage, OcrDetect, OcrRecognize, TextToxicity, Clip, Fusion)


class InProcess:
    """All stages, in the ensemble's order."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """`environment` overlays the parameters, as it does under Triton."""
        self._stages = [stage(_parameters(stage, environment)) for stage in ORDER]

    def run(self, file: Path) -> Sequence[Line]:
        """What was read, as evaluate_ocr has it. Raises the GatepostError of a stage."""
        tensors: dict[str, NDArray[Any]] = {
            "IMAGE": text_array([file.read_bytes()]),
            "PROMPT": text_array([PROMPT]),
            "EXPECTED": text_array(EXPECTED),
        }
        for stage in self._stages:
            (result,) = stage.run([{each.name: tensors[each.name] for each in stage.contract.inputs}])
            if isinstance(result, GatepostError):
                raise result
            tensors.update(result.arrays)
        return _lines(tensors)


def _parameters(stage: type[Stage], environment: Mapping[str, str]) -> Mapping[str, str]:
    folder = REPOSITORY / stage.contract.model
    config = text_format.Parse((folder / "config.pbtxt").read_text(), model_config_pb2.ModelConfig())
    declared = json_format.MessageToDict(config, preserving_proto_field_name=True)
    return stage_parameters(stage.contract.model, declared, environment, directory=str(folder / "1"))


def _lines(tensors: Mapping[str, NDArray[Any]]) -> Sequence[Line]:
    height, width = tensors["OCR_PIXELS"].shape[1:3]
    points = tensors["POLYGON_POINTS"] * (width, height)
    polygons = np.split(points, np.cumsum(tensors["POLYGON_SIZES"])[:-1])
    read = zip(tensors["TEXTS"], tensors["TEXT_CONFIDENCES"], polygons, strict=False)
    return [
        Line(text.decode(), float(confidence), polygon)
        for text, confidence, polygon in read
        if confidence >= LEAST_CONFIDENCE
    ]


def main() -> None:
    """The child."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--share", default="0/1")
    parser.add_argument("--threads", type=int, default=1, help="of each net")
    asked = parser.parse_args()
    cv2.setNumThreads(asked.threads)
    answer(
        files_of(asked.folder, asked.share),
        InProcess({**os.environ, f"{PREFIX}THREADS": str(asked.threads)}).run,
    )


if __name__ == "__main__":
    main()
