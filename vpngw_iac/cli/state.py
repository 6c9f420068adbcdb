"""``vpngw state``: look at what is remembered, and repair it by hand when there is no other way."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vpngw_iac.cli import options as opt
from vpngw_iac.cli.options import command
from vpngw_iac.cli.run import Run
from vpngw_iac.errors import ExitCode, UsageError
from vpngw_iac.files import UnreadableFile, read_text
from vpngw_iac.text import plural

if TYPE_CHECKING:
    from vpngw_iac.state.store import Owner
    from vpngw_iac.usecases.locking import LockWait
    from vpngw_iac.usecases.state_commands import StateCommands

group = typer.Typer(help="Look at the state, and repair it by hand.", no_args_is_help=True)

_FILE = "Blueprint FILE first (it may also stay last), or name the deployment with --deployment."
OfEntry = Annotated[
    list[str],
    typer.Argument(metavar="[FILE] ADDRESS", help=f"Address of an entry, as `state list` shows it. {_FILE}"),
]
OldAndNew = Annotated[
    list[str], typer.Argument(metavar="[FILE] OLD NEW", help=f"Address now, and from now on. {_FILE}")
]
InitWords = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE] [URL]",
        help="Blueprint, or name the deployment with --deployment; and where the state will be, else --state.",
    ),
]
KeyVault = Annotated[
    str | None,
    typer.Option(
        "--key-vault",
        metavar="URL",
        help="Keep the key in this vault, https://NAME.vault.azure.net, and move it there if it is elsewhere.",
    ),
]
Include = Annotated[
    list[str] | None,
    typer.Option(
        "--include",
        metavar="ADDR",
        help="Also write an entry, protected, for this (address or id) that bears our tag; repeatable.",
    ),
]
Pushed = Annotated[
    list[str],
    typer.Argument(metavar="[FILE] STATE", help=f"A document from `state pull`; - reads stdin. {_FILE}"),
]


@command(group, "list")
def list_(run: Run, file: opt.MaybeBlueprint = None) -> int:
    """List the entries: what we manage."""
    from vpngw_iac.report.json import state_document
    from vpngw_iac.report.text.inspection import entries_text

    state = _state_commands(run, file).state()
    run.answer([state_document(state)], entries_text(state, run.style))
    return ExitCode.DONE


@command(group)
def show(run: Run, words: OfEntry) -> int:
    """Show one entry: id, needs, and what was applied last."""
    from vpngw_iac.report.json_documents import document
    from vpngw_iac.report.text.inspection import entry_text

    file, (address,) = _file_and(words, "ADDRESS")
    entry = _state_commands(run, file).entry(address)
    run.answer([document("state-entry", entry=entry.model_dump(mode="json"))], entry_text(entry, run.style))
    return ExitCode.DONE


@command(group)
def mv(run: Run, words: OldAndNew, lock_timeout: opt.LockTimeout = 0.0) -> int:
    """Give an entry another address; nothing changes in Azure."""
    from vpngw_iac.report.json_documents import document

    file, (old, new) = _file_and(words, "OLD", "NEW")
    entry = _state_commands(run, file, lock_timeout).move(old, new)
    run.reply(document("state-move", old=old, new=new, id=str(entry.id)), f"{old} is now {new} ({entry.id}).")
    return ExitCode.DONE


@command(group)
def forget(run: Run, words: OfEntry, lock_timeout: opt.LockTimeout = 0.0) -> int:
    """Drop an entry; the resource stays in Azure and is nobody's."""
    from vpngw_iac.report.json_documents import document

    file, (address,) = _file_and(words, "ADDRESS")
    entry = _state_commands(run, file, lock_timeout).forget(address)
    text = f"{address} is forgotten. {entry.id} stays in Azure."
    run.reply(document("state-forget", address=address, id=str(entry.id)), text)
    return ExitCode.DONE


@command(group)
def unlock(run: Run, file: opt.MaybeBlueprint = None, yes: opt.Yes = False) -> int:
    """Break the lock of a run that died; shows whose it is, and asks.

    Refused (7) while the holder's process lives on this machine.
    A run that is alive elsewhere finds out before its next write and stops; Azure's operations go on.
    """
    from vpngw_iac.report.json_documents import document

    owner = _state_commands(run, file).unlock(lambda owner: yes or _asked(run, owner))
    text = f"The lock of {owner.describe()} is broken." if owner else "Nobody holds the lock."
    run.reply(document("state-unlock", owner=owner.model_dump(mode="json") if owner else None), text)
    return ExitCode.DONE


def _asked(run: Run, owner: Owner) -> bool:
    """Whether somebody wants the lock of this owner broken; raises `UsageError` if nobody is there to answer."""
    from vpngw_iac.cli.watch import ask

    if not run.can_ask:
        raise UsageError(
            f"Nobody is there to confirm: stdin is not a terminal. {owner.describe()} has the lock.",
            advice="Make sure that this run is dead, then give --yes.",
        )
    run.say(f"{owner.describe()} has the lock. If that run is alive, it stops at its next write.")
    return ask(run, "Break the lock? Only 'yes' breaks it: ")


@command(group)
def init(run: Run, words: InitWords = None, key_vault: KeyVault = None, lock_timeout: opt.LockTimeout = 0.0) -> int:
    """Make the place of a state: containers or folder, key and lineage, each where it is missing.

    A key that lies beside its state is moved into a container of its own, or with --key-vault into a vault.
    """
    from vpngw_iac.report.json_documents import document
    from vpngw_iac.report.text.inspection import initial_text
    from vpngw_iac.usecases.state_init import init_state

    file, url = _file_and_url(words or ())
    workspace = run.workspace if url is None else run.workspace.with_state(url)
    if file is None and run.settings.deployment is None:
        raise UsageError("Which deployment?", advice="Give its blueprint FILE, or --deployment NAME.")
    name = run.settings.deployment or workspace.name_of(run.load(file or "").blueprint)
    made = init_state(workspace.session_named(name), _lock_wait(run, lock_timeout), key_vault or "")
    names = ("deployment", "state", "key", "made", "warnings", "hints")
    content = {name: getattr(made, name) for name in names}
    run.answer([document("state-init", **content)], initial_text(made, run.style))
    return ExitCode.DONE


def _file_and_url(words: Sequence[str]) -> tuple[str | None, str | None]:
    """The blueprint and the place of the state, in either order."""
    files = [word for word in words if _is_blueprint(word) or _is_json_blueprint(word)]
    urls = [word for word in words if word not in files]
    if len(files) > 1 or len(urls) > 1:
        raise UsageError(
            "Expected [FILE] [URL].", advice="For example `vpngw state init azblob://ACCOUNT/CONTAINER/x`."
        )
    return next(iter(files), None), next(iter(urls), None)


@command(group)
def rebuild(run: Run, file: opt.Blueprint, include: Include = None, lock_timeout: opt.LockTimeout = 0.0) -> int:
    """Make a lost state anew from the blueprint and Azure.

    What bears this deployment's tag and is not declared is listed, and gets no entry unless it is included by name.
    """
    from vpngw_iac.report.json import rebuilt_document
    from vpngw_iac.report.text.inspection import rebuilt_text
    from vpngw_iac.usecases.state_commands import StateCommands

    loaded = run.load(file)
    workspace = run.workspace.beside(loaded)
    name = workspace.name_of(loaded.blueprint)
    rebuilt = StateCommands(workspace, name, _lock_wait(run, lock_timeout)).rebuild(loaded.blueprint, include or ())
    run.answer([rebuilt_document(name, rebuilt)], rebuilt_text(name, rebuilt, run.style))
    return ExitCode.DONE


@command(group)
def pull(run: Run, file: opt.MaybeBlueprint = None) -> int:
    """Print the state document; it holds no secret."""
    from vpngw_iac.state.document import dump_state

    run.emit(dump_state(_state_commands(run, file).state()))
    return ExitCode.DONE


@command(group)
def push(run: Run, words: Pushed, lock_timeout: opt.LockTimeout = 0.0) -> int:
    """Replace the state by a document; the previous one is kept."""
    from vpngw_iac.report.json import state_document
    from vpngw_iac.report.text.inspection import entries_text

    file, (document,) = _file_and(words, "STATE")
    state = _state_commands(run, file, lock_timeout).push(_read(document), document)
    run.answer([state_document(state)], entries_text(state, run.style))
    return ExitCode.DONE


def _file_and(words: Sequence[str], *names: str) -> tuple[str | None, Sequence[str]]:
    """The blueprint file, if one is given, and what else is: the file comes first, or last as it used to."""
    if len(words) == len(names):
        return None, words
    if len(words) != len(names) + 1:
        raise UsageError(f"Expected [FILE] {' '.join(names)}, got {plural(len(words), 'argument')}.")
    first = _is_blueprint(words[0]) or (not _is_blueprint(words[-1]) and _is_json_blueprint(words[0]))
    return (words[0], words[1:]) if first else (words[-1], words[:-1])


def _is_blueprint(word: str) -> bool:
    path = Path(word if Path(word).suffix else word.rpartition(":")[0])
    return path.suffix.partition(":")[0].lower() in (".py", ".yaml", ".yml")


def _is_json_blueprint(word: str) -> bool:
    """Whether a JSON file is a blueprint and no state document."""
    try:
        return word.lower().endswith(".json") and '"lineage"' not in read_text(Path(word))
    except UnreadableFile:
        return False


def _lock_wait(run: Run, minutes: float) -> LockWait:
    from vpngw_iac.usecases.locking import LockWait

    return LockWait(minutes * 60, tell=run.say)


def _state_commands(run: Run, file: str | None, lock_timeout: float = 0.0) -> StateCommands:
    """The state of the deployment that a blueprint file or ``--deployment`` names."""
    from vpngw_iac.usecases.state_commands import StateCommands

    if file is not None:
        loaded = run.load(file)
        return StateCommands(run.workspace, run.workspace.name_of(loaded.blueprint), _lock_wait(run, lock_timeout))
    if run.settings.deployment is None:
        raise UsageError("Which deployment?", advice="Give its blueprint FILE, or --deployment NAME.")
    return StateCommands(run.workspace, run.settings.deployment, _lock_wait(run, lock_timeout))


def _read(name: str) -> str:
    try:
        return sys.stdin.read().removeprefix("\ufeff") if name == "-" else read_text(Path(name), pipe=True)
    except UnreadableFile as error:
        raise error.as_error(UsageError, name, name, "Give a document from `state pull`.") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(f"stdin cannot be read: {reason}.", advice="Give a document from `state pull`.") from None
