"""Sign-in of the simulated cloud: enough of Microsoft Entra ID for a service principal, and the endpoints' metadata.

The shapes are those of the OAuth 2.0 client credentials flow and of ``/metadata/endpoints``; error codes are Entra's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from vpngw_iac.simulator.governance import Governance, Principal
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

LIFETIME = 3600
"""Seconds for which a token counts."""
CLIENT_KEY = "simulator"
"""What the served simulator takes as its client's secret; no secret of anybody."""
TENANT = "00000000-0000-0000-0000-0000000000aa"
"""The one tenant of the simulated cloud."""
CLIENT = "00000000-0000-0000-0000-0000000000bb"
"""Who calls, as application and as object: azurerm reads its object id from the token, and asks the graph without it
(hashicorp/go-azure-sdk, ``auth.Claims``)."""


class Identity:
    """Who may come in. Without `clients`, any client with any secret may.

    Principals of the governance come in with an assertion that one of their federated credentials names. Its signature
    is not checked: the simulator asks no issuer for keys.
    """

    def __init__(
        self,
        key: str,
        clients: Mapping[str, str] | None = None,
        lifetime: int = LIFETIME,
        governance: Callable[[], Governance] = Governance,
    ) -> None:
        """`governance` is asked each time: it can be set anew at any time."""
        self._key = key.encode()
        self._governance = governance
        self._clients = {name.lower(): secret for name, secret in clients.items()} if clients is not None else None
        self._lifetime = lifetime

    def __repr__(self) -> str:
        return f"Identity({'any client' if self._clients is None else f'{len(self._clients)} clients'})"

    def answer(self, request: HttpRequest) -> HttpResponse | None:
        """Answer a request of the sign-in door, or of metadata; none for everything else."""
        parts = request.path.strip("/").split("/")
        if request.path.rstrip("/").lower() == "/metadata/endpoints":
            return HttpResponse(200, metadata(request))
        if request.path.lower().endswith("/.well-known/openid-configuration"):
            return HttpResponse(200, _openid(request.host, parts[0]))
        if request.path.lower() == "/common/discovery/instance":
            return HttpResponse(200, _instance(request))
        if request.method == "POST" and parts[-1].lower() == "token" and "oauth2" in parts:
            return self._token(parts[0], dict(parse_qsl((request.body or b"").decode(errors="replace"))))
        return None

    def challenge(self, request: HttpRequest) -> HttpResponse | None:
        """401 for a request without a token that counts; none when it may pass."""
        token = bearer_of(request)
        login = f'Bearer authorization_uri="{request.host}/common", error="invalid_token"'
        if not token:
            return _unauthorized(
                "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.", login
            )
        expires = self._expiry(token)
        if expires is None:
            return _unauthorized("InvalidAuthenticationToken", "The access token is invalid.", login)
        if expires <= time.time():
            message = "The access token expiry UTC time is earlier than current UTC time."
            return _unauthorized("ExpiredAuthenticationToken", message, login)
        return None

    def caller_of(self, token: str) -> str | None:
        """The client id that a token speaks for; none for a token that does not count."""
        expires = self._expiry(token)
        return None if expires is None or expires <= time.time() else str(_claims(token).get("appid", ""))

    def issue(self, client: str, tenant: str) -> str:
        """A token; shaped like a JWT, meaningful to this simulator only."""
        now = int(time.time())
        known = self._governance().principal(client)
        who = CLIENT if known is None else known.object_id
        told = {"iss": "simulator", "tid": tenant, "appid": client, "oid": who, "sub": who, "idtyp": "app"}
        claims = told | {"iat": now, "nbf": now, "exp": now + self._lifetime}
        head = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(claims)}"
        return f"{head}.{self._signature(head)}"

    def _token(self, tenant: str, form: Mapping[str, str]) -> HttpResponse:
        if form.get("grant_type") != "client_credentials":
            return _refused(
                400, "unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type.", 70003
            )
        client = form.get("client_id", "")
        refusal = self._check_client(client, form)
        if refusal is not None:
            return refusal
        body = {
            "token_type": "Bearer",
            "expires_in": self._lifetime,
            "ext_expires_in": self._lifetime,
            "access_token": self.issue(client, tenant),
        }
        return HttpResponse(200, body, {"Cache-Control": "no-store"})

    def _check_client(self, client: str, form: Mapping[str, str]) -> HttpResponse | None:
        known = self._governance().principal(client)
        if known is not None and "client_assertion" in form:
            return _check_assertion(form["client_assertion"]) or _check_federation(known, form["client_assertion"])
        if not client or (self._clients is not None and client.lower() not in self._clients):
            message = f"AADSTS700016: Application with identifier '{client}' was not found in the directory."
            return _refused(400, "unauthorized_client", message, 700016)
        if "client_assertion" in form:
            return _check_assertion(form["client_assertion"])
        secret = form.get("client_secret", "")
        expected = self._clients.get(client.lower()) if self._clients is not None else secret
        if not secret or not hmac.compare_digest(secret.encode(), str(expected).encode()):
            message = f"AADSTS7000215: Invalid client secret provided for app '{client}'."
            return _refused(401, "invalid_client", message, 7000215)
        return None

    def _expiry(self, token: str) -> float | None:
        head, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._signature(head).encode(), signature.encode()):
            return None
        return _claim(token, "exp")

    def _signature(self, head: str) -> str:
        digest = hmac.new(self._key, head.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def bearer_of(request: HttpRequest) -> str:
    """The token that a request brings; empty without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _encoded(value: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _claims(token: str) -> Json:
    """What a JWT claims, its signature unchecked; nothing if it is none."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, TypeError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _claim(token: str, name: str) -> float | None:
    """A number from the claims of a JWT."""
    try:
        return float(_claims(token)[name])
    except (KeyError, TypeError, ValueError):
        return None


def _check_assertion(assertion: str) -> HttpResponse | None:
    """A federated assertion counts while it is fresh: an old one replayed is refused, as Entra does."""
    expires = _claim(assertion, "exp")
    if expires is None:
        return _refused(401, "invalid_client", "AADSTS50027: JWT token is invalid or malformed.", 50027)
    if expires <= time.time():
        message = "AADSTS700024: Client assertion is not within its valid time range."
        return _refused(401, "invalid_client", message, 700024)
    return None


def _check_federation(known: Principal, assertion: str) -> HttpResponse | None:
    """Subject, issuer and audience are compared letter by letter.

    Codes and texts: https://github.com/Azure/login/issues/482 and 515, those of another casing since August 2024
    (https://learn.microsoft.com/entra/identity-platform/reference-breaking-changes).
    """
    claims = _claims(assertion)
    told = (str(claims.get("sub", "")), str(claims.get("iss", "")), str(claims.get("aud", "")))
    named = [(credential.subject, credential.issuer, credential.audience) for credential in known.credentials]
    if told in named:
        return None
    loosely = [tuple(text.lower() for text in each) for each in named]
    start = f"No matching federated identity record found for presented assertion subject '{told[0]}'."
    check = "Check your federated identity credential Subject, Audience and Issuer against the presented assertion."
    if tuple(text.lower() for text in told) in loosely:
        close = "The subject matches with case-insensitive comparison, but not with case-sensitive comparison."
        return _refused(401, "invalid_client", f"AADSTS7002138: {start} {close} {check}", 7002138)
    return _refused(401, "invalid_client", f"AADSTS700213: {start} {check}", 700213)


def _refused(status: int, error: str, description: str, code: int) -> HttpResponse:
    return HttpResponse(status, {"error": error, "error_description": description, "error_codes": [code]})


def _unauthorized(code: str, message: str, challenge: str) -> HttpResponse:
    headers = {"WWW-Authenticate": challenge, "x-ms-failure-cause": "gateway"}
    return HttpResponse(401, {"error": {"code": code, "message": message}}, headers)


def metadata(request: HttpRequest) -> object:
    """The endpoints of this cloud: one object since 2022-09-01 (and in 2015-01-01), a list in between."""
    shown: Json = {
        "name": "Simulator",
        "portal": request.host,
        "authentication": {
            "loginEndpoint": f"{request.host}/",
            "audiences": [f"{request.host}/", f"{request.host}"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "graph": f"{request.host}/graph",
        "microsoftGraphResourceId": f"{request.host}/graph",
        "graphEndpoint": f"{request.host}/graph",
        "galleryEndpoint": f"{request.host}/gallery",
        "portalEndpoint": f"{request.host}/",
        "media": "",
        "resourceManager": f"{request.host}/",
        "suffixes": {"storage": "core.simulator.invalid", "keyVaultDns": "vault.simulator.invalid"},
    }
    as_list = "2015-01-01" < request.api_version < "2022-09-01"
    return [shown] if as_list else shown


def _openid(host: str, tenant: str) -> Json:
    return {
        "issuer": f"{host}/{tenant}/v2.0",
        "authorization_endpoint": f"{host}/{tenant}/oauth2/v2.0/authorize",
        "token_endpoint": f"{host}/{tenant}/oauth2/v2.0/token",
        "device_authorization_endpoint": f"{host}/{tenant}/oauth2/v2.0/devicecode",
        "jwks_uri": f"{host}/{tenant}/discovery/v2.0/keys",
        "response_types_supported": ["token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def _instance(request: HttpRequest) -> Json:
    host = request.host.split("://", 1)[-1]
    endpoint = f"{request.host}/common/v2.0/.well-known/openid-configuration"
    alias = {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
    return {"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": [alias]}
