"""The command that begins a project: init. It asks where somebody can answer, and decides nothing."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vpngw_iac.cli import options as opt
from vpngw_iac.cli.imports import Groups, Terraform, Vault, Wide, Yaml, named
from vpngw_iac.cli.options import command
from vpngw_iac.cli.run import Run, write
from vpngw_iac.errors import ExitCode, UsageError
from vpngw_iac.text import listed

if TYPE_CHECKING:
    from vpngw_iac.blueprints.beginning.kinds import ProjectKind
    from vpngw_iac.blueprints.beginning.questions import Question
    from vpngw_iac.blueprints.client import RootCertificate
    from vpngw_iac.usecases.project import Project

What = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[KIND]",
        help="SiteToSite, PointToSite, VnetToVnet, ExpressRoute or ExpressRouteCoexistence; with --from-azure the ids "
        "of gateways.",
    ),
]
Folder = Annotated[
    str, typer.Option("--dir", metavar="DIR", help="Folder to write into; it is made if it is not there.")
]
FromAzure = Annotated[bool, typer.Option("--from-azure", help="Begin with what Azure has, as import reads it.")]
Location = Annotated[str | None, typer.Option("--location", metavar="REGION", help="Azure region.")]
AddressSpace = Annotated[str | None, typer.Option("--address-space", metavar="PREFIX", help="Of the network.")]
GatewaySku = Annotated[str | None, typer.Option("--sku", metavar="SKU", help="Of the VPN gateway.")]
ExpressRouteSku = Annotated[
    str | None, typer.Option("--expressroute-sku", metavar="SKU", help="Of the ExpressRoute gateway.")
]
SiteName = Annotated[str | None, typer.Option("--site", metavar="NAME", help="The first site.")]
PublicIp = Annotated[str | None, typer.Option("--public-ip", metavar="ADDRESS", help="Of the site's device.")]
Prefixes = Annotated[str | None, typer.Option("--prefixes", metavar="PREFIX,...", help="Networks behind it.")]
AddressPool = Annotated[str | None, typer.Option("--address-pool", metavar="PREFIX", help="Addresses of clients.")]
Root = Annotated[
    str | None,
    typer.Option("--root-certificate", metavar="FILE", help="Clients have certificates of this root, not Entra ID."),
]
PeerLocation = Annotated[
    str | None, typer.Option("--peer-location", metavar="REGION", help="Region of the other network.")
]
PeerSpace = Annotated[str | None, typer.Option("--peer-address-space", metavar="PREFIX", help="Of the other network.")]
Provider = Annotated[str | None, typer.Option("--provider", metavar="NAME", help="ExpressRoute provider.")]
PeeringLocation = Annotated[
    str | None, typer.Option("--peering-location", metavar="NAME", help="Where the provider meets Microsoft.")
]
Bandwidth = Annotated[str | None, typer.Option("--bandwidth", metavar="MBPS", help="Of the circuit.")]
OnGithub = Annotated[
    bool,
    typer.Option("--github", help="Write the workflow for GitHub, and the commands that make what it names."),
]
Repository = Annotated[
    str | None, typer.Option("--repository", metavar="OWNER/NAME", help="On GitHub; else the remote origin's.")
]
KeyVault = Annotated[
    str | None,
    typer.Option("--key-vault", metavar="URL", help="With --github: the vault in which the key of the state is."),
]
Branch = Annotated[str, typer.Option("--branch", metavar="NAME", help="Default branch of the repository.")]
Finish = Annotated[
    bool,
    typer.Option("--finish", help="On GitHub also finish by itself what an interrupted run of a reviewed plan left."),
]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "init")(init)


def init(
    run: Run,
    what: What = None,
    dir: Folder = ".",
    yaml: Yaml = False,
    yes: opt.Yes = False,
    from_azure: FromAzure = False,
    resource_group: Groups = None,
    subscription_wide: Wide = False,
    terraform_state: Terraform = None,
    read_secrets: Vault = None,
    location: Location = None,
    address_space: AddressSpace = None,
    sku: GatewaySku = None,
    expressroute_sku: ExpressRouteSku = None,
    site: SiteName = None,
    public_ip: PublicIp = None,
    prefixes: Prefixes = None,
    address_pool: AddressPool = None,
    root_certificate: Root = None,
    peer_location: PeerLocation = None,
    peer_address_space: PeerSpace = None,
    provider: Provider = None,
    peering_location: PeeringLocation = None,
    bandwidth: Bandwidth = None,
    github: OnGithub = False,
    repository: Repository = None,
    branch: Branch = "main",
    finish: Finish = False,
    key_vault: KeyVault = None,
) -> int:
    """Begin a project: a blueprint, its settings, and what keeps secrets out of a repository.

    Asks on a terminal; elsewhere, or with --yes, what no flag says is a default. Nothing is overwritten.
    With --github: write the workflow and the hand-over for the blueprint that is there.
    """
    from vpngw_iac.usecases.project import NewProject

    if github:
        return _on_github(run, what or [], Path(dir), repository or "", branch, key_vault or "", finish=finish)
    for flag, needless in (("--finish", finish), ("--key-vault", key_vault)):
        if needless:
            raise UsageError(f"{flag} goes with --github.", advice="Add --github.")
    project = NewProject(Path(dir), run.settings, yaml=yaml)
    groups = tuple(resource_group or ())
    if from_azure:
        from vpngw_iac.usecases.imported import Wanted

        groups, gateways = named(what or (), groups)
        wanted = Wanted(
            groups=groups,
            gateways=gateways,
            whole_subscription=subscription_wide,
            terraform_state=terraform_state or "",
            vault=read_secrets or "",
        )
        return _tell(run, project.take_over(wanted))
    _only_from_azure(subscription_wide=subscription_wide, terraform_state=terraform_state, read_secrets=read_secrets)
    given = {
        "location": location, "address_space": address_space, "sku": sku, "expressroute_sku": expressroute_sku,
        "site": site, "public_ip": public_ip, "prefixes": prefixes, "address_pool": address_pool,
        "peer_location": peer_location, "peer_address_space": peer_address_space, "provider": provider,
        "peering_location": peering_location, "bandwidth": bandwidth, "tenant": run.settings.tenant,
    }  # fmt: skip
    asker = _Asker(run, project.cloud, asks=run.can_ask and not yes)
    with asker.at_the_terminal():
        kind = asker.kind(what or [])
        answers = asker.answers(kind, {name: value for name, value in given.items() if value}, root_certificate)
    if len(groups) > 1:
        raise UsageError("A first blueprint has one resource group.", advice="Give one -g.")
    group = groups[0] if groups else f"rg-{project.name}"
    beginning = kind.begin(project.name, group, answers, _certificate(root_certificate))
    return _tell(run, project.begin(beginning, asker.examples))


def _tell(run: Run, project: Project) -> int:
    from vpngw_iac.report.json import project_document
    from vpngw_iac.report.text.project import project_text

    run.answer([project_document(project)], project_text(project, run.style))
    return project.imported.exit_code if project.imported else ExitCode.DONE


def _on_github(
    run: Run, words: list[str], folder: Path, repository: str, branch: str, key_vault: str, *, finish: bool
) -> int:
    """The workflow and the hand-over of one blueprint; the hand-over is printed too."""
    from vpngw_iac.report.json_documents import document
    from vpngw_iac.usecases import github_files
    from vpngw_iac.usecases.github_project import HANDOVER, GithubProject

    environment = run.settings.environment.get("VPNGW_ENVIRONMENT") or "production"
    github_files.checked_github(repository, branch, environment)
    github_files.checked_vault(key_vault)
    file = _blueprint_in(folder, words)
    root = github_files.repository_root(file.parent)
    workspace, blueprints = run.at(str(file))
    if len(blueprints) > 1:
        raise UsageError(f"{file} holds several deployments.", advice=f"Name one: {file}:NAME; one workflow for each.")
    settings = run.settings
    state = settings.state_place or ""
    named = repository or github_files.repository_of(root)
    said = {
        "state": state if state.startswith("azblob://") else "",
        "subscription": settings.subscription or "",
        "tenant": settings.tenant or "",
    }
    project = GithubProject(
        blueprint=file.resolve().relative_to(root).as_posix(),
        deployment=workspace.name_of(blueprints[0]),
        repository=named or "OWNER/REPOSITORY",
        settings={**said, "source": github_files.source_of_vpngw()},
        cloud="public" if settings.cloud == "simulator" else settings.cloud,
        branch=branch,
        environment=environment,
        key_vault=key_vault,
        subject=github_files.subject_prefix(named, run.settings.environment) if named else "",
        finish=finish,
        others=github_files.other_subscriptions(workspace, blueprints[0], settings.subscription),
    )
    files = github_files.write_github_files(root, project)
    made = document("init", folder=str(root), deployment=project.deployment, files=list(files), left=project.unknown)
    run.answer([made], f"{project.handover_text}\nWritten: {', '.join(str(root / name) for name in files)}.\n")
    run.say(f"Hand {HANDOVER} over to whoever may do what it says, and commit the workflow.")
    return ExitCode.DONE


def _blueprint_in(folder: Path, words: list[str]) -> Path:
    if len(words) > 1:
        raise UsageError("A workflow is written for one blueprint.", advice="Name one file.")
    names = words or ["blueprint.py", "blueprint.yaml"]
    found = [folder / name for name in names if (folder / name.partition(":")[0]).is_file()]
    if not found:
        raise UsageError(
            f"There is no {listed(names)} in the folder {folder}.",
            advice="Name its file: `vpngw init --github hub.py`; or begin one.",
        )
    return found[0]


def _only_from_azure(**flags: object) -> None:
    for name, value in flags.items():
        if value:
            raise UsageError(f"--{name.replace('_', '-')} goes with --from-azure.", advice="Add --from-azure.")


def _certificate(file: str | None) -> RootCertificate | None:
    from vpngw_iac.blueprints.beginning.kinds import certificate_in

    return certificate_in(Path(file)) if file else None


class _Asker:
    """Takes answers from flags, else from somebody at the terminal, else from the defaults."""

    def __init__(self, run: Run, cloud: str, *, asks: bool) -> None:
        self.run, self.cloud, self.asks = run, cloud, asks
        self.examples: dict[str, str] = {}
        """Flags of answers that only show the form."""

    @contextlib.contextmanager
    def at_the_terminal(self) -> Iterator[None]:
        """Around all questions: Ctrl-C ends them, whenever it comes."""
        with contextlib.ExitStack() as stack:
            if self.asks:
                from vpngw_iac.cli.signals import listening
                from vpngw_iac.engine.execute.stop import Stop

                stack.enter_context(stack.enter_context(listening(Stop())).asking())
            yield

    def kind(self, words: list[str]) -> ProjectKind:
        """The kind; raises `UsageError` that lists all where none is named and nobody answers."""
        from vpngw_iac.blueprints.beginning.kinds import KINDS, kind_meant, kind_of

        if len(words) > 1:
            raise UsageError("A project begins with one kind.", advice="Join several in a Topology afterwards.")
        names = ", ".join(kind.name for kind in KINDS)
        if not words and not self.asks:
            raise UsageError("No kind was named, and nobody is there to ask.", advice=f"Write one of {names}.")
        if not words:
            self._show("".join(f"  {kind.name:24}  {kind.told}\n" for kind in KINDS))
        word = words[0] if words else self._line("Kind", KINDS[0].name)
        while (kind := kind_of(word)) is None:
            if not self.asks or words:
                raise UsageError(f"There is no kind {word!r}.", advice=kind_meant(word))
            self._show(f"There is no kind {word!r}. {kind_meant(word)}\n")
            word = self._line("Kind", KINDS[0].name)
        return kind

    def answers(self, kind: ProjectKind, given: Mapping[str, str], root: str | None) -> dict[str, str]:
        """An answer for each of the kind's questions. Raises `UsageError` for a flag of another kind."""
        from vpngw_iac.blueprints.beginning.kinds import QUESTIONS

        asked = [q for q in kind.questions if not (root and q.name == "tenant")]
        names = {question.name for question in kind.questions} | {"tenant"}
        for name in given:
            if name not in names:
                raise UsageError(f"{QUESTIONS[name].flag} is no question of {kind.name}.", advice="Leave it out.")
        if root and not any(question.name == "tenant" for question in kind.questions):
            raise UsageError(f"--root-certificate is no question of {kind.name}.", advice="Leave it out.")
        found = {q.name: given[q.name] if q.name in given else self._answer(q) for q in asked}
        self._require_real(asked)
        return found

    def _answer(self, question: Question) -> str:
        answer = question.default
        while self.asks:
            answer = self._line(question.text, question.default)
            try:
                question.answered(answer)
            except UsageError as error:
                self._show(f"{error.message}\n")
            else:
                break
        if question.example and answer == question.default:
            self.examples[question.flag] = answer
        return answer

    def _require_real(self, asked: list[Question]) -> None:
        """An example is good on the simulator; a project for Azure without anybody to ask needs the real thing."""
        if self.examples and not self.asks and self.cloud != "simulator":
            flags = ", ".join(self.examples)
            advice = "Say them, or begin on the simulator."
            raise UsageError(f"For {self.cloud} these have no default: {flags}.", advice=advice)

    def _line(self, text: str, default: str) -> str:
        from vpngw_iac.cli.signals import read_line

        self._show(f"{text} [{default}]: ")
        line = read_line(sys.stdin)
        if not line:  # the end of the input
            self._show("\n")
            raise KeyboardInterrupt
        return line.strip() or default

    def _show(self, text: str) -> None:
        write(self.run.err, text)
