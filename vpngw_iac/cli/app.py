"""``vpngw``: the commands, and the one place where an error becomes a text and an exit code."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from vpngw_iac._version import __version__
from vpngw_iac.cli import (
    change,
    ci,
    ci_environment,
    ci_finish,
    ci_verify,
    diagnose,
    exports,
    imports,
    init,
    inspection,
    offline,
    simulate,
    state,
    verify,
)
from vpngw_iac.cli.options import in_place
from vpngw_iac.cli.run import Unwritable, write
from vpngw_iac.errors import ExitCode, UsageError, VpngwError
from vpngw_iac.text import nearest

app = typer.Typer(
    name="vpngw",
    help="Infrastructure as code for Azure VPN Gateway.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
init.register(app)
offline.register(app)
change.register(app)
inspection.register(app)
verify.register(app)
diagnose.register(app)
imports.register(app)
exports.register(app)
app.add_typer(state.group, name="state")
app.add_typer(inspection.secrets, name="secret")
app.add_typer(simulate.group, name="simulator")
ci_environment.register(ci.group)
ci_finish.register(ci.group)
ci_verify.register(ci.group)
app.add_typer(ci.group, name="ci")
_GROUPS = ("state", "secret", "simulator", "ci")


def _version(wanted: bool) -> None:
    if wanted:
        write(sys.stdout, f"vpngw {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Infrastructure as code for Azure VPN Gateway: check, plan, apply and watch."""


def main() -> NoReturn:
    """The program: exits with one of the documented codes, never with a traceback.

    Python would take apart everything that was loaded, class by class: a quarter of a short command. The memory goes
    back as a whole instead, after whatever was registered for the end (`atexit`) has run.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - as long as we live
    code = run(sys.argv[1:])
    waits = any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread())
    if not (waits or code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED)):
        atexit._run_exitfuncs()  # else a call that hangs would be waited for; journal and lock are closed
    write(sys.stdout, "")
    write(sys.stderr, "")
    os._exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; every error has been told when this returns."""
    try:
        command = typer.main.get_command(app)
        code = command.main(args=in_place(arguments, _GROUPS), prog_name="vpngw", standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0)
    except VpngwError as error:
        return _told(error, arguments)
    except typer.TyperException as error:
        return _usage(error, arguments)
    except (KeyboardInterrupt, typer.Abort):
        write(sys.stderr, "Interrupted.\n")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        write(sys.stdout, "")
        return ExitCode.ERROR
    except OSError as error:
        from vpngw_iac.files import refused_by_system

        return _told(refused_by_system(error), arguments)
    except Exception as error:
        return _bug(error, arguments)


def _usage(error: typer.TyperException, arguments: Sequence[str]) -> int:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "vpngw"
    if type(error).__name__ == "NoArgsIsHelpError" and not _wants_json(arguments):
        write(sys.stderr, error.format_message() + "\n")
        return ExitCode.USAGE
    message = "No command." if type(error).__name__ == "NoArgsIsHelpError" else error.format_message()
    close = _nearest(context, message)
    message = message.partition(" Did you mean ")[0] if close else message  # the advice has it as it is typed
    return _told(UsageError(message, advice=close or f"See `{path} --help`."), arguments)


def _nearest(context: Any, message: str) -> str:
    """The command that was probably meant."""
    known = getattr(getattr(context, "command", None), "commands", {})
    wrong = message.partition("'")[2].partition("'")[0] if message.startswith("No such command") else ""
    close = nearest(wrong, known)
    return f"Did you mean `{context.command_path} {close}`?" if close else ""


def _bug(error: Exception, arguments: Sequence[str]) -> int:
    if "--verbose" in arguments or os.environ.get("VPNGW_VERBOSE"):
        write(sys.stderr, "".join(traceback.format_exception(error)))
    told = VpngwError(
        f"{type(error).__name__}: {error}".splitlines()[0],
        advice="This is a bug in vpngw: please report it with the output of the same command with --verbose.",
    )
    return _told(told, arguments)


def _told(error: VpngwError, arguments: Sequence[str]) -> int:
    from vpngw_iac.report.style import style_for

    if _wants_json(arguments) and not isinstance(error, Unwritable):
        from vpngw_iac.report.json_documents import dumps, error_document

        try:
            write(sys.stdout, dumps(error_document(error)))
        except Unwritable as unwritten:
            write(sys.stderr, f"Error: {unwritten.message}\n")
    else:
        from vpngw_iac.report.text.errors import error_text

        style = style_for(sys.stderr, no_color="--no-color" in arguments)
        write(sys.stderr, error_text(error, style))
    return int(error.exit_code)


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether a failure is told as a document: by ``--json``, ``--format json``, or a readable setting."""
    from vpngw_iac.usecases.settings import Settings

    if "--json" in arguments or "--format=json" in arguments or ("--format", "json") in pairwise(arguments):
        return True
    named = [value for name, value in pairwise(arguments) if name == "--env-file"]
    try:
        return Settings.load(env_file=named[-1] if named else None).json_output
    except VpngwError:
        return os.environ.get("VPNGW_JSON", "").lower() in ("1", "true", "yes", "on")
