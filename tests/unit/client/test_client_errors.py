"""The error tree, and gRPC statuses to it."""

from __future__ import annotations

import copy
import pickle
import re

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.rpc import error_details_pb2

import gatepost_client
from gatepost.v1 import verdict_pb2
from gatepost_client import GatepostError, InvalidRequest, Overloaded, ServerError, errors
from gatepost_client._status import error_from_stream
from gatepost_client.errors import ERROR_FOR_STATUS
from gatepost_client.testing import Failure


def stream_error(failure: Failure) -> verdict_pb2.StreamError:
    status = failure.to_status()
    return verdict_pb2.StreamError(code=status.code, message=status.message, details=status.details)


def test_every_status_but_ok_has_a_kind() -> None:
    assert set(ERROR_FOR_STATUS) == set(grpc.StatusCode) - {grpc.StatusCode.OK}


def test_every_kind_is_in_the_docstrings_tree_in_the_package_and_used() -> None:
    kinds = {kind.__name__ for kind in vars(errors).values() if isinstance(kind, type) and kind is not GatepostError}
    kinds = {name for name in kinds if issubclass(getattr(errors, name), GatepostError)}
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or ""))
    assert drawn == kinds == {kind.__name__ for kind in ERROR_FOR_STATUS.values()}
    assert kinds <= set(gatepost_client.__all__)


@pytest.mark.parametrize("code", [*ERROR_FOR_STATUS])
def test_errors_of_a_stream_are_the_same_kinds(code: grpc.StatusCode) -> None:
    error = error_from_stream(stream_error(Failure(code, "SOME_REASON", retry_after=0.25)), "card-7")
    assert type(error) is ERROR_FOR_STATUS[code]
    assert (error.code, error.reason, error.retry_after, error.request_id) == (code, "SOME_REASON", 0.25, "card-7")


@pytest.mark.parametrize("number", [0, 99, -1])
def test_a_failure_with_no_failures_status_is_a_servers_error(number: int) -> None:
    assert type(error_from_stream(verdict_pb2.StreamError(code=number), "")) is ServerError


def test_details_that_cannot_be_read_leave_the_status_standing() -> None:
    broken = Any(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff\xff")
    foreign = Any(type_url="type.googleapis.com/google.rpc.Help", value=b"")
    error = error_from_stream(verdict_pb2.StreamError(code=3, message="no", details=[broken, foreign]), "")
    assert type(error) is InvalidRequest
    assert (error.reason, error.message, error.retry_after) == ("", "no", None)


def test_a_negative_wait_is_none() -> None:
    packed = Any()
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.seconds = -5
    packed.Pack(retry)
    assert error_from_stream(verdict_pb2.StreamError(code=8, details=[packed]), "").retry_after == 0


def test_an_error_says_what_where_and_for_which_request() -> None:
    error = InvalidRequest("cut short", reason="IMAGE_TRUNCATED", field="image", request_id="card-7")
    assert str(error) == "IMAGE_TRUNCATED: cut short (field image) [request card-7]"
    assert str(Overloaded("full", code=grpc.StatusCode.RESOURCE_EXHAUSTED)) == "RESOURCE_EXHAUSTED: full"


def test_errors_survive_pickling_and_copying() -> None:
    error = Overloaded("full", reason="OVERLOADED", code=grpc.StatusCode.RESOURCE_EXHAUSTED, retry_after=0.5)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is Overloaded
        assert vars(twin) == vars(error)
        assert str(twin) == str(error)
