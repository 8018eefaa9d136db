"""The console's settings: a TOML file's table [console], overlaid by GATEPOST_CONSOLE_* of the environment.

What it shares with the gateway (record, images, keys, bank, policies) has the gateway's value where it is not said.
"""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Seconds = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


class ConsoleOidc(BaseModel):
    """An OpenID Connect issuer that people sign in with: docs/console.md. Claims may be paths: "realm_access.roles"."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: Annotated[
        str, Field(pattern=r"^(https://|http://(localhost|127\.0\.0\.1)[:/])", description="`iss`, exactly")
    ]
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: SecretStr | None = Field(None, description="None: a public client, with PKCE alone")
    scope: str = "openid"
    name_claim: str = Field("sub", description="What accounts are named after: never given to another person")
    roles_claim: str = Field("roles", description="viewer, reviewer or admin are among its words")
    role_prefix: str = Field(
        "", description="Before those words, where roles of several applications stand in one claim"
    )
    timeout_s: Seconds = 10.0


class ConsoleSettings(BaseSettings):
    """Built once by the command line and passed down."""

    model_config = SettingsConfigDict(
        env_prefix="GATEPOST_CONSOLE_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    listen: str | None = Field(
        None, description="host:port; port 0 picks a free one. By default 127.0.0.1:8080, in `up` a free port there"
    )
    enabled: bool = Field(True, description="Whether `gatepostd up` runs a console too")
    public_url: str | None = Field(
        None, description="https://... that people use, of the proxy in front; must be said where `listen` is not local"
    )
    session_s: Seconds = Field(43_200.0, description="How long somebody stays signed in, at most")
    session_idle_s: Seconds = Field(3_600.0, description="... and without doing anything")
    claim_s: Seconds = Field(900.0, description="How long an item is somebody's who opened it to decide")

    oidc: ConsoleOidc | None = Field(None, description="An issuer that people sign in with; none: passwords alone")

    record: SecretStr | None = Field(None, description="As the gateway's; a URL may hold a password")
    record_images: str | None = None
    image_keys: SecretStr | None = None
    bank: SecretStr | None = None
    ticket_keys: Path | None = None
    ticket_issuer: str | None = None
    policies: Path | None = None
    default_policy: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.public_url is not None:
            parts = urlsplit(self.public_url)
            if parts.scheme != "https" or not parts.hostname or parts.path.strip("/") or parts.query:
                raise ValueError("public_url is https://host or https://host:port")
        if self.listen is not None and self.public_url is None and not _is_here(self.listen):
            raise ValueError("a console that others reach needs public_url, the https:// address of a proxy with TLS")
        return self

    @property
    def secure(self) -> bool:
        """Whether people use it over TLS."""
        return self.public_url is not None

    @property
    def hosts(self) -> tuple[str, ...]:
        """What the Host header may say: a name that somebody points at this machine is none of them."""
        public = urlsplit(self.public_url).hostname if self.public_url is not None else None
        return ("127.0.0.1", "localhost", "[::1]", *(() if public is None else (public,)))


def _is_here(listen: str) -> bool:
    host = listen.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
