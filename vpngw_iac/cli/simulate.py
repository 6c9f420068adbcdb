"""``vpngw simulator``: put the simulated cloud behind HTTPS, look into it, fill and empty it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vpngw_iac.cli.options import command
from vpngw_iac.cli.run import Run
from vpngw_iac.errors import ExitCode, FileDenied, SimulatorError, UsageError
from vpngw_iac.files import kind_of
from vpngw_iac.text import plural

if TYPE_CHECKING:
    from vpngw_iac.simulator import Simulator
    from vpngw_iac.simulator.server import Server

group = typer.Typer(help="A simulated cloud, to try, test and teach without Azure.", no_args_is_help=True)

Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")]
Tls = Annotated[bool, typer.Option("--tls/--no-tls", help="HTTPS with a certificate made for it, or plain HTTP.")]
Host = Annotated[str, typer.Option("--host", help="Address to listen on.")]
Speed = Annotated[float | None, typer.Option("--speed", min=0.001, help="Simulated seconds per second.")]
AllowHost = Annotated[
    list[str] | None,
    typer.Option("--allow-host", metavar="NAME", help="Also answer when called by this name (repeatable)."),
]
FaultFile = Annotated[str | None, typer.Option("--faults", metavar="FILE", help="What goes wrong, as YAML or JSON.")]
Resource = Annotated[str, typer.Argument(metavar="ID", help="Id of a resource, or its name if no other has it.")]
Values = Annotated[
    list[str], typer.Argument(metavar="PATH=VALUE...", help="Such as properties.enableBgp=true or other-end=silence.")
]
Circuit = Annotated[str, typer.Argument(metavar="CIRCUIT", help="Name or id of an ExpressRoute circuit.")]
GovernanceFile = Annotated[
    str | None,
    typer.Option("--governance", metavar="FILE", help="Rights, policies, quotas and zones, as YAML or JSON."),
]
AllowRetired = Annotated[
    bool, typer.Option("--allow-retired", help="Take what Azure took in earlier years: retired SKUs, Basic addresses.")
]
Documents = Annotated[str, typer.Argument(metavar="FILE", help="Documents as GET answers them, as JSON or YAML.")]
Folder = Annotated[str | None, typer.Option("--dir", metavar="DIR", help="Where the content is kept.")]


@command(group)
def serve(
    run: Run,
    port: Port = 8443,
    tls: Tls = True,
    host: Host = "127.0.0.1",
    speed: Speed = None,
    faults: FaultFile = None,
    governance: GovernanceFile = None,
    folder: Folder = None,
    allow_host: AllowHost = None,
    allow_retired: AllowRetired = False,
) -> int:
    """Answer any ARM client until Ctrl-C; prints the variables that such a client needs."""
    from vpngw_iac.simulator import Switches
    from vpngw_iac.simulator.governance import read_governance
    from vpngw_iac.simulator.identity import CLIENT, CLIENT_KEY
    from vpngw_iac.simulator.server import Server, kill_this_process

    switches = Switches(allow_retired=allow_retired)
    simulator = _open(run, folder, speed, faults, die=kill_this_process, switches=switches)
    if governance is not None:
        simulator.governance = read_governance(_present(governance, "--governance"))
    here = _folder(run, folder) if tls else None
    server = Server(
        simulator, host, port, certificate_directory=here, clients={CLIENT: CLIENT_KEY}, hosts=allow_host or ()
    )
    server.serve(lambda url: _tell(run, server, url))
    run.say("The simulator has stopped; its content is kept.")
    return ExitCode.DONE


@command(group)
def reset(run: Run, folder: Folder = None) -> int:
    """Empty the simulated cloud."""
    from vpngw_iac.report.json_documents import document
    from vpngw_iac.simulator import erase

    try:
        count = len(_open(run, folder).documents())
        told = f"The simulator is empty; {count} resources are gone."
    except SimulatorError:
        count, told = None, "The simulator is empty; its content could not be read any more."
    erase(_folder(run, folder))
    run.reply(document("simulator", removed=count), told)
    return ExitCode.DONE


@command(group)
def provision(run: Run, circuit: Circuit, folder: Folder = None) -> int:
    """Do what an ExpressRoute provider does with the service key; apply can then go past its gate."""
    return _circuits(run, circuit, folder, "Provisioned", "provisioned", "Run apply again.")


@command(group)
def deprovision(run: Run, circuit: Circuit, folder: Folder = None) -> int:
    """Do what an ExpressRoute provider does when it is told to stop; the circuit can then be destroyed."""
    return _circuits(run, circuit, folder, "NotProvisioned", "deprovisioned", "Azure can delete it now.")


def _circuits(run: Run, circuit: str, folder: str | None, state: str, word: str, then: str) -> int:
    from vpngw_iac.report.json_documents import document

    simulator = _open(run, folder)
    found = _named(simulator, circuit, "/expressroutecircuits/", "circuit")
    for identifier in found:
        simulator.provision_circuit(identifier, state)
    run.reply(document("simulator", **{word: found}), f"{circuit} is {word}. {then}")
    return ExitCode.DONE


@command(group, name="set")
def set_values(run: Run, resource: Resource, values: Values, folder: Folder = None) -> int:
    """Change single values of a resource, as somebody in the portal would; or what the other end of a tunnel does."""
    from vpngw_iac.report.json_documents import document

    parsed = dict(_value(text) for text in values)
    simulator = _open(run, folder)
    (found,) = _named(simulator, resource)
    _foreign(lambda: simulator.set(found, parsed))
    run.reply(document("simulator", changed=found, values=list(parsed)), f"{found} is changed.")
    return ExitCode.DONE


@command(group)
def delete(run: Run, resource: Resource, folder: Folder = None) -> int:
    """Delete a resource, as somebody else would in the portal; what Azure refuses is refused here."""
    from vpngw_iac.report.json_documents import document

    simulator = _open(run, folder)
    (found,) = _named(simulator, resource)
    _foreign(lambda: simulator.delete(found))
    run.reply(document("simulator", deleted=found), f"{found} is deleted.")
    return ExitCode.DONE


def _foreign(hand: Callable[[], object]) -> None:
    """Do it, or say what the cloud answered."""
    try:
        hand()
    except (ValueError, TypeError, AttributeError, IndexError) as error:
        raise SimulatorError(f"The simulated cloud refuses it: {error}") from error


def _value(text: str) -> tuple[str, Any]:
    """``path=value``; the value as YAML reads it, nothing or ``null`` takes it away."""
    import yaml

    path, equals, value = text.partition("=")
    if not equals or not all(path.split(".")):
        raise UsageError(f"{text!r} is not a change.", advice="Write PATH=VALUE, such as properties.enableBgp=true.")
    try:
        return path, yaml.safe_load(value)
    except yaml.YAMLError:
        return path, value


def _named(simulator: Simulator, wanted: str, below: str = "/", what: str = "resource") -> list[str]:
    """Ids of what has that id, or that name; of resources exactly one."""
    names = {i: i.rsplit("/", 1)[-1] for i in simulator.documents() if below in i.lower()}
    names = {i: name for i, name in names.items() if what == "resource" or i.count("/") == 8}
    known = [i for i, name in names.items() if wanted.rstrip("/").lower() in (i.lower(), name.lower())]
    if not known:
        told = ", ".join(names.values()) or "none"
        raise UsageError(f"The simulator has no {what} {wanted!r}.", advice=f"It has: {told}.")
    if len(known) > 1 and what == "resource":
        raise UsageError(f"{wanted!r} names {len(known)} resources.", advice=f"Name one by its id: {', '.join(known)}.")
    return known


@command(group)
def load(run: Run, file: Documents, folder: Folder = None) -> int:
    """Put documents there as they are: a load is not a PUT, nothing is refused and nothing changed."""
    from vpngw_iac.report.json_documents import document
    from vpngw_iac.simulator.load import read_documents

    documents, secrets = read_documents(_present(file, "the file's name"))
    loaded = _open(run, folder).load(documents, secrets)
    run.reply(document("simulator", loaded=loaded), f"{plural(len(loaded), 'document')} loaded.")
    return ExitCode.DONE


@command(group)
def show(run: Run, folder: Folder = None) -> int:
    """List what the simulated cloud holds; with --json the whole documents."""
    from vpngw_iac.report.json_documents import document
    from vpngw_iac.report.text.inspection import documents_text

    documents = _open(run, folder).documents()
    run.answer([document("simulator", documents=documents)], documents_text(documents))
    return ExitCode.DONE


def _folder(run: Run, folder: str | None) -> Path:
    return Path(folder or run.settings.simulator_folder).resolve()


def _open(
    run: Run, folder: str | None, speed: float | None = None, faults: str | None = None, **hands: object
) -> Simulator:
    from vpngw_iac.simulator import ScaledTime, Simulator
    from vpngw_iac.simulator.faults import read_faults
    from vpngw_iac.usecases.session import SIMULATOR_SPEED

    time = ScaledTime(speed or run.settings.simulator_speed or SIMULATOR_SPEED)
    going_wrong = read_faults(_present(faults, "--faults")) if faults else ()
    place = _folder(run, folder)
    try:
        return Simulator(place, time=time, faults=going_wrong, **hands)  # type: ignore[arg-type]
    except SimulatorError as error:
        if isinstance(error, FileDenied) or not isinstance(error.__cause__, OSError):
            raise
        raise UsageError(error.message, advice=error.advice) from None


def _present(file: str, option: str) -> Path:
    if kind_of(file) != "file":
        raise UsageError(f"There is no file {file}.", advice=f"Check {option}.")
    return Path(file)


def _tell(run: Run, server: Server, url: str) -> None:
    import json
    import shlex

    from vpngw_iac.report.json_documents import document

    variables = environment_of(url, server.certificate)
    if run.settings.json_output:
        run.emit(json.dumps(document("simulator", url=url, environment=variables)) + "\n")
        return
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    run.emit(f"# The simulator answers at {url}. In another terminal:\n{exports}")
    if server.certificate is None:
        run.say("vpngw itself sends tokens over https alone, and refuses this URL: for it leave --no-tls out.")
    run.say("Ctrl-C stops it; its content is kept.")


def environment_of(url: str, certificate: Path | None) -> Mapping[str, str]:
    """What a client needs to find it, trust it and sign in."""
    from vpngw_iac.simulator.identity import CLIENT, CLIENT_KEY, TENANT
    from vpngw_iac.usecases.session import OFFLINE_SUBSCRIPTION

    trust = {"REQUESTS_CA_BUNDLE": str(certificate), "SSL_CERT_FILE": str(certificate)} if certificate else {}
    return {
        "VPNGW_CLOUD": url,
        **trust,
        "AZURE_SUBSCRIPTION_ID": OFFLINE_SUBSCRIPTION,
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": CLIENT,
        "AZURE_CLIENT_SECRET": CLIENT_KEY,
    }
