"""Tenants: what each may ask for, and how much. A TOML file with a table for each, read again when it changes."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.gateway.credentials.caller import ASKER, TENANT, Caller, Role
from gatepost_server.gateway.credentials.token_file import said
from gatepost_server.gateway.credentials.watched import FileError, WatchedFile
from gatepost_server.moderate.shadow import MOST
from gatepost_server.policy.book import PolicyBook
from gatepost_server.policy.load import Policy, PolicyError


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CertificateTerms(_Table):
    """A client certificate that is this tenant's; `name` as credentials.certificates.certificate_names gives it."""

    name: Annotated[str, Field(pattern=r"^(dns|uri|email|subject):.")]
    roles: Annotated[frozenset[Role], Field(min_length=1)] = ASKER


class Tenant(_Table):
    """What one tenant may ask for. What is not said is not limited."""

    policies: Annotated[tuple[str, ...], Field(min_length=1)] | None = None  # None: all
    default_policy: str = ""  # "": the operator's, or the first of `policies` where that is not among them
    shadow_policies: Annotated[tuple[str, ...], Field(max_length=MOST)] | None = None  # None: the operator's
    images_per_second: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] | None = None
    burst: Annotated[int, Field(ge=1)] | None = None  # images at once after a pause; None: those of a second
    images_per_day: Annotated[int, Field(ge=0)] | None = None  # of UTC
    certificates: tuple[CertificateTerms, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.policies is not None and self.default_policy and self.default_policy not in self.policies:
            raise ValueError("default_policy is not among policies")
        if self.burst is not None and self.images_per_second is None:
            raise ValueError("burst without images_per_second limits nothing")
        return self


UNLIMITED = Tenant()

_TENANTS = TypeAdapter(dict[Annotated[str, Field(pattern=f"^{TENANT}$")], Tenant])


class Tenants:
    """Those of the file as it stands; without a file, everybody whom a credential names, without limits."""

    def __init__(self, file: WatchedFile[Mapping[str, Tenant]] | None, policies: PolicyBook) -> None:
        self._file = file
        self._policies = policies
        self._books: dict[str, tuple[Tenant, PolicyBook]] = {}

    def find(self, name: str) -> Tenant:
        """Raises GatepostError (PERMISSION_DENIED, TENANT_UNKNOWN)."""
        if self._file is None:
            return UNLIMITED
        tenant = self._file.current().get(name)
        if tenant is None:
            raise GatepostError(
                ErrorCode.PERMISSION_DENIED, ErrorReason.TENANT_UNKNOWN, "the credential's tenant is not served here"
            )
        return tenant

    def book(self, name: str) -> PolicyBook:
        """The policies that this tenant may name. Raises GatepostError as `find`."""
        tenant = self.find(name)
        known = self._books.get(name)
        if known is None or known[0] is not tenant:
            known = self._books[name] = (tenant, _book(tenant, self._policies))
        return known[1]

    def shadows(self, name: str, ours: tuple[str, ...]) -> list[Policy]:
        """The policies that are tried on this tenant's images; `ours` are the operator's. Raises as `find`."""
        own = self.find(name).shadow_policies
        return [self._policies.get(each) for each in (ours if own is None else own)]

    def policy_for(self, name: str, asked: str) -> str:
        """The policy that a request of this tenant means. Raises GatepostError, also INVALID_ARGUMENT as if unknown."""
        return self.book(name).for_request(asked).name

    def certificates(self) -> Mapping[str, Caller]:
        """Who each certificate's name is."""
        tenants = self._file.current() if self._file is not None else {}
        return {
            each.name: Caller(name, each.roles, f"certificate:{each.name}")
            for name, tenant in tenants.items()
            for each in tenant.certificates
        }


def parser(policies: PolicyBook) -> Callable[[bytes], Mapping[str, Tenant]]:
    """Reads the file; it raises FileError, also for a policy that there is not and a certificate that two claim."""
    known = {policy.name for policy in policies}

    def parse(data: bytes) -> Mapping[str, Tenant]:
        try:
            tenants = _TENANTS.validate_python(tomllib.loads(data.decode()))
        except ValidationError as error:
            raise FileError(said(error)) from None
        except ValueError:  # not UTF-8, not TOML; the message could quote it
            raise FileError("not TOML") from None
        claimed: set[str] = set()
        for name, tenant in tenants.items():
            for policy in (
                *(tenant.policies or ()),
                *(tenant.shadow_policies or ()),
                *filter(None, [tenant.default_policy]),
            ):
                if policy not in known:
                    raise FileError(f"{name}: there is no policy {policy!r}")
            for certificate in tenant.certificates:
                if certificate.name in claimed:
                    raise FileError(f"{name}: certificate {certificate.name!r} stands there twice")
                claimed.add(certificate.name)
        return tenants

    return parse


def check_shadows(names: tuple[str, ...], policies: PolicyBook) -> None:
    """Raises PolicyError for a name that is no policy's."""
    known = {policy.name for policy in policies}
    for name in names:
        if name not in known:
            raise PolicyError(f"shadow_policies: there is no policy {name!r}")


def open_tenants(path: Path | None, policies: PolicyBook) -> Tenants:
    """Raises FileError."""
    return Tenants(None if path is None else WatchedFile(path, parser(policies)), policies)


def _book(tenant: Tenant, policies: PolicyBook) -> PolicyBook:
    allowed = [policy for policy in policies if tenant.policies is None or policy.name in tenant.policies]
    names = [policy.name for policy in allowed]
    ours = policies.default if policies.default in names else (tenant.policies or names)[0]
    return PolicyBook(allowed, default=tenant.default_policy or ours)
