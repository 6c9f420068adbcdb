"""Options that several commands share, as small annotated aliases, and the decorator that makes commands of functions.

A command is a function whose first parameter is a `Run`; the options that every command takes are added to the
signature that Typer sees, so that no command repeats them.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Collection, Sequence
from typing import Annotated, Any, Literal, TypeVar, cast

import typer
from typer.core import TyperCommand

from vpngw_iac.cli.run import Interrupted, Run

Blueprint = Annotated[
    str, typer.Argument(metavar="FILE", help="Blueprint: file.py, file.py:NAME, a YAML or a JSON file.")
]
BlueprintOrPlan = Annotated[str, typer.Argument(metavar="FILE|plan.json", help="Blueprint, or a saved plan.")]
Blueprints = Annotated[
    list[str],
    typer.Argument(metavar="FILE...", help="Blueprint files (.py, file.py:NAME, YAML, JSON), folders or patterns."),
]
BlueprintsOrPlans = Annotated[
    list[str],
    typer.Argument(metavar="FILE...|plan.json...", help="Blueprints or saved plans: files, folders or patterns."),
]
Parallel = Annotated[
    int | None,
    typer.Option("--parallel", metavar="N", min=1, help="So many deployments of a fleet at once (32)."),
]
MaybeBlueprint = Annotated[
    str | None, typer.Argument(metavar="[FILE]", help="Blueprint; or name the deployment with --deployment.")
]

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Detach = Annotated[bool, typer.Option("--detach", help="Start what can start, then leave (exit code 6).")]
Timeout = Annotated[
    float | None,
    typer.Option("--timeout", metavar="MIN", min=0, help="Leave after so many minutes (exit code 6); Azure goes on."),
]
LockTimeout = Annotated[
    float,
    typer.Option("--lock-timeout", metavar="MIN", min=0, help="Wait so many minutes for another run's lock."),
]
NotBefore = Annotated[
    str | None,
    typer.Option("--not-before", metavar="TIME", help="Begin no change before this time, with its zone; else refuse."),
]
NotAfter = Annotated[
    str | None,
    typer.Option("--not-after", metavar="TIME", help="Begin no change after this time, also after a late approval."),
]
VerifyAfter = Annotated[
    float | None,
    typer.Option(
        "--verify",
        metavar="MIN",
        min=0,
        help="Then wait at most so many minutes for tunnels; exit code 5 if one is down.",
    ),
]
DetailedExitCode = Annotated[bool, typer.Option("--detailed-exitcode", help="Exit with 2 when there are changes.")]
Short = Annotated[bool, typer.Option("--short", help="A line for each change and each finding.")]
Destroying = Annotated[bool, typer.Option("--destroy", help="Plan to destroy everything.")]
Adopt = Annotated[
    list[str] | None,
    typer.Option(
        "--adopt", metavar="ADDR|PATTERN", help="Take over what exists (address, id or 'VpnConnection/*'; repeatable)."
    ),
]
AdoptAndChange = Annotated[
    bool, typer.Option("--adopt-and-change", help="Also change what is adopted, in the same plan.")
]
Replace = Annotated[
    list[str] | None,
    typer.Option("--replace", metavar="ADDR", help="Delete and create it again (address or id; repeatable)."),
]
Target = Annotated[
    list[str] | None,
    typer.Option("--target", metavar="ADDR", help="Only this, and what it needs (address or id; repeatable)."),
]
Deep = Annotated[bool, typer.Option("--deep", help="Read every resource by itself, not from lists.")]
EditsOnly = Annotated[
    bool, typer.Option("--edits-only", help="Apply only what was edited in the blueprint; leave drift alone.")
]
KeepPublicIps = Annotated[
    bool, typer.Option("--keep-public-ips", help="Forget public IP addresses instead of deleting them.")
]
AllGone = Annotated[
    bool, typer.Option("--all-gone", help="Everything that is in the state is gone from Azure, and that is right.")
]
ResendSecrets = Annotated[bool, typer.Option("--resend-secrets", help="Set all secrets again.")]
Repair = Annotated[bool, typer.Option("--repair", help="Also repair what was broken when it was imported.")]
Mark = Annotated[bool, typer.Option("--mark", help="Only write our mark on what was taken over (a tag), by PATCH.")]
VerifyKeys = Annotated[
    str | None,
    typer.Option(
        "--verify-keys", metavar="all|1/N", help="Read each shared key, or the day's part: N daily runs see all."
    ),
]
Profile = Annotated[
    Literal["strict", "cnsa", "nist", "bsi"] | None,
    typer.Option("--profile", help="strict makes errors of warnings; the others are cryptographic baselines."),
]
NoProbe = Annotated[
    bool, typer.Option("--no-probe", help="Do not ask Azure first for rights, locks, quotas, policies and zones.")
]
MaxOutage = Annotated[
    str | None,
    typer.Option(
        "--max-outage",
        metavar="none|DURATION",
        help="Refuse a plan that interrupts anybody for longer (30s, 5m, 1h), or until somebody does something.",
    ),
]
OutageAgreed = Annotated[
    list[str] | None,
    typer.Option(
        "--outage-agreed",
        metavar="NAME",
        help="Allow this site, pair, circuit link, spoke or 'clients of GATEWAY' any outage (repeatable).",
    ),
]

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, also on failure.")]
Cloud = Annotated[
    str | None,
    typer.Option("--cloud", metavar="CLOUD", help="simulator, public, usgovernment, china or https://ENDPOINT."),
]
State = Annotated[
    str | None,
    typer.Option("--state", metavar="URL", help="Where the state is: a folder, or azblob://account/container/prefix."),
]
Deployment = Annotated[
    str | None, typer.Option("--deployment", metavar="NAME", help="Name of the deployment; the blueprint's by default.")
]
Subscription = Annotated[str | None, typer.Option("--subscription", metavar="ID", help="Default subscription.")]
Tenant = Annotated[str | None, typer.Option("--tenant", metavar="ID", help="Tenant to sign in to.")]
Group = Annotated[str | None, typer.Option("--resource-group", "-g", metavar="RG", help="Default resource group.")]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colours.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show where an unexpected error comes from.")]
Environment = Annotated[
    str | None, typer.Option("--environment", metavar="NAME", help="Use this part of vpngw.toml: [environments.NAME].")
]
AllowEndpoint = Annotated[
    bool, typer.Option("--allow-endpoint", help="In a pipeline: the https:// address of --cloud is meant.")
]
EnvFile = Annotated[
    str | None, typer.Option("--env-file", metavar="FILE", help="Variables for secrets and settings, NAME=value.")
]


def _common(
    json: Json = False,
    cloud: Cloud = None,
    state: State = None,
    deployment: Deployment = None,
    subscription: Subscription = None,
    tenant: Tenant = None,
    resource_group: Group = None,
    no_color: NoColor = False,
    verbose: Verbose = False,
    env_file: EnvFile = None,
    environment_name: Environment = None,
    allow_endpoint: AllowEndpoint = False,
) -> None:
    """The options of every command."""


def in_place(arguments: Sequence[str], groups: Collection[str]) -> list[str]:
    """The command line with those of these options that stand before the command put right after it.

    What is said again after the command comes later, and wins. `groups` are commands that have commands.
    """
    if len(arguments) < 2 or not arguments[0].startswith("-"):
        return list(arguments)
    takes_value = {
        name: typing.get_args(p.annotation)[0] is not bool for p in _parameters(_common) for name in _names(p)
    }
    moved: list[str] = []
    rest = list(arguments)
    while rest and rest[0].partition("=")[0] in takes_value:
        name, equals, _ = rest[0].partition("=")
        size = 2 if takes_value[name] and not equals else 1
        moved, rest = [*moved, *rest[:size]], rest[size:]
    if not rest or rest[0].startswith("-"):
        return rest or moved
    words = 2 if rest[0] in groups and len(rest) > 1 else 1
    return [*rest[:words], *moved, *rest[words:]]


def _names(parameter: inspect.Parameter) -> Sequence[str]:
    """What an option is called on the command line."""
    option = typing.get_args(parameter.annotation)[1]
    return (option.default, *option.param_decls)  # in an annotation Typer keeps the first name as the default


Choices = dict[str, Any]
"""What the caller asked of a plan, by the names of the engine's options; a command that takes it gets all of these."""


def _planning(
    destroy: Destroying = False,
    adopt: Adopt = None,
    adopt_and_change: AdoptAndChange = False,
    replace: Replace = None,
    target: Target = None,
    deep: Deep = False,
    edits_only: EditsOnly = False,
    keep_public_ips: KeepPublicIps = False,
    all_gone: AllGone = False,
    resend_secrets: ResendSecrets = False,
    verify_keys: VerifyKeys = None,
    repair: Repair = False,
    mark: Mark = False,
    no_probe: NoProbe = False,
    max_outage: MaxOutage = None,
    outage_agreed: OutageAgreed = None,
    profile: Profile = None,
) -> None:
    """The options that decide a plan."""


Command = TypeVar("Command", bound=Callable[..., int])


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return list(inspect.signature(function, eval_str=True).parameters.values())


class _Whole(TyperCommand):
    """A command whose usage begins with its arguments: ``vpngw plan FILE [OPTIONS]``."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The arguments as they are written, then the options."""
        arguments = [p.metavar or str(p.name).upper() for p in self.get_params(ctx) if p.param_type_name == "argument"]
        return [*arguments, self.options_metavar or ""]


class LateCommand(TyperCommand):
    """A command whose options are made when it is called or asked for its help, not when another command is."""

    @functools.cached_property
    def whole(self) -> TyperCommand:
        """The same command with its options."""
        single = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
        single.command(self.name, cls=_Whole)(_call_of(inspect.unwrap(self.callback)))  # type: ignore[arg-type]
        return cast("TyperCommand", typer.main.get_command(single))

    @property
    def params(self) -> list[Any]:
        """Its arguments and options."""
        return self.whole.params

    @params.setter
    def params(self, value: list[Any]) -> None:
        """What Typer found in a signature without options says nothing."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """The context of the whole command."""
        return self.whole.make_context(*args, **extra)


def command(group: typer.Typer, name: str | None = None) -> Callable[[Command], Command]:
    """Register a function as a command: it gets a `Run` and its own options, and returns the exit code.

    A parameter ``choices`` stands for all options that decide a plan.
    """

    def register(function: Command) -> Command:
        def named() -> None:
            """Stands for the function until it is called: no options that Typer would look at."""

        named.__name__, named.__doc__ = function.__name__, function.__doc__
        named.__signature__, named.__wrapped__ = inspect.Signature(), function  # type: ignore[attr-defined]
        group.command(name or function.__name__.replace("_", "-"), cls=LateCommand)(named)
        return function

    return register


def _call_of(function: Callable[..., int]) -> Callable[..., int]:
    """What Typer calls: the function's own options and those that every command takes, in one signature.

    An option of its own that is called like one of those stands in its place.
    """
    own = _parameters(function)[1:]
    planning = _parameters(_planning) if any(p.name == "choices" for p in own) else []
    mine = {parameter.name for parameter in own}
    common = [parameter for parameter in _parameters(_common) if parameter.name not in mine]

    def call(**values: Any) -> int:
        settings = {parameter.name: values.pop(parameter.name) or None for parameter in common}
        if planning:
            values["choices"] = {parameter.name: values.pop(parameter.name) for parameter in planning}
        try:
            run = Run.open(**settings)
            with run.ending:
                return int(function(run, **values))
        except KeyboardInterrupt:
            raise Interrupted("Interrupted.") from None

    shown = [parameter for parameter in own if parameter.name != "choices"]
    keywords = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*shown, *planning, *common)]
    call.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
    call.__name__, call.__doc__ = function.__name__, function.__doc__
    return call
