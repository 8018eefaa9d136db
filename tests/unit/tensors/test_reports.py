"""Stage reports on their way through Triton."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost_server.domain.evidence import ModelVersion, Skipped, StageReport
from gatepost_server.domain.labels import StageName
from gatepost_server.tensors.reports import decode_report, encode_report

REPORTS = st.builds(
    StageReport,
    stage=st.sampled_from(StageName),
    started=st.floats(0, 1e9),
    ended=st.floats(0, 1e9),
    models=st.lists(st.builds(ModelVersion, st.text(), st.text())).map(tuple),
    looked_at=st.dictionaries(st.text(), st.integers()),
    skipped=st.lists(st.builds(Skipped, st.text(), st.text())).map(tuple),
)


@given(REPORTS)
def test_a_report_comes_back_as_it_went(report):
    assert decode_report(encode_report(report)) == report


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b"{}", b'{"stage":"decode"}', b"\xff", b'{"stage":"lunch"}'])
def test_anything_else_is_refused(data):
    with pytest.raises(ValueError):  # noqa: PT011 - one kind for all, as its docstring says
        decode_report(data)
