"""The files of an import: complete under other names first, the state under its lock, the blueprint appears last.

The other name says which process made the file, and is kept until the blueprint is there: so the next import knows what
a dead one has left, and takes it away.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from vpngw_iac._version import __version__
from vpngw_iac.errors import Refused
from vpngw_iac.state.journal import RunClosed, RunOpened
from vpngw_iac.state.process import lives_here
from vpngw_iac.state.store import Owner
from vpngw_iac.usecases.locking import LockWait

if TYPE_CHECKING:
    from vpngw_iac.state.model import State
    from vpngw_iac.state.store import LockedStore, Store
    from vpngw_iac.usecases.session import Session


def refuse_existing(file: Path) -> None:
    """Raise `Refused` where there is something of that name."""
    if os.path.lexists(file):
        raise Refused(
            f"{file} exists.",
            advice="Move it away, choose another --output, or print the nouns to add with --into FILE.",
        )


def refuse_state(store: Store, name: str) -> None:
    """A state that a run has worked with is not written over; one that only import has written is."""
    loaded = store.load()
    if loaded is None or not loaded.state.entries:
        return
    runs = {record.command for record in store.history() if isinstance(record, RunOpened)}
    if loaded.in_flight or runs - {"import"}:
        raise Refused(
            f"There is a state of {name} with {len(loaded.state.entries)} entries.",
            advice="Give another name with --deployment, or forget that state first.",
        )


def write_over(file: Path, text: str) -> None:
    """Put a whole file in the place of another one, if there is one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    _complete(file, text).replace(file)


def write_import(session: Session, file: Path, text: str, table: str, state: State | None) -> None:
    """The blueprint, the table of its sites if it has one, and the state if one is wanted: all of them or none.

    Where another import took a name meanwhile it is refused, and the state is again what it was.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name("sites.csv")
    _clear_leftovers(file, beside)
    is_new = bool(table) and not _holds(beside, table)
    if is_new:
        refuse_existing(beside)
    with contextlib.ExitStack() as stack, contextlib.ExitStack() as undo:
        whole = [(_kept(stack, beside, table), beside)] if is_new else []
        blueprint = _kept(stack, file, text)
        if state is not None:
            store, owner = session.bound_store(), session.owner("vpngw import")
            locked = stack.enter_context(LockWait().locked(store, owner))
            refuse_existing(file)
            undo.callback(store.replace, locked, _keep(session, locked, state))
        for temporary, place in whole:
            _appear(temporary, place)
            undo.callback(place.unlink, missing_ok=True)
        _appear(blueprint, file)
        undo.pop_all()


def _keep(session: Session, locked: LockedStore, state: State) -> State:
    """Write the state; the one before is returned, without entries where there was none."""
    store = session.bound_store()
    refuse_state(store, session.deployment)
    session.key(create=True)
    loaded = store.load()
    before = loaded.state if loaded else state.model_copy(update={"entries": {}, "forgotten": ()})
    if loaded is None:
        locked.checkpoint(before)
    now = session.clock.utc
    locked.append(
        RunOpened(
            at=now(), run=session.run, command="import", actor=session.owner("").actor,
            correlation=session.correlation, version=__version__,
        )
    )  # fmt: skip
    store.replace(
        locked,
        before.model_copy(update={"entries": state.entries, "forgotten": state.forgotten, "written_by": __version__}),
    )
    locked.append(RunClosed(at=now(), run=session.run, outcome="succeeded", exit_code=0))
    return before


# --- one file --------------------------------------------------------------------------------------------------------


def _complete(file: Path, text: str) -> Path:
    """The whole text, durable, under a name that says whose it is."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}-{os.getpid()}-", dir=file.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    with contextlib.suppress(OSError):
        Path(name).chmod(0o644)
    return Path(name)


def _kept(stack: contextlib.ExitStack, file: Path, text: str) -> Path:
    temporary = _complete(file, text)
    stack.callback(temporary.unlink, missing_ok=True)
    return temporary


def _appear(temporary: Path, file: Path) -> None:
    """Give a complete file its name, unless somebody took that meanwhile."""
    try:
        os.link(temporary, file)
    except FileExistsError:
        refuse_existing(file)
    except OSError:  # a file system without links
        temporary.rename(file)


def _holds(file: Path, text: str) -> bool:
    """Whether exactly this stands in a file already."""
    try:
        return file.read_bytes() == text.encode()
    except OSError:
        return False


# --- what a dead import has left -------------------------------------------------------------------------------------


def _clear_leftovers(*files: Path) -> None:
    """Take away the complete files of imports that died, and the names that they had got already."""
    for file in files:
        for temporary in _leftovers(file):
            with contextlib.suppress(OSError):
                if file.exists() and file.samefile(temporary):
                    file.unlink()
            temporary.unlink(missing_ok=True)


def _leftovers(file: Path) -> Iterator[Path]:
    pattern = re.compile(re.escape(f".{file.name}-") + r"(\d+)-")
    for path in sorted(file.parent.iterdir()):
        if (made := pattern.match(path.name)) and not _is_made_by_the_living(path, int(made[1])):
            yield path


def _is_made_by_the_living(path: Path, process: int) -> bool:
    with contextlib.suppress(OSError):
        since = datetime.fromtimestamp(path.lstat().st_mtime, UTC).isoformat()
        host = socket.gethostname()
        return lives_here(Owner(run="", actor="", host=host, process=process, since=since, command="import"))
    return True
