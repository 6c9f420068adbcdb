"""What a project on GitHub consists of: the workflow that calls ours, and what somebody must make for it. Texts only.

Facts about GitHub, with sources and dates: docs/github-facts.md.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import field

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.state_url import BlobPlace, blob_url, key_secret_name, read_state_url, vault_name

WORKFLOW = ".github/workflows/network.yml"
HANDOVER = "github-setup.md"
ISSUER = "https://token.actions.githubusercontent.com"
AUDIENCE = "api://AzureADTokenExchange"
"""Whom the token of a job is for (https://learn.microsoft.com/entra/workload-id/workload-identity-federation)."""
_AUDIENCES = {"usgovernment": f"{AUDIENCE}USGov", "china": f"{AUDIENCE}China"}
"""In clouds where it is another one: what `vpngw_iac.azure.clouds` has a job ask a token for."""
_AZ_CLOUDS = {"usgovernment": "AzureUSGovernment", "china": "AzureChinaCloud"}
"""Names of `az cloud list`."""
_UNKNOWN = {
    "state": "azblob://ACCOUNT/CONTAINER/PREFIX",
    "subscription": "SUBSCRIPTION_ID",
    "tenant": "TENANT_ID",
    "source": "OWNER/vpngw@COMMIT",
}


@dataclass(frozen=True, slots=True)
class PipelineIdentity:
    """One of the four applications."""

    word: str
    subjects: tuple[str, ...]
    """What its token's subject ends in, each in a federated credential of its own."""
    roles: tuple[str, ...]
    """Of `vpngw role`."""
    states: str
    keys: str
    """Role at the key of the states, empty for who gets none."""
    what: str

    @property
    def variable(self) -> str:
        """Name of the repository's variable that holds its client id."""
        return f"VPNGW_{self.word.upper().replace('-', '_')}_CLIENT_ID"


@dataclass(frozen=True, slots=True)
class GithubProject:
    """A deployment in a repository on GitHub; what is not known yet is a word in capitals."""

    blueprint: str
    deployment: str
    repository: str = "OWNER/REPOSITORY"
    settings: Mapping[str, str] = field(default_factory=dict)
    """State, subscription, tenant, and the `source` of our workflows, as far as they are known."""
    cloud: str = "public"
    """The cloud that the pipeline works in; never the simulator."""
    branch: str = "main"
    environment: str = "production"
    key_vault: str = ""
    """Address of the vault in which the key of the state is; empty where it has a container."""
    subject: str = ""
    """What subjects of this repository's tokens begin with, as GitHub told it; empty if it did not."""
    finish: bool = False
    """Whether what an interrupted run of a reviewed plan has left is finished by itself."""
    others: tuple[str, ...] = ()
    """Further subscriptions that the blueprint names."""

    def _is(self, name: str) -> str:
        return self.settings.get(name) or _UNKNOWN[name]

    @property
    def unknown(self) -> tuple[str, ...]:
        """What is left to fill in."""
        names = [text for name, text in _UNKNOWN.items() if not self.settings.get(name)]
        return (*(["OWNER/REPOSITORY"] if self.repository == "OWNER/REPOSITORY" else []), *names)

    @property
    def identities(self) -> tuple[PipelineIdentity, ...]:
        """Who plans pull requests, who plans, who applies, who watches."""
        reader, writer = "Storage Blob Data Reader", "Storage Blob Data Contributor"
        keys = "Key Vault Secrets User" if self.key_vault else reader
        main = f"ref:refs/heads/{self.branch}"
        apply = tuple(f"environment:{name}" for name in self._writers)
        applies = "applies, and finishes what was interrupted" if self.finish else "applies"
        plans, looks = ("planner",), ("planner", "verifier")
        planned = "plans what is applied, looks for drift, and whether tunnels are up"
        return (
            PipelineIdentity("pull-request", ("pull_request",), plans, reader, "", "plans pull requests"),
            PipelineIdentity("plan", (main,), looks, reader, keys, planned),
            PipelineIdentity("apply", apply, ("operator",), writer, keys, applies),
            PipelineIdentity("resume", (main,), plans, writer, keys, "writes down how it ended what still ran"),
        )

    @property
    def _writers(self) -> tuple[str, ...]:
        """Environments that hold the writer's identity: the default branch alone names them, and nobody is asked."""
        return tuple(f"{self.environment}-{word}" for word in ("apply", *(["finish"] if self.finish else [])))

    # --- the workflow ------------------------------------------------------------------------------------------------

    @property
    def workflow_text(self) -> str:
        """The caller of the reusable workflows, as it is committed."""
        ours, _, commit = self._is("source").partition("@")
        values = {
            "BLUEPRINT": self.blueprint, "DEPLOYMENT": self.deployment, "BRANCH": self.branch,
            "ENVIRONMENT": self.environment, "STATE": self._is("state"), "SUBSCRIPTION": self._is("subscription"),
            "TENANT": self._is("tenant"), "OURS": ours, "COMMIT": commit,
        }  # fmt: skip
        written = _WORKFLOW.replace("<RESUME>\n", _FINISH if self.finish else "")
        written = written.replace("      tenant-id: <TENANT>\n", f"      tenant-id: <TENANT>\n{self._cloud_inputs}")
        allowed = f"      allowed-subscriptions: {json.dumps(','.join(self.others))}\n" if self.others else ""
        written = written.replace("<OTHERS>\n", allowed)
        return re.sub(r"<([A-Z]+)>", lambda match: _yaml(values[match[1]]), written)

    @property
    def _cloud_inputs(self) -> str:
        """What a call says of a cloud that is not the public one; it may be the caller's word alone."""
        if self.cloud == "public":
            return ""
        meant = "      allow-endpoint: true\n" if self.cloud.startswith("https://") else ""
        return f"      cloud: {_yaml(self.cloud)}\n{meant}"

    # --- what somebody must make -------------------------------------------------------------------------------------

    @property
    def handover_text(self) -> str:
        """The commands and settings, for whoever may create applications and change the repository's settings."""
        return "\n".join(self._handover()) + "\n"

    def _handover(self) -> Iterator[str]:
        yield f"# Pipeline of {self.deployment} in {self.repository}"
        yield ""
        yield "For whoever may make applications in Entra ID, give rights in Azure, and change the repository."
        yield "Nothing in here is secret. Run it in bash from the root of the repository, signed in with `az` and `gh`."
        if self.unknown:
            yield ""
            yield f"Replace first, here and in `{WORKFLOW}`: {', '.join(self.unknown)}."
        yield ""
        if name := _AZ_CLOUDS.get(self.cloud):
            yield ""
            yield f"    az cloud set --name {name}"
        yield ""
        yield "## 1. The state"
        yield ""
        vault = f" --key-vault {shlex.quote(self.key_vault)}" if self.key_vault else ""
        cloud = f" --cloud {shlex.quote(self.cloud)}"
        yield f"    vpngw state init {shlex.quote(self._is('state'))} {shlex.quote(self.blueprint)}{vault}{cloud}"
        yield ""
        yield "## 2. Roles"
        yield ""
        for word in ("planner", "verifier", "operator"):
            where = f"--subscription {self._is('subscription')} --deployment {shlex.quote(self.deployment)}"
            yield f"    vpngw role {shlex.quote(self.blueprint)} --for {word} {where} > {word}.json"
            yield f"    az role definition create --role-definition {word}.json"
        yield ""
        yield "## 3. Applications, with federated credentials and no secret"
        yield ""
        yield from self._subjects()
        for identity in self.identities:
            yield from self._application(identity)
        yield ""
        yield "## 4. Settings on GitHub"
        yield ""
        yield from self._settings()
        yield ""
        yield "## 5. Look whether it holds"
        yield ""
        yield "Each job tells the subject of its token first; the credential must name it letter for letter."
        yield "What only GitHub knows is checked by the job `approve`, before anything is applied."

    def _subjects(self) -> Iterator[str]:
        if self.subject:
            yield f"GitHub says that subjects of this repository begin with `{self.subject}`."
            yield ""
            yield f"    prefix={shlex.quote(self.subject)}"
        else:
            yield "Repositories that were made, renamed or moved since July 2026 have ids in their subjects; ask:"
            yield ""
            yield f"    gh api repos/{self.repository}/actions/oidc/customization/sub"
            yield "    # without ids; with them: prefix='repo:OWNER@OWNER-ID/REPOSITORY@REPOSITORY-ID'"
            yield f"    prefix={shlex.quote('repo:' + self.repository)}"

    def _application(self, identity: PipelineIdentity) -> Iterator[str]:
        name = f"vpngw-{self.deployment}-{identity.word}"
        yield ""
        yield f"    # {identity.what}"
        yield f"    app=$(az ad app create --display-name {shlex.quote(name)} --query appId --output tsv)"
        yield '    who=$(az ad sp create --id "$app" --query id --output tsv)'
        for number, subject in enumerate(identity.subjects):
            document = self._credential(f"github-{number}" if number else "github", subject)
            yield f'    az ad app federated-credential create --id "$app" --parameters "{document}"'
        for word in identity.roles:
            role = shlex.quote(f"vpngw {word} of {self.deployment}")
            for subscription in (self._is("subscription"), *self.others):
                yield f"    {_assign(role, shlex.quote(f'/subscriptions/{subscription}'))}"
        states, keys = _containers(self._is("state"))
        for place, right in ((states, identity.states), (self._secret() or keys, identity.keys)):
            if right:
                yield f"    {_assign(shlex.quote(right), place)}"
        yield f'    gh variable set {identity.variable} --repo {self.repository} --body "$app"'

    def _credential(self, name: str, subject: str) -> str:
        """A document for a shell's double quotes, in which `prefix` is filled in."""
        audience = _AUDIENCES.get(self.cloud, AUDIENCE)
        document = (
            f'{{"name":"{name}","issuer":"{ISSUER}","subject":"${{prefix}}:{subject}","audiences":["{audience}"]}}'
        )
        return document.replace('"', '\\"')

    def _secret(self) -> str:
        """Scope of the secret that holds the key, below the vault whose id Azure tells; empty without a vault."""
        if not self.key_vault:
            return ""
        place, name = _blobs(self._is("state")), "SECRET"
        if place is not None:
            name = key_secret_name(self.deployment, blob_url(place, self.cloud, self.deployment))
        vault = vault_name(self.key_vault)
        return f'"$(az keyvault show --name {shlex.quote(vault)} --query id --output tsv)/secrets/{name}"'

    def _settings(self) -> Iterator[str]:
        yield f"`{self.environment}` gets required reviewers besides (Settings, Environments); administrators must not"
        yield "pass the rules of any."
        yield ""
        for name in (self.environment, *self._writers):
            place = f"repos/{self.repository}/environments/{name}"
            rule = '{"deployment_branch_policy":{"protected_branches":false,"custom_branch_policies":true}}'
            yield f"    echo '{rule}' | gh api --method PUT {place} --input -"
            yield f"    gh api --method POST {place}/deployment-branch-policies -f name={shlex.quote(self.branch)}"
        yield ""
        where = " and ".join(f"`{name}`" for name in self._writers)
        yield "Secrets that the blueprint reads with `Secret.env`, if it does, are lines NAME=value in a secret ENV of"
        yield f"{where} (`gh secret set ENV --env ...`). A secret NETWORK_ENV of the repository would do, but whoever"
        yield "may push a branch can read that one."
        yield ""
        yield f"Protect `{self.branch}`: pull requests with a review, no push past it, the checks `plan / compile` and"
        yield "`plan / plan`. Who may push there may do what the identities of the branch may do."
        yield "Required reviewers are not there for private repositories on the plans Free, Pro and Team."


def _yaml(value: str) -> str:
    """A scalar of YAML, quoted where it could be read as something else."""
    return value if re.fullmatch(r"[A-Za-z][\w./:?=@+-]*|[0-9a-fA-F-]{36}", value) else json.dumps(value)


def _assign(role: str, scope: str) -> str:
    who = '--assignee-object-id "$who" --assignee-principal-type ServicePrincipal'
    return f"az role assignment create {who} --role {role} --scope {scope}"


def _blobs(state: str) -> BlobPlace | None:
    """Where the state lies in Azure Storage, if it is known."""
    place = read_state_url(state) if "ACCOUNT" not in state else None
    return place if isinstance(place, BlobPlace) else None


def _containers(state: str) -> tuple[str, str]:
    """Scopes of the containers of states and keys, below the account whose id Azure tells where it runs."""
    place = _blobs(state)
    account, states, keys = "ACCOUNT", "CONTAINER", "CONTAINER-keys"
    if place is not None:
        account, states, keys = place.account, place.container, place.keys_container
    whole = f"$(az storage account show --name {shlex.quote(account)} --query id --output tsv)"
    below = f"{whole}/blobServices/default/containers"
    return f'"{below}/{states}"', f'"{below}/{keys}"'


_WORKFLOW = """\
# A caller of the reusable workflows, as `vpngw init --github` writes it to .github/workflows/network.yml, together with
# the commands that make what it names. OWNER and COMMIT are those of vpngw.
#
# There is no filter of paths: a check that a branch rule requires must report, and a plan without changes asks nobody.
name: network

on:
  pull_request:
  push:
    branches: [<BRANCH>]
  schedule:
    - cron: "17 3 * * *" # drift, every night
    - cron: "*/30 * * * *" # write down how it ended what still runs; nobody is asked
  workflow_dispatch:
    inputs:
      resend: { type: string, default: "", description: "ADDRESS of a connection whose key is set again" }
      reviewed: { type: string, default: "", description: "Decision digest; a plan with another one is refused" }

permissions: {}

jobs:
  plan:
    if: github.event_name != 'schedule'
    permissions: { contents: read, id-token: write, pull-requests: read }
    uses: <OURS>/.github/workflows/plan.yml@<COMMIT>
    with:
      blueprint: <BLUEPRINT>
      deployment: <DEPLOYMENT>
      state: <STATE>
      subscription: <SUBSCRIPTION>
      tenant-id: <TENANT>
      client-id: ${{ vars.VPNGW_PLAN_CLIENT_ID }} # reads Azure, the state and its key
      pull-request-client-id: ${{ vars.VPNGW_PULL_REQUEST_CLIENT_ID }} # reads Azure and the state
<OTHERS>
    secrets:
      env: ${{ secrets.NETWORK_ENV }}

  comment:
    needs: plan
    if: github.event_name == 'pull_request' && !cancelled() # a plan that failed is told too
    permissions: { contents: read, pull-requests: write }
    uses: <OURS>/.github/workflows/comment.yml@<COMMIT>

  apply:
    needs: plan
    if: >- # without !failure() a job of plan.yml that was skipped would skip this one
      !cancelled() && !failure() && github.event_name != 'pull_request' && github.ref == 'refs/heads/<BRANCH>'
      && (needs.plan.outputs.changes == 'true' || inputs.resend != '')
    permissions: { contents: read, id-token: write, actions: read, pull-requests: read }
    uses: <OURS>/.github/workflows/apply.yml@<COMMIT>
    with:
      blueprint: <BLUEPRINT>
      deployment: <DEPLOYMENT>
      environment: <ENVIRONMENT> # its reviewers say yes
      apply-environment: <ENVIRONMENT>-apply # the identity is bound to it; <BRANCH> only, no reviewers
      resend: ${{ inputs.resend }}
      reviewed: ${{ inputs.reviewed }}
      state: <STATE>
      subscription: <SUBSCRIPTION>
      tenant-id: <TENANT>
      client-id: ${{ vars.VPNGW_APPLY_CLIENT_ID }} # writes
    secrets:
      env: ${{ secrets.NETWORK_ENV }}

  verify:
    needs: apply
    if: needs.apply.outputs.finished == 'true' && !cancelled() && !failure()
    permissions: { contents: read, id-token: write }
    uses: <OURS>/.github/workflows/verify.yml@<COMMIT>
    with:
      blueprint: <BLUEPRINT>
      deployment: <DEPLOYMENT>
      fail: false # a device of the other side may come later
      state: <STATE>
      subscription: <SUBSCRIPTION>
      tenant-id: <TENANT>
      client-id: ${{ vars.VPNGW_PLAN_CLIENT_ID }}
    secrets:
      env: ${{ secrets.NETWORK_ENV }}

  resume:
    if: github.event.schedule == '*/30 * * * *'
    permissions: { contents: read, id-token: write, actions: read }
    uses: <OURS>/.github/workflows/resume.yml@<COMMIT>
    with:
      blueprint: <BLUEPRINT>
      deployment: <DEPLOYMENT>
      state: <STATE>
      subscription: <SUBSCRIPTION>
      tenant-id: <TENANT>
      client-id: ${{ vars.VPNGW_RESUME_CLIENT_ID }} # reads Azure, writes the state
<RESUME>

  drift:
    if: github.event.schedule == '17 3 * * *'
    permissions: { contents: read, id-token: write, issues: write }
    uses: <OURS>/.github/workflows/drift.yml@<COMMIT>
    with:
      blueprint: <BLUEPRINT>
      deployment: <DEPLOYMENT>
      state: <STATE>
      subscription: <SUBSCRIPTION>
      tenant-id: <TENANT>
      client-id: ${{ vars.VPNGW_PLAN_CLIENT_ID }}
    secrets:
      env: ${{ secrets.NETWORK_ENV }}
"""

_FINISH = """\
      finish: true # what an interrupted run of a reviewed plan has left, by that very plan
      finish-environment: <ENVIRONMENT>-finish # the writer's identity is bound to it too; <BRANCH> only, no reviewers
      finish-client-id: ${{ vars.VPNGW_APPLY_CLIENT_ID }} # writes
    secrets:
      env: ${{ secrets.NETWORK_ENV }}
"""
