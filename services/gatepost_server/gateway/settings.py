"""The gateway's settings: a TOML file's table [gateway], overlaid by GATEPOST_GATEWAY_* of the environment."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from gatepost_server.domain.keeping import KeepImages
from gatepost_server.gateway.credentials.oidc import Algorithm
from gatepost_server.gateway.images import check_prefix
from gatepost_server.moderate.shadow import MOST
from gatepost_server.policy.book import DEFAULT_POLICY

MIB = 1 << 20

_URL_SECRETS = re.compile(r"(?<=://).*(?=@)|(?<=\?).+", re.DOTALL)

Seconds = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class TlsSettings(BaseModel):
    """PEM files. With `client_ca`, callers must show a certificate that it signed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    certificate: Path
    key: Path
    client_ca: Path | None = None


class TritonTlsSettings(BaseModel):
    """PEM files for the way to Triton; `certificate` and `key` for mutual TLS."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ca: Path
    certificate: Path | None = None
    key: Path | None = None


class OidcSettings(BaseModel):
    """JSON Web Tokens of an OIDC issuer as credentials: docs/security.md."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: Annotated[str, Field(min_length=1, description="`iss`, exactly")]
    audience: Annotated[str, Field(min_length=1, description="What `aud` must hold")]
    jwks: Annotated[str, Field(min_length=1, description="https://... of the issuer's keys, or a file")]
    jwks_ca: Path | None = Field(None, description="PEM file of the CA behind that address; None: the system's")
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = ("RS256", "ES256")
    leeway_s: Annotated[float, Field(ge=0.0, le=300.0)] = 30.0
    tenant_claim: str = "tenant"
    roles_claim: str = "roles"
    role_prefix: str = ""


class GatewaySettings(BaseSettings):
    """Built once by the command line and passed down; see `load`. Nested ones: GATEPOST_GATEWAY_TLS__KEY=..."""

    model_config = SettingsConfigDict(
        env_prefix="GATEPOST_GATEWAY_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,  # it may be a token
    )

    # Not called `port`: Kubernetes sets GATEPOST_GATEWAY_PORT for a service named gatepost-gateway.
    listen: str = Field("127.0.0.1:50051", description="Address to serve on; port 0 picks a free one")
    triton: str = Field("127.0.0.1:8001", description="Triton's gRPC address")
    triton_tls: TritonTlsSettings | None = None
    tls: TlsSettings | None = Field(None, description="Serve over TLS; without it, plain text")
    credentials: Path | None = Field(None, description="File of `gatepostd tokens`: hashes of bearer tokens")
    oidc: OidcSettings | None = None
    tenants: Path | None = Field(None, description="TOML file of tenants: policies, pace, quota, certificates")
    # Kept from before there was a file: plain, one tenant, changed by a restart only.
    tokens: tuple[SecretStr, ...] = Field((), description="Bearer tokens of the tenant `default`")

    http_listen: str | None = Field(
        None, description="Address of the page with public keys and health, without TLS; none: there is no page"
    )
    ticket_keys: Path | None = Field(None, description="Folder of `gatepostd keys`; none: ALLOW carries no ticket")
    ticket_issuer: str = Field("gatepost", min_length=1, max_length=256, description="What tickets say in `iss`")

    policies: Path | None = Field(None, description="Folder of more policies; may replace shipped ones by name")
    default_policy: str = DEFAULT_POLICY
    shadow_policies: tuple[str, ...] = Field(
        (), max_length=MOST, description="Policies that are tried beside the real one: told, never acted on"
    )
    word_lists: Path | None = Field(
        None, description="Folder of the text model's word lists; none: abuse in earlier turns goes unseen"
    )

    max_image_bytes: Count = 20 * MIB
    # Above the image limit, so that an image somewhat too large gets a typed error and not gRPC's bare one.
    max_message_bytes: Count = 64 * MIB
    max_images_in_flight: Count = 32
    max_stream_images_in_flight: Count | None = Field(
        None, description="The share of streams and of all that is not interactive; by default 3/4"
    )
    background_images: Count = Field(
        2, description="Of those for which nobody waits, how many are at the models at a time; a GPU takes more"
    )
    background_images_beside: Annotated[int, Field(ge=0)] = Field(
        0,
        description="How many images of a re-scan may begin beside an interactive one, but for one every five seconds",
    )
    max_bytes_in_flight: Count = 256 * MIB
    max_streams: Count = 64
    max_watches: Count = Field(256, description="Calls of WatchVerdict open at a time")
    max_review_watches: Count = Field(1_024, description="Those of them that wait until people decide")
    stream_window: Count = Field(16, description="Images of one stream read and not yet answered")
    max_connection_age_s: Seconds | None = Field(None, description="Close connections after this, for balancers")

    max_deadline_s: Seconds = Field(30.0, description="Longest that one image may take, also without a deadline")
    deadline_margin_s: Seconds = Field(
        0.15, description="Kept of the caller's deadline to write down a HOLD and answer"
    )
    retry_after_s: Seconds = Field(0.5, description="RetryInfo of RESOURCE_EXHAUSTED")
    grace_s: Seconds = Field(20.0, description="How long images inside may finish after SIGTERM")
    canary_interval_s: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] = Field(
        60.0, description="How often a known-good and a known-bad card are judged; 0: never"
    )
    canary_answer_s: Seconds = Field(20.0, description="How long a canary may take")
    watch_interval_s: Seconds = Field(0.5, description="How often Triton's readiness is looked at")

    verdict_store_bytes: Count = Field(64 * MIB, description="About how much memory GetVerdict's verdicts may take")
    verdict_ttl_s: Seconds = 3_600.0

    backlog: SecretStr | None = Field(  # a URL may hold a password
        None, description="File (SQLite) or database URL that keeps what could not be judged in time; none: an error"
    )
    backlog_images: Count = Field(1_000, description="The most that may wait in the backlog")
    backlog_bytes: Count = 1024 * MIB
    nearline_workers: Count = Field(2, description="Images of the backlog judged at a time")
    bank: SecretStr | None = Field(
        None, description="File (SQLite) or database URL of the known-bad bank; none: there is none"
    )
    bank_poll_s: Seconds = Field(1.0, description="How often the bank is asked whether it changed")
    same_request_s: Annotated[float, Field(ge=0.0)] = Field(
        300.0, description="How long the same request id with the same content has the same verdict"
    )

    record: SecretStr | None = Field(
        None,
        description="File (SQLite) or database URL that every verdict is written down in; none: there is no record",
    )
    record_handover: Path | None = Field(
        None, description="File of verdicts on their way there; by default handover.db beside the record's file"
    )
    record_handover_entries: Count = Field(10_000, description="The most verdicts on their way")
    record_handover_bytes: Count = 512 * MIB
    record_images: str | None = Field(None, description="Folder or s3:// URL of kept images; none: no image is kept")
    record_keep_images: KeepImages = Field(
        KeepImages.REFUSED, description="Whose images are kept: none, refused (REVIEW and BLOCK) or all"
    )
    image_keys: SecretStr | None = Field(
        None, description='"id:base64 ...", 32 bytes each: the first seals images, all open; none: no image is kept'
    )
    review_due_s: Seconds = Field(14_400.0, description="How soon a person looks at a REVIEW")
    appeal_due_s: Seconds = Field(14_400.0, description="How soon a person looks at an appeal")
    review_poll_s: Seconds = Field(
        1.0, description="How often the record is asked what people did, while anybody waits"
    )

    evidence_cache_bytes: Annotated[int, Field(ge=0)] = Field(
        32 * MIB, description="Memory for what the models saw of images lately, for the same ones sent again; 0: none"
    )
    evidence_cache_s: Seconds = Field(300.0, description="How long that is kept")

    image_uri_prefixes: tuple[str, ...] = Field(
        (), description="file:///folder/, http(s)://host/path/ that image_uri may begin with; none: refused"
    )
    image_uri_timeout_s: Seconds = 5.0

    otlp: str | None = Field(
        None,
        pattern="^https?://.",
        description="Address of an OTLP receiver (gRPC) for traces; none: nothing is traced",
    )
    trace_share: Annotated[float, Field(ge=0.0, le=1.0)] = Field(
        0.01, description="Of the calls whose callers do not say themselves whether they are traced"
    )

    log_text: bool = Field(False, description="Log prompts and texts that were read; for debugging only")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.record is not None and "://" in self.record.get_secret_value() and self.record_handover is None:
            raise ValueError("a record behind a URL needs record_handover, a file on a disk that outlives the gateway")
        if self.max_message_bytes < self.max_image_bytes + MIB:
            raise ValueError("max_message_bytes must be at least max_image_bytes + 1 MiB")
        if self.max_bytes_in_flight < self.max_image_bytes:
            raise ValueError("max_bytes_in_flight must be at least max_image_bytes")
        if self.stream_images > self.max_images_in_flight:
            raise ValueError("max_stream_images_in_flight must not exceed max_images_in_flight")
        for prefix in self.image_uri_prefixes:
            check_prefix(prefix)
        for name, secret in (("backlog", self.backlog), ("bank", self.bank)):
            place = "" if secret is None else secret.get_secret_value()
            if "://" not in place and re.match(r"[a-z][a-z0-9+]*:", place):
                raise ValueError(f"{name} is neither a file nor a URL with ://")
        return self

    @classmethod
    def load(cls, file: Path | None = None, **overrides: Any) -> Self:
        """Overrides (command line) before environment before `file`. Raises ValueError, OSError."""
        table = _table(file) if file is not None else {}
        return cls(**_overlaid(_overlaid(table, EnvSettingsSource(cls)()), overrides))

    @property
    def stream_images(self) -> int:
        """Of max_images_in_flight, those that may be of streams; the rest is kept for those that somebody waits for."""
        return self.max_stream_images_in_flight or max(1, self.max_images_in_flight * 3 // 4)

    @property
    def scorer_calls(self) -> int:
        """The most that may be out at the model server: near-line work and canaries take no place of what is let in."""
        nearline = self.nearline_workers if self.backlog is not None else 0
        return self.max_images_in_flight + nearline + (1 if self.canary_interval_s else 0)

    def printable(self) -> dict[str, Any]:
        """Everything but secrets, for the log at start."""
        return {name: _masked(value) for name, value in self.model_dump(mode="json").items()}


def _table(file: Path) -> dict[str, Any]:
    table = tomllib.loads(file.read_text()).get("gateway", {})
    if not isinstance(table, dict):
        raise ValueError(f"{file.name}: 'gateway' is not a table")
    return table


def _masked(value: Any) -> Any:
    """Without what URLs may hold of secrets: user, password, query."""
    if isinstance(value, dict):
        return {name: _masked(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_masked(each) for each in value]
    return _URL_SECRETS.sub("**********", value) if isinstance(value, str) else value


def _overlaid(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _overlaid(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
