"""Settings and policies that the documents show can be used as they stand."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from gatepost_server.console.settings import ConsoleSettings
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.policy.document import PolicyDocument
from gatepost_server.policy.rules import compile_rule
from gatepost_server.serving.settings import TritonSettings
from tests.docs_commands import PAGES, Block, blocks

SHIPPED = Path(__file__).parents[2] / "services" / "gatepost_server" / "policy" / "policies" / "greeting-card.yaml"
TABLES = {
    "gateway": set(GatewaySettings.model_fields),
    "console": set(ConsoleSettings.model_fields),
    "triton": {each.name for each in fields(TritonSettings)},
}


def shown(language: str) -> list[Any]:
    found = [block for page in PAGES for block in blocks(page) if block.language == language]
    return [pytest.param(block, id=block.place) for block in found]


@pytest.mark.parametrize("block", shown("toml"))
def test_settings_are_toml_and_have_the_names_that_are_read(block: Block) -> None:
    said = tomllib.loads(block.text)
    assert said
    for table, known in TABLES.items():
        assert said.get(table, {}).keys() <= known


@pytest.mark.parametrize("block", shown("yaml"))
def test_parts_of_policies_fit_into_one(block: Block) -> None:
    said = yaml.safe_load(block.text)
    whole = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    policy = PolicyDocument.model_validate(whole | said)
    for rule in policy.rules:
        compile_rule(rule.name, rule.expression, rule.decision)
