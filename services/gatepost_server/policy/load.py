"""YAML to a checked, compiled policy."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from gatepost_server.domain.ticket import TicketTerms
from gatepost_server.policy.decoration import Decorations
from gatepost_server.policy.document import PolicyDocument
from gatepost_server.policy.lists import AllowList, BlockList, comparable
from gatepost_server.policy.rules import Rule, RuleError, compile_rule

MAX_BYTES = 1 << 20


class PolicyError(ValueError):
    """A policy file that cannot be used; the message names the file and the place in it."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy ready to judge. `version` is SHA-256 of its canonical content, first 16 hex digits."""

    document: PolicyDocument
    version: str
    rules: tuple[Rule, ...]
    block_list: BlockList
    allow_list: AllowList
    decorations: Decorations
    factor: float = 1.0  # what the thresholds of `document` were multiplied by, for one request

    @property
    def name(self) -> str:
        """The name that requests use."""
        return self.document.name

    @property
    def ticket_terms(self) -> TicketTerms:
        """What its release tickets say."""
        return TicketTerms(self.document.ticket.audience or self.name, self.document.ticket.ttl_s)


def load_policy(path: Path) -> Policy:
    """Read one file. Raises PolicyError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PolicyError(f"{path.name}: cannot be read: {error.strerror}") from error
    return parse_policy(data, source=path.name)


def parse_policy(data: bytes, *, source: str) -> Policy:
    """Check and compile a document; `source` names it in errors. Raises PolicyError."""
    if len(data) > MAX_BYTES:
        raise PolicyError(f"{source}: larger than {MAX_BYTES} bytes")
    try:
        content = yaml.load(data, Loader=_UniqueKeyLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PolicyError(f"{source}: not YAML: {error}") from error
    if not isinstance(content, dict):
        raise PolicyError(f"{source}: a policy is a mapping of keys")
    try:
        # Strict JSON types: `review: "0.5"` and `review: yes` are mistakes, not numbers.
        document = PolicyDocument.model_validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        raise PolicyError("\n".join(f"{source}: {line}" for line in _lines(error))) from error
    except (TypeError, ValueError) as error:
        raise PolicyError(f"{source}: holds a value that no policy uses (a date?): {error}") from error
    return _compile(document, source)


def version_of(document: PolicyDocument) -> str:
    """Hash of what the document says of images: comments, key order and YAML style do not change it, nor does what
    people are asked.
    """
    canonical = json.dumps(
        document.model_dump(mode="json", exclude={"review"}), sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _compile(document: PolicyDocument, source: str) -> Policy:
    rules = []
    for index, rule in enumerate(document.rules):
        try:
            rules.append(compile_rule(rule.name, rule.expression, rule.decision))
        except RuleError as error:
            raise PolicyError(f"{source}: rules[{index}].expression ({rule.name}): {error}") from error
    for kind in ("block_list", "allow_list"):
        for index, entry in enumerate(getattr(document, kind)):
            if not comparable(entry.text):
                raise PolicyError(f"{source}: {kind}[{index}].text: nothing is left of it after normalisation")
    return Policy(
        document,
        version_of(document),
        tuple(rules),
        BlockList(document.block_list),
        AllowList(document.allow_list),
        Decorations(document.asked_text.decorative),
    )


def _lines(error: ValidationError) -> list[str]:
    return [f"{_path(detail['loc'])}: {detail['msg']}" for detail in error.errors(include_url=False)]


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.removeprefix(".") or "(document)"


class _UniqueKeyLoader(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys in silence; in a policy that would hide a threshold."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)
