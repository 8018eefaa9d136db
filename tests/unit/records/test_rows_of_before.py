"""Rows that an earlier version wrote are read by this one."""

from __future__ import annotations

import json

from gatepost_server.records.codec import request_from_json, request_to_json, verdict_from_json, verdict_to_json
from tests.builders import request
from tests.unit.records.backlog_contract import held


def test_a_row_without_a_tenant_is_the_default_tenants():
    verdict, asked = json.loads(verdict_to_json(held())), json.loads(request_to_json(request()))
    for row in (verdict, asked):
        del row["tenant"]
    assert verdict_from_json(json.dumps(verdict).encode()).tenant == "default"
    assert request_from_json(json.dumps(asked).encode(), b"png").tenant == "default"
