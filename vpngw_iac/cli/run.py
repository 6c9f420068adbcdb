"""One call of the command line: its settings, where it writes, and the blueprints and workspaces it works with."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import field
from typing import IO, TYPE_CHECKING, Any, Self

from vpngw_iac.errors import ExitCode, UsageError, VpngwError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.report.style import Style, is_terminal, style_for
from vpngw_iac.text import guarded, plain

if TYPE_CHECKING:
    from vpngw_iac.blueprints.base import Blueprint
    from vpngw_iac.blueprints.load import LoadedFile
    from vpngw_iac.usecases.offline import OfflineWorkspace
    from vpngw_iac.usecases.settings import Settings
    from vpngw_iac.usecases.workspace import Workspace


class Interrupted(VpngwError):
    """Ctrl-C while nothing was being changed."""

    exit_code = ExitCode.INTERRUPTED


class Unwritable(VpngwError):
    """Stdout takes nothing more: no document can be there."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a command needs beyond its own options."""

    settings: Settings
    out: IO[str]
    err: IO[str]
    ending: ExitStack = field(default_factory=ExitStack, repr=False, compare=False)
    """Closed when the command has told what there is to tell."""

    @classmethod
    def open(cls, **flags: Any) -> Self:
        """Read the settings; variables of ``--env-file`` become visible to credentials, secrets and blueprints."""
        from vpngw_iac.usecases.settings import Settings

        settings = Settings.load(**flags)
        for name, value in settings.env_variables.items():
            os.environ.setdefault(name, value)
        run = cls(settings, sys.stdout, sys.stderr)
        for warning in settings.origin.warnings:
            run.say(f"Warning: {warning}")
        return run

    # --- what it works with ------------------------------------------------------------------------------------------

    def load(self, file: str) -> LoadedFile:
        """A blueprint file; raises `UsageError` if ``--deployment`` should name several deployments at once."""
        from vpngw_iac.blueprints.load import load

        loaded = load(file)
        if len(loaded.blueprints) > 1 and self.settings.deployment:
            names = ", ".join(blueprint.name for blueprint in loaded.blueprints)
            advice = f"Name one with {file}:NAME. It holds {names}."
            raise UsageError("--deployment names one deployment, the file holds several.", advice=advice)
        return loaded

    def at(self, file: str) -> tuple[Workspace, tuple[Blueprint, ...]]:
        """A workspace beside a blueprint file, and the blueprints in it, one or several."""
        loaded = self.load(file)
        return self.workspace.beside(loaded), loaded.blueprints

    @property
    def workspace(self) -> Workspace:
        """A workspace with these settings."""
        from vpngw_iac.usecases.workspace import Workspace

        return Workspace(**self.settings.arguments(), on_notice=self.say)

    @property
    def offline(self) -> OfflineWorkspace:
        """A workspace with these settings that only validates, for which less is loaded."""
        from vpngw_iac.usecases.offline import OfflineWorkspace

        return OfflineWorkspace(**self.settings.arguments(), on_notice=self.say)

    # --- what it says ------------------------------------------------------------------------------------------------

    @property
    def style(self) -> Style:
        """How text on stdout looks."""
        return style_for(self.out, no_color=self.settings.no_color, environment=self.settings.environment)

    @property
    def talk_style(self) -> Style:
        """How text on stderr looks."""
        return style_for(self.err, no_color=self.settings.no_color, environment=self.settings.environment)

    @property
    def speed(self) -> float:
        """Seconds of the cloud in a second of ours: more than one on the simulator."""
        from vpngw_iac.usecases.session import SIMULATOR_SPEED

        return (self.settings.simulator_speed or SIMULATOR_SPEED) if self.settings.cloud == "simulator" else 1.0

    @property
    def can_ask(self) -> bool:
        """Whether somebody is there to answer."""
        return is_terminal(sys.stdin)

    def emit(self, text: str) -> None:
        """Data on stdout; that nobody reads on is not an error."""
        write(self.out, text)

    def say(self, sentence: str) -> None:
        """Talk on stderr: one line, whatever names stand in it."""
        write(self.err, plain(sentence) + "\n")

    def talk(self, text: str) -> None:
        """A report on stderr."""
        write(self.err, text if text.endswith("\n") else text + "\n")

    def reply(self, document: Mapping[str, Any], sentence: str) -> None:
        """A result that is told in one line, whatever names stand in it."""
        self.answer([document], plain(sentence) + "\n")

    def answer(self, documents: Sequence[Mapping[str, Any]], text: str) -> None:
        """The result: with ``--json`` exactly one document, else the text of a report."""
        from vpngw_iac.report import json_documents as report

        if not self.settings.json_output:
            self.emit(text)
        elif len(documents) == 1:
            self.emit(report.dumps(documents[0]))
        else:
            self.emit(report.dumps(report.document("several", documents=list(documents))))


def write(stream: IO[str], text: str) -> None:
    """Write and flush; a reader that left (``| head``) is not an error, and nothing more is written to it.

    Whatever it is, it is `guarded`; what the stream's encoding lacks is escaped as in JSON. Raises `Unwritable` if data
    cannot be written, a full disk for example; talk that cannot be written is given up.
    """
    try:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        _write_whole(stream, _writable(guarded(text), encoding), encoding)
    except BrokenPipeError:
        _mute(stream)
    except OSError as error:
        _mute(stream)
        if stream is not sys.stderr:
            advice = "Write it elsewhere. What a run did is in `vpngw log`."
            raise Unwritable(f"The answer cannot be written: {error.strerror}.", advice=advice) from None


def _write_whole(stream: IO[str], text: str, encoding: str) -> None:
    """Write all of it: without a buffer (``PYTHONUNBUFFERED``) a signal would end it after a part."""
    raw = getattr(stream, "buffer", None)
    if not isinstance(raw, io.RawIOBase) or os.linesep != "\n":
        stream.write(text)
        stream.flush()
        return
    left = memoryview(text.encode(encoding))
    while left:
        written = raw.write(left)
        if written is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        left = left[written:]


def _writable(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        import json

        return "".join(c if c.isascii() else json.dumps(c)[1:-1] for c in text)
    return text


def _mute(stream: IO[str]) -> None:
    """Whatever is still buffered goes nowhere."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    os.dup2(descriptor, stream.fileno())
    os.close(descriptor)
