"""SCORES[0] is the number of texts, SCORES[1] the number of expected texts."""

import numpy as np

from gatepost_server.domain.evidence import ModelVersion
from gatepost_server.domain.labels import StageName
from gatepost_server.serving.shell import StageShell
from gatepost_server.stages.base import StageResult
from gatepost_server.tensors import contract


class Count:
    contract = contract.ModelContract(
        StageName.FUSION, (contract.TEXTS, contract.TEXT_CONFIDENCES, contract.EXPECTED), (contract.SCORES,)
    )
    models = (ModelVersion("count", "1"),)

    def __init__(self, parameters):
        pass

    def run(self, items):
        return [self._one(item) for item in items]

    def _one(self, item):
        scores = np.zeros(contract.C, np.float32)
        scores[:2] = len(item["TEXTS"]), len(item["EXPECTED"])
        return StageResult({"SCORES": scores})


class TritonPythonModel(StageShell):
    stage_type = Count
