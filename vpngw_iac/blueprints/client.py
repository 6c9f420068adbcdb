"""Point-to-site: how clients sign in, which addresses they get, which groups they belong to."""

import base64
import binascii
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, cast

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    Tag,
    ValidationInfo,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from vpngw_iac.blueprints.network import Prefixes
from vpngw_iac.blueprints.part import SECRET_SCHEMA, Many, Name, NamedValues, Part, SecretField, Short, listed
from vpngw_iac.blueprints.site import AnyIpsecPolicy
from vpngw_iac.errors import InvalidValue
from vpngw_iac.field import Guid, Ipv4, Wire, rule_error
from vpngw_iac.files import UnreadableFile, owned, read_bytes, text_of
from vpngw_iac.secret import KeyVaultCertificate

if TYPE_CHECKING:
    from datetime import datetime

MICROSOFT_AUDIENCE = "c632b3df-fb67-4d84-bdcf-b95ad541b5c8"
"""The application that Microsoft registered for the Azure VPN client (R-AAD-01)."""

_ARMOUR = re.compile(r"-----BEGIN CERTIFICATE-----(?P<data>.*?)-----END CERTIFICATE-----", re.DOTALL)


class CertificateFacts(Part):
    """What a certificate says about itself; what must be true of it is decided by the checks."""

    subject: str
    """Distinguished name, RFC 4514."""
    is_authority: bool
    """Whether the basic constraints call it a CA."""
    is_self_signed: bool
    """Whether issuer and subject are the same."""
    key_type: str
    """``RSA``, ``EC`` or another name."""
    key_bits: int
    """Size of the key."""
    not_before: str
    """ISO 8601, UTC."""
    not_after: str
    """ISO 8601, UTC."""
    thumbprint: str
    """SHA-1, upper case, as Azure and Windows show it."""


class RootCertificate(Part):
    """A root whose clients may connect: made by `file`, `pem`, `base64` or `key_vault`, kept as one line.

    ``RootCertificate.file("offices", "root.pem")``
    """

    stands: ClassVar[str] = "VpnGateway: properties.vpnClientConfiguration.vpnClientRootCertificates[0]"

    name: Annotated[str, Field(pattern=r"^[^\s/\\?#%&<>:\"*|]+$", max_length=80), Wire("name")]
    """Name in Azure, without spaces (R-CERTP-03)."""
    data: Annotated[str, Field(repr=False), Wire("properties.publicCertData")]
    """Base-64 X.509 in one line, without header lines (R-CERTP-02); ``key-vault:VAULT/NAME`` until it is read."""

    @classmethod
    def file(cls, name: str, path: str | Path) -> "RootCertificate":
        """Read a PEM or DER file; a relative path is relative to the file that calls this."""
        caller = sys._getframe(1).f_globals.get("__file__")
        beside = NamedValues(directory=Path(caller).parent if caller else None)
        return cls.model_validate({"name": name, "file": str(path)}, context=beside)

    @classmethod
    def pem(cls, name: str, text: str) -> "RootCertificate":
        """Take a PEM text, with its header lines."""
        return cls.model_validate({"name": name, "pem": text})

    @classmethod
    def base64(cls, name: str, text: str) -> "RootCertificate":
        """Take Base-64 data, in one line or several."""
        return cls.model_validate({"name": name, "base64": text})

    @classmethod
    def key_vault(cls, name: str, vault: str, secret: str, version: str | None = None) -> "RootCertificate":
        """Take it from Azure Key Vault at plan: PEM, or Base-64, of the public certificate alone in a secret.

        The secret that belongs to a Key Vault *certificate* of the same name holds its private key, and is refused.
        """
        return cls.model_validate({"name": name, "key_vault": {"vault": vault, "name": secret, "version": version}})

    @model_validator(mode="before")
    @classmethod
    def _any_form(cls, value: Any, info: ValidationInfo) -> Any:
        """In YAML: one of ``file``, ``pem``, ``base64``, ``key_vault`` beside the name."""
        if not isinstance(value, Mapping) or "data" in value:
            return value
        forms = [form for form in ("file", "pem", "base64", "key_vault") if form in value]
        wanted = Mapping if forms == ["key_vault"] else str
        if len(forms) != 1 or not isinstance(value[forms[0]], wanted):
            raise rule_error(
                "T-CERT", "Give exactly one of file, pem, base64 and key_vault: {vault, name} for a root certificate."
            )
        rest = {key: item for key, item in value.items() if key not in forms}
        if forms[0] == "file":
            directory = info.context.directory if isinstance(info.context, NamedValues) else None
            return {**rest, "data": _read(value["file"], directory)}
        if forms[0] == "key_vault":
            return {**rest, "data": _reference(value["key_vault"])}
        return {**rest, "data": _from_text(value[forms[0]])}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        shape = handler.resolve_ref_schema(handler(schema))
        text = {"type": "string"}
        in_vault = SECRET_SCHEMA["properties"]["key_vault"]["properties"]
        vault = {"type": "object", "properties": in_vault, "required": ["vault", "name"], "additionalProperties": False}
        shape["properties"] |= {"file": text, "pem": text, "base64": text, "key_vault": vault}
        shape["required"] = ["name"]
        shape["oneOf"] = [{"required": [form]} for form in ("data", "file", "pem", "base64", "key_vault")]
        return shape

    @model_validator(mode="after")
    def _is_x509(self) -> "RootCertificate":
        if KeyVaultCertificate.described(self.data) is None:
            _decode(self.data)
        return self

    def facts(self) -> CertificateFacts:
        """What the certificate says about itself; raises ValueError if it is not X.509."""
        return certificate_facts(self.data)


def certificate_facts(data: str) -> CertificateFacts:
    """Facts of a certificate in one-line Base-64. The only function here that loads `cryptography`."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    certificate = x509.load_der_x509_certificate(base64.b64decode(data))
    try:
        authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        authority = False
    key = certificate.public_key()
    kinds = {rsa.RSAPublicKey: "RSA", ec.EllipticCurvePublicKey: "EC"}
    kind = next((name for of, name in kinds.items() if isinstance(key, of)), type(key).__name__)
    return CertificateFacts(
        subject=certificate.subject.rfc4514_string(),
        is_authority=bool(authority),
        is_self_signed=certificate.subject == certificate.issuer,
        key_type=kind,
        key_bits=int(getattr(key, "key_size", 0)),
        not_before=_iso(certificate.not_valid_before_utc),
        not_after=_iso(certificate.not_valid_after_utc),
        thumbprint=certificate.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - the name Azure knows it by
    )


def _iso(moment: "datetime") -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _read(path: str | Path, directory: Path | None) -> str:
    target = (directory or Path.cwd()) / path
    try:
        content = read_bytes(target)
    except UnreadableFile as error:
        owner = f"; {owned(target)}" if error.denied else ""
        raise rule_error("T-CERT", f"The certificate file {path} cannot be read: {error.reason}{owner}.") from None
    if content[:1] == b"\x30":
        return base64.b64encode(content).decode()
    try:
        return _from_text(text_of(content, path).encode("ascii").decode())
    except UnreadableFile as error:
        told = f"The certificate file {path} cannot be read: {error.reason}. {error.advice}".strip()
        raise rule_error("T-CERT", told) from None
    except UnicodeEncodeError:
        raise rule_error("T-CERT", f"The file {path} is neither a PEM nor a DER certificate.") from None


def _reference(where: Mapping[Any, Any]) -> str:
    try:
        return KeyVaultCertificate(**{str(key): value for key, value in where.items()}).describe()
    except InvalidValue as error:
        raise rule_error("T-CERT", error.message) from None


def _from_text(text: str) -> str:
    """One line of Base-64 from PEM, Base-64 over several lines, or PEM that was encoded once more."""
    if "PRIVATE KEY" in text:
        raise rule_error("T-CERT", "This holds a private key. Only the public certificate belongs into a blueprint.")
    found = _ARMOUR.findall(text)
    if len(found) > 1:
        raise rule_error("T-CERT", f"There are {len(found)} certificates in it. Give the root certificate alone.")
    data = re.sub(r"\s+", "", found[0] if found else text)
    inner = _decode(data, strict=False)
    return _from_text(inner.decode("ascii", "replace")) if inner.startswith(b"-----BEGIN") else data


def _decode(data: str, *, strict: bool = True) -> bytes:
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise rule_error("R-CERTP-02", "This is not a certificate: expected PEM, DER or Base-64 X.509.") from None
    if strict and content[:1] != b"\x30":
        raise rule_error("R-CERTP-02", "This is not a certificate: its content is not X.509.")
    return content


def _thumbprint(value: str) -> str:
    clean = re.sub(r"[\s:]", "", value).upper()
    if not re.fullmatch(r"[0-9A-F]{40}", clean):
        raise rule_error("R-CERTP-04", f"{value!r} is not a SHA-1 thumbprint of 40 hexadecimal digits.")
    return clean


class RevokedCertificate(Part):
    """A client certificate that may no longer connect.

    ``RevokedCertificate(name="lost-laptop", thumbprint="6F:2A" + ":00" * 18)``
    """

    stands: ClassVar[str] = "VpnGateway: properties.vpnClientConfiguration.vpnClientRevokedCertificates[0]"

    name: Annotated[str, Field(min_length=1, max_length=80), Wire("name")]
    thumbprint: Annotated[str, AfterValidator(_thumbprint), Wire("properties.thumbprint")]
    """SHA-1 thumbprint; spaces and colons are removed (R-CERTP-04)."""


def _revoked(value: Any) -> Any:
    """A mapping of name to thumbprint is a short form."""
    if isinstance(value, Mapping):
        return tuple({"name": name, "thumbprint": thumbprint} for name, thumbprint in value.items())
    return value


_REVOKED_MAP = {"type": "object", "additionalProperties": {"type": "string"}}

if TYPE_CHECKING:
    Revoked = Sequence[RevokedCertificate] | Mapping[str, str]
else:
    Revoked = Annotated[Many[RevokedCertificate], Short(_revoked, _REVOKED_MAP)]


class Certificates(Part):
    """Clients sign in with a certificate issued by one of the roots.

    ``Certificates(roots=RootCertificate.file("offices", "root.pem"))``
    """

    stands: ClassVar[str] = "VpnGateway: properties.vpnClientConfiguration"

    roots: Annotated[
        Many[RootCertificate], listed, Field(min_length=1), Wire("vpnClientRootCertificates", by_code=True)
    ]
    """At most 20 (R-CERTP-01). Removing one locks out every client it issued (R-CERTP-08)."""
    revoked: Annotated[Revoked, Wire("vpnClientRevokedCertificates", by_code=True)] = ()
    """At most 300 (R-CERTP-01)."""

    @property
    def own_revoked(self) -> tuple[RevokedCertificate, ...]:
        """The revoked certificates, whichever way they were written."""
        return cast("tuple[RevokedCertificate, ...]", self.revoked)


Cloud = Literal["public", "usgovernment", "china"]


class EntraId(Part):
    """Users sign in with Microsoft Entra ID; OpenVPN only (R-P2S-03).

    ``EntraId(tenant="44444444-4444-4444-8444-444444444444")``
    """

    stands: ClassVar[str] = "VpnGateway: properties.vpnClientConfiguration"

    tenant: Annotated[Guid, Wire("aadTenant", by_code=True)]
    """Tenant id of the users."""
    audience: Annotated[Guid, Wire("aadAudience")] = MICROSOFT_AUDIENCE
    """Application id; default: the one Microsoft registered for the Azure VPN client (R-AAD-01)."""
    issuer: Annotated[str | None, Wire("aadIssuer", by_code=True)] = None
    """Default: ``https://sts.windows.net/{tenant}/`` with its trailing slash (R-AAD-03)."""
    cloud: Annotated[Cloud, Wire("aadTenant", by_code=True)] = "public"
    """Cloud of the tenant; decides the address of the sign-in service (ENTRA)."""


class RadiusServer(Part):
    """A RADIUS server: ``RadiusServer(address="10.10.1.4", secret=Secret.env("RADIUS_SECRET"), score=30)``."""

    stands: ClassVar[str] = "VpnGateway: properties.vpnClientConfiguration.radiusServers[0]"

    address: Annotated[Ipv4, Wire("radiusServerAddress")]
    secret: Annotated[SecretField, Wire("radiusServerSecret")]
    """Where the shared secret of the server is found."""
    score: Annotated[Annotated[int, Field(ge=1, le=30)] | None, Wire("radiusServerScore")] = None
    """Preference, 1 to 30, the higher is asked first; needed with two servers (R-RAD-03)."""


class Radius(Part):
    """Users sign in through one or two RADIUS servers in the network or over site-to-site (R-RAD-02).

    ``Radius(servers=RadiusServer(address="10.10.1.4", secret=Secret.env("RADIUS_SECRET")))``
    """

    stands: ClassVar[str] = "VpnGateway: properties.vpnClientConfiguration"

    servers: Annotated[
        Many[RadiusServer], listed, Field(min_length=1, max_length=2), Wire("radiusServers", by_code=True)
    ]
    """The servers; two of them need scores."""


class EntraGroup(Part):
    """Members of an Entra ID group: ``EntraGroup(id="33333333-3333-4333-8333-333333333333")``."""

    id: Guid
    """Object id of the group (R-UG-06)."""
    member_name: Name | None = None
    """Name of the member in Azure. Default: ``member1`` and so on; what another tool named keeps its name."""


class CertificateDomain(Part):
    """Users whose certificate's common name ends in this domain (R-UG-06).

    ``CertificateDomain(name="marketing.example.com")``
    """

    name: Annotated[str, Field(min_length=1)]
    """The domain, for example ``marketing.example.com``."""
    member_name: Name | None = None
    """Name of the member in Azure. Default: ``member1`` and so on; what another tool named keeps its name."""


class RadiusGroup(Part):
    """Users for whom the RADIUS server answers this group value (R-UG-06): ``RadiusGroup(value="6ad1bd08")``."""

    value: Annotated[str, Field(min_length=1)]
    member_name: Name | None = None
    """Name of the member in Azure. Default: ``member1`` and so on; what another tool named keeps its name."""


def _form(value: Any, forms: Mapping[str, type[Part]]) -> str:
    """Tag of a union whose members are told apart by the one field that each must have."""
    if isinstance(value, Mapping):
        found = next((key for key in forms if key in value), "")
    else:
        found = next((key for key, form in forms.items() if isinstance(value, form)), "")
    return f"<{found}>"


Member = Annotated[
    Annotated[EntraGroup, Tag("<id>")]
    | Annotated[CertificateDomain, Tag("<name>")]
    | Annotated[RadiusGroup, Tag("<value>")],
    Discriminator(lambda value: _form(value, {"id": EntraGroup, "name": CertificateDomain, "value": RadiusGroup})),
]
"""Who belongs to a group: ``{id: ...}``, ``{name: ...}`` or ``{value: ...}`` in YAML."""

Authentication = Annotated[
    Annotated[EntraId, Tag("<tenant>")] | Annotated[Certificates, Tag("<roots>")] | Annotated[Radius, Tag("<servers>")],
    Discriminator(lambda value: _form(value, {"tenant": EntraId, "roots": Certificates, "servers": Radius})),
]
"""One way to sign in; several may be combined (R-P2S-03; which tunnel types go with which: P2S)."""


class UserGroup(Part):
    """Users who get their addresses from a pool of their own (R-UG-01 to R-UG-06).

    ``UserGroup(name="staff", priority=1, address_pool="172.16.1.0/24", default=True)``
    """

    stands: ClassVar[str] = "VpnGateway: properties.virtualNetworkGatewayPolicyGroups[0]"

    name: Annotated[Name, Wire("name")]
    """Cannot change later (R-UG-03)."""
    priority: Annotated[int, Field(ge=0), Wire("properties.priority")]
    """The lowest number that matches wins (R-UG-05)."""
    address_pool: Annotated[
        Prefixes,
        Field(min_length=1),
        Wire("properties.vpnClientConfiguration.vngClientConnectionConfigurations", of="VpnGateway", by_code=True),
    ]
    """Pool of the group, /24 or larger (R-UG-04)."""
    members: Annotated[Many[Member], listed, Wire("properties.policyMembers", by_code=True)] = ()
    """Who belongs to it; who matches no group belongs to the default one."""
    default: Annotated[bool, Wire("properties.isDefault")] = False
    """Takes everybody whom no other group matches; exactly one group is the default (R-UG-03)."""
    configuration: Annotated[
        Name | None,
        Wire(
            "properties.vpnClientConfiguration.vngClientConnectionConfigurations[0].name", of="VpnGateway", by_code=True
        ),
    ] = None
    """Name of the connection configuration in Azure that has the pool; groups with one pool share it. Default: the name
    of the first of them by priority; what another tool named keeps its name."""

    @model_validator(mode="after")
    def _members_once(self) -> "UserGroup":
        names = [member.member_name.lower() for member in self.members if member.member_name]
        if len(set(names)) < len(names):
            raise rule_error("R-UG-03", f"Two members of the user group {self.name} have one name. Give each its own.")
        return self


Protocol = Literal["OpenVPN", "IKEv2", "SSTP"]


class ClientAccess(Part):
    """What a gateway offers to clients."""

    stands: ClassVar[str] = "VpnGateway: properties.vpnClientConfiguration"

    protocols: Annotated[
        Many[Protocol],
        listed,
        Field(min_length=1),
        Wire("vpnClientProtocols", values={"OpenVPN": "OpenVPN", "IKEv2": "IkeV2", "SSTP": "SSTP"}),
    ]
    """OpenVPN, IKEv2, SSTP; SSTP and OpenVPN exclude each other (R-P2S-04)."""
    address_pool: Annotated[Prefixes, Wire("vpnClientAddressPool.addressPrefixes")] = ()
    """Addresses for clients: /29 or larger, /28 on active-active (R-POOL-01), disjoint from all networks
    (R-POOL-02). Needed unless every user belongs to a group."""
    authentication: Annotated[Many[Authentication], listed, Wire("vpnAuthenticationTypes", by_code=True)] = ()
    """How users sign in, each way at most once. Left out: nobody can, as on a gateway where only a pool was set."""
    groups: Annotated[Many[UserGroup], Wire("vngClientConnectionConfigurations", by_code=True)] = ()
    """User groups with pools of their own."""
    ipsec: Annotated[AnyIpsecPolicy | None, Wire("vpnClientIpsecPolicies[0]")] = None
    """Policy of IKEv2 clients (R-P2SPOL-01). Left out: Azure's proposals, which include group 2."""
    custom_routes: Annotated[
        Prefixes, Wire("properties.customRoutes.addressPrefixes", of="VpnGateway", by_code=True)
    ] = ()
    """Further prefixes that clients route into the tunnel (R-CR-01)."""

    @model_validator(mode="after")
    def _each_once(self) -> "ClientAccess":
        kinds = [type(way).__name__ for way in self.authentication]
        if len(set(kinds)) < len(kinds):
            raise rule_error("T-P2S", "Each way to sign in is given once: join the roots, or the RADIUS servers.")
        if not self.address_pool and not self.groups:
            raise rule_error("T-P2S", "Clients need addresses: give address_pool, or groups with pools of their own.")
        names = [group.name.lower() for group in self.groups]
        if len(set(names)) < len(names):
            raise rule_error("R-UG-03", "Two user groups bear one name. Give each its own.")
        self._configurations_agree()
        if self.groups and sum(group.default for group in self.groups) != 1:
            raise rule_error("R-UG-03", "Exactly one user group is the default one: set default=True on it.")
        return self

    def _configurations_agree(self) -> None:
        """A pool has one configuration, and a configuration one pool."""
        given: dict[tuple[str, ...], set[str]] = {}
        for group in self.groups:
            given.setdefault(tuple(group.address_pool), set()).add((group.configuration or "").lower())
        if any(len(names - {""}) > 1 for names in given.values()):
            raise rule_error("R-UG-03", "User groups with one address pool share one configuration: name it once.")
        names = [name.lower() for name, _ in self.configurations()]
        if len(set(names)) < len(names):
            raise rule_error("R-UG-03", "Two address pools have one configuration. Give each a name of its own.")

    def configurations(self) -> tuple[tuple[str, tuple[UserGroup, ...]], ...]:
        """Name of each connection configuration with its groups: those with one pool share it."""
        pools: dict[tuple[str, ...], list[UserGroup]] = {}
        for group in sorted(self.groups, key=lambda group: (group.priority, group.name)):
            pools.setdefault(tuple(group.address_pool), []).append(group)
        return tuple(
            (next((group.configuration for group in found if group.configuration), found[0].name), tuple(found))
            for found in pools.values()
        )
