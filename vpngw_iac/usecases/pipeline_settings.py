"""What a checkout may say in a pipeline: nothing of where to sign in, where requests go, and where to work.

``vpngw.toml``, and the env file that it names, come with the commit; cloud, tenant, subscription, state and authority
come from the job. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vpngw_iac.usecases.settings_file import CONFIG_FILE

PREFIX = "VPNGW_"

OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "subscription": ("AZURE_SUBSCRIPTION_ID", "ARM_SUBSCRIPTION_ID"),
    "tenant": ("AZURE_TENANT_ID", "ARM_TENANT_ID"),
}
"""Variables that other Azure tools use for the same thing; they count when ``VPNGW_*`` is not set."""

WIDENING = ("allowed_subscriptions", "allowed_tenants")
"""Settings that let a saved graph name more: in a pipeline only the job itself says them."""

TO_PIPELINES = (
    "In a pipeline cloud, tenant, subscription, state and authority come from its own inputs alone (flags or "
    "variables): say the same there, or take it out of the checkout."
)
_OF_PIPELINES = ("cloud", "tenant", "subscription", "state")

_STEERING = re.compile(
    r"(HTTPS?|ALL|NO|FTP)_PROXY|(REQUESTS|CURL)_CA_BUNDLE|SSL_CERT_(FILE|DIR)|SSLKEYLOGFILE|OPENSSL_CONF"
    r"|AZURE_(AUTHORITY_HOST|CLIENT_\w+|FEDERATED_TOKEN_FILE|POD_IDENTITY_\w+|USERNAME|PASSWORD|TOKEN_CREDENTIALS"
    r"|REGIONAL_AUTHORITY_NAME|ADDITIONALLY_ALLOWED_TENANTS|CONFIG_DIR|STORAGE_\w+)"
    r"|(IDENTITY|MSI|IMDS)_\w+|(ACTIONS|GITHUB|RUNNER|SYSTEM|BUILD|AGENT|GITLAB|CI)_\w+|TF_BUILD"
    r"|PYTHON\w*|(LD|DYLD)_\w+|PATH|HOME|NETRC|VPNGW_APPROVER",
    re.IGNORECASE,
)
"""Names of variables that decide where requests and tokens go, by whom they are made, which code runs, or who approved.

Proxies and roots: https://requests.readthedocs.io/en/latest/user/advanced/#proxies and the same page's SSL section.
Who signs in: https://learn.microsoft.com/python/api/overview/azure/identity-readme#environment-variables. Whose job it
is: the pages that `vpngw_iac.usecases.session.pipeline_url` names.
"""


def variable_for(name: str) -> str:
    """Our own variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def variable_of(name: str, variables: Mapping[str, str]) -> str:
    """The variable that gives a setting its value; empty if none does."""
    candidates = (variable_for(name), *OTHER_NAMES.get(name, ()))
    return next((candidate for candidate in candidates if variables.get(candidate)), "")


def untrusted(
    flags: Mapping[str, Any], real: Mapping[str, str], filed: Mapping[str, str], document: Mapping[str, Any]
) -> Iterator[str]:
    """What ``vpngw.toml``, or the env file that it names, says otherwise than the pipeline does."""
    for name in _OF_PIPELINES:
        said = document.get(name) or filed.get(variable_of(name, filed))
        inputs = flags.get(name) or real.get(variable_of(name, real))
        if said and str(said).strip().rstrip("/") != str(inputs or "").strip().rstrip("/"):
            yield f"{CONFIG_FILE} says {name} {said}, the pipeline {inputs or 'nothing'}."
    for name, value in sorted(filed.items()):
        if _STEERING.fullmatch(name) and value != real.get(name):
            yield f"The env file that {CONFIG_FILE} names says {name}, and the pipeline does not."
    cloud = str(flags.get("cloud") or real.get(f"{PREFIX}CLOUD") or "")
    allowed = flags.get("allow_endpoint") or real.get(f"{PREFIX}ALLOW_ENDPOINT", "").lower() in ("1", "true", "yes")
    if cloud.startswith(("https://", "http://")) and not allowed:
        yield f"The cloud {cloud} is an address, and would get the pipeline's tokens: confirm it with --allow-endpoint."
