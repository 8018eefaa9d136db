"""Settings: one TOML file with a table for each part, overlaid by the environment and the command line, built once.

    [log]      GATEPOST_LOG_*
    [triton]   GATEPOST_TRITON_*     serving.settings.TritonSettings
    [gateway]  GATEPOST_GATEWAY_*    gateway.settings.GatewaySettings
    [console]  GATEPOST_CONSOLE_*    console.settings.ConsoleSettings

Two underscores lead into a table: GATEPOST_TRITON_INSTANCES__CLIP=2. Parameters of models need no table:
GATEPOST_MODEL_<KEY> and GATEPOST_MODEL_<STAGE>_<KEY> reach the stages as they are (serving.parameters);
[triton.parameters] says the same in the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from pydantic import Field, ValidationError, create_model
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from gatepost_server.cli.logs import LogSettings
from gatepost_server.serving.settings import TritonSettings

TABLES = ("log", "triton", "gateway", "console")
TRITON_FIELDS = frozenset(field.name for field in fields(TritonSettings))

_Settings = TypeVar("_Settings", bound=BaseSettings)


class SettingsError(ValueError):
    """Settings that cannot be used; the message says which."""


def read_log(file: Path | None) -> LogSettings:
    """[log] of `file`. Raises SettingsError."""
    return read_table(LogSettings, "log", file, {})


def read_triton(file: Path | None, **overrides: Any) -> TritonSettings:
    """[triton] of `file`; overrides that are None say nothing. Raises SettingsError."""
    return TritonSettings(**dict(read_table(_TRITON, "triton", file, overrides)))


def check_tables(file: Path | None) -> None:
    """Refuse a file with a table that no part reads. Raises SettingsError."""
    for name in _tables(file):
        if name not in TABLES:
            raise SettingsError(f"{file}: {name} is none of [{'], ['.join(TABLES)}]")


def default_repository() -> Path:
    """./model_repository where there is one, else the one in the installed wheel, else the one beside these sources."""
    package, sources = Path(__file__).parents[1], Path(__file__).parents[3]
    places = [folder / "model_repository" for folder in (Path.cwd(), package, sources)]
    return next((place for place in places if place.is_dir()), places[-1])


def _triton_model() -> type[BaseSettings]:
    """TritonSettings with checked values: serving itself stays free of pydantic."""
    hints = get_type_hints(TritonSettings)
    checked: dict[str, Any] = {"repository": (Path, Field(default_factory=default_repository))}
    for each in fields(TritonSettings):
        if each.default_factory is not MISSING:
            checked[each.name] = (hints[each.name], Field(default_factory=each.default_factory))
        elif each.default is not MISSING:
            checked[each.name] = (hints[each.name], each.default)
    model = create_model("TritonTable", __base__=BaseSettings, **checked)
    model.model_config.update(
        SettingsConfigDict(env_prefix="GATEPOST_TRITON_", env_nested_delimiter="__", extra="forbid")
    )
    model.model_rebuild(force=True)
    return model


_TRITON = _triton_model()


def read_table(model: type[_Settings], table: str, file: Path | None, overrides: Mapping[str, Any]) -> _Settings:
    """A table of `file`, under the environment, under `overrides` that are not None. Raises SettingsError."""
    said = {name: value for name, value in overrides.items() if value is not None}
    try:
        return model(**_overlaid(_overlaid(_tables(file).get(table, {}), EnvSettingsSource(model)()), said))
    except ValidationError as error:
        raise invalid(table, error) from error


def invalid(table: str, error: ValidationError) -> SettingsError:
    """What is wrong in a table, by the setting's name in the file, without the values: they may be secret."""
    problems = []
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        problems.append(f"{'.'.join(map(str, (table, *each['loc'])))}: {each['msg']}")
    return SettingsError("\n".join(problems))


def _tables(file: Path | None) -> dict[str, dict[str, Any]]:
    if file is None:
        return {}
    try:
        return tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from error


def _overlaid(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _overlaid(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
