"""Errors on their way through Triton."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.tensors.errors import decode_error, encode_error


@given(
    st.sampled_from(ErrorCode),
    st.sampled_from(ErrorReason),
    st.text(),
    st.none() | st.text(),
    st.none() | st.floats(0, 1e6),
)
def test_an_error_comes_back_as_it_went_even_with_words_of_triton_s_around_it(code, reason, message, field, retry):
    sent = GatepostError(code, reason, message, field=field, retry_after_s=retry)
    back = decode_error(f"in ensemble 'moderate', [request id: 7] {encode_error(sent)}")
    assert (back.code, back.reason, back.message, back.field, back.retry_after_s) == (
        code,
        reason,
        message,
        field,
        retry,
    )


@pytest.mark.parametrize(
    "message",
    [
        "Failed to process the request(s): /srv/models/decode/1/model.py(12): execute",
        "{}",
        "{not json}",
        '{"code":"INTERNAL","reason":"NO_SUCH_REASON","message":"/srv"}',
        '{"code":"INTERNAL","reason":"INTERNAL","message":"m","retry_after_s":"soon"}',
        "[1] {2}",
        "",
    ],
)
def test_what_triton_says_itself_becomes_a_failed_model_without_its_words(message):
    error = decode_error(message, code=ErrorCode.UNAVAILABLE)
    assert error.reason == ErrorReason.MODEL_FAILED
    assert error.code == ErrorCode.UNAVAILABLE
    assert "/" not in error.message


def test_a_model_that_is_being_restarted_is_worth_another_try():
    error = decode_error("in ensemble 'moderate', Stub process 'decode_0_0' is not healthy.")
    assert error.code == ErrorCode.UNAVAILABLE
    assert error.reason == ErrorReason.MODEL_SERVER_UNAVAILABLE
    assert error.retry_after_s > 0
    assert "decode_0_0" not in error.message
