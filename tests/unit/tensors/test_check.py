"""Holding a stage's arrays against the contract."""

from __future__ import annotations

import numpy as np
import pytest

from gatepost_server.stages.base import text_array
from gatepost_server.tensors import contract
from gatepost_server.tensors.check import NUMPY_TYPES, first_breach

TENSORS = (contract.TEXTS, contract.LINE_SCORES, contract.PROMPT_SIMILARITY)


def arrays(**changed):
    good = {
        "TEXTS": text_array(["a", "b"]),
        "LINE_SCORES": np.zeros((2, contract.C), np.float32),
        "PROMPT_SIMILARITY": np.zeros(1, np.float32),
    }
    return {name: array for name, array in {**good, **changed}.items() if array is not None}


def test_arrays_that_keep_the_contract_pass():
    assert first_breach(TENSORS, arrays()) is None


def test_a_variable_dimension_may_be_empty():
    empty = arrays(TEXTS=text_array([]), LINE_SCORES=np.zeros((0, contract.C), np.float32))
    assert first_breach(TENSORS, empty) is None


def test_the_similarity_to_no_prompt_may_be_nan_and_nothing_else_may():
    assert first_breach(TENSORS, arrays(PROMPT_SIMILARITY=np.full(1, np.nan, np.float32))) is None
    assert first_breach(TENSORS, arrays(LINE_SCORES=np.full((2, contract.C), np.nan, np.float32))) == (
        "LINE_SCORES is not finite"
    )


@pytest.mark.parametrize(
    ("changed", "breach"),
    [
        ({"TEXTS": None}, "TEXTS is missing"),
        ({"MORE": np.zeros(1)}, "MORE is not in the contract"),
        ({"LINE_SCORES": np.zeros((2, contract.C))}, "LINE_SCORES is float64, not TYPE_FP32"),
        ({"LINE_SCORES": np.zeros((2, 3), np.float32)}, "LINE_SCORES has shape (2, 3), not (-1, 12)"),
        ({"LINE_SCORES": np.zeros(contract.C, np.float32)}, "LINE_SCORES has shape (12,), not (-1, 12)"),
        ({"TEXTS": np.array(["a"], object)}, "TEXTS holds something other than bytes"),
        ({"LINE_SCORES": np.full((1, contract.C), np.inf, np.float32)}, "LINE_SCORES is not finite"),
    ],
)
def test_the_first_breach_is_named(changed, breach):
    assert first_breach(TENSORS, arrays(**changed)) == breach


def test_every_data_type_of_the_contract_is_known():
    used = {each.dtype for stage in contract.STAGES for each in (*stage.inputs, *stage.outputs, stage.report)}
    assert used <= NUMPY_TYPES.keys()
