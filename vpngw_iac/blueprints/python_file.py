"""Runs a Python blueprint file: its own folder is importable meanwhile, nothing is written, its errors are located.

What it prints goes to stderr: stdout is for data.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import tokenize
import types
from collections.abc import Iterator
from dataclasses import replace
from inspect import signature
from pathlib import Path

from vpngw_iac.blueprints.broken import broken, unreadable
from vpngw_iac.blueprints.explain import of_element
from vpngw_iac.blueprints.part import Part, Sources, nouns
from vpngw_iac.blueprints.source_lines import CallPlace, steps_of
from vpngw_iac.errors import BlueprintError, InvalidValue, VpngwError
from vpngw_iac.files import UnreadableFile, read_bytes, text_of
from vpngw_iac.secret import Secret
from vpngw_iac.text import suggestion

_MODULE = "__vpngw_blueprint__"


def run(path: Path) -> tuple[dict[str, object], Sources]:
    """The names that the file defines, and where its nouns are made.

    Raises `BlueprintError` with file and line of the user's code.
    """
    code, sources = _compiled(path), Sources(path)
    module = types.ModuleType(_MODULE)
    module.__file__ = str(path.resolve())
    with _surroundings(path.resolve().parent, module, sources):
        try:
            exec(code, module.__dict__)  # noqa: S102 - running the user's file is what this does
        except VpngwError as error:
            raise _told(path, error, sources) from None
        except (Exception, SystemExit) as error:  # whatever the user's code raises is told, not hidden
            raise _raised(path, error, sources) from None
    return vars(module), sources


def _compiled(path: Path) -> types.CodeType:
    try:
        source = read_bytes(path)
    except UnreadableFile as error:
        raise unreadable(path, error) from None
    _refuse_encoding(path, source)
    try:
        return compile(source, str(path), "exec")
    except (SyntaxError, ValueError) as error:
        raise _not_python(path, error) from None
    except (RecursionError, MemoryError):
        raise broken(path, None, "It is nested too deeply.") from None


def _refuse_encoding(path: Path, source: bytes) -> None:
    """Tell UTF-16 and Latin-1 apart from a slip of the pen; a file that names its encoding is read in that.

    `compile` itself lets other bytes pass in comments, and `python FILE` does not.
    """
    with contextlib.suppress(SyntaxError):
        if tokenize.detect_encoding(io.BytesIO(source).readline)[0] not in ("utf-8", "utf-8-sig"):
            return
    try:
        text_of(source, path)
    except UnreadableFile as error:
        raise unreadable(path, error) from None


def _not_python(path: Path, error: SyntaxError | ValueError) -> BlueprintError:
    if isinstance(error, SyntaxError):
        text = (error.text or "").strip()
        return broken(path, error.lineno, f"Syntax error: {error.msg}" + (f" in {text!r}." if text else "."))
    return broken(path, None, f"It is not Python source: {error}.")


@contextlib.contextmanager
def _surroundings(folder: Path, module: types.ModuleType, sources: Sources) -> Iterator[None]:
    """The file's folder on `sys.path`, no byte code, nothing on stdout.

    Afterwards the modules of that folder are forgotten, so that the next file finds its own neighbours; and the working
    directory is what it was, since the next file and the state may be named from there.
    """
    known, path, flag = set(sys.modules), list(sys.path), sys.dont_write_bytecode
    here = os.getcwd()  # noqa: PTH109 - a text for chdir
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    sys.modules[_MODULE] = module
    Part.sources, before = sources, Part.sources
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.chdir(here)
        Part.sources = before
        sys.path[:] = path
        sys.dont_write_bytecode = flag
        for name in set(sys.modules) - known:
            file = getattr(sys.modules[name], "__file__", None)
            if name == _MODULE or (file and Path(file).is_relative_to(folder) and "site-packages" not in file):
                del sys.modules[name]


def _call(error: BaseException, sources: Sources) -> CallPlace | None:
    """The innermost call of the user's own code: of the file or of a module beside it."""
    found, trace = None, error.__traceback__
    while trace is not None:
        if sources.owns(trace.tb_frame.f_code):
            found = CallPlace(trace.tb_frame.f_code, trace.tb_lasti)
        trace = trace.tb_next
    return found


def _told(path: Path, error: VpngwError, sources: Sources) -> BlueprintError:
    call = _call(error, sources)
    if isinstance(error, BlueprintError) and error.findings:
        if call is None or not isinstance(error, InvalidValue):
            return error
        findings = [
            replace(
                finding,
                location=call.place(steps_of(finding.address)[1:]),
                detail=of_element(finding.detail, call.elements()),
            )
            for finding in error.findings
        ]
        first = findings[0]
        return InvalidValue(
            f"{first.location}: {first.address}: {first.detail}", findings=findings, location=first.location
        )
    return broken(*_line(path, call), error.message, advice=error.advice)


def _line(path: Path, call: CallPlace | None) -> tuple[Path, int]:
    file, _, line = call.place(()).rpartition(":") if call else (str(path), "", "1")
    return Path(file), int(line)


def _raised(path: Path, error: BaseException, sources: Sources) -> BlueprintError:
    file, line = _line(path, _call(error, sources))
    name = type(error).__name__
    text = str(error).strip()
    advice = f"Correct that line; `python {path}` shows how it came there."
    if isinstance(error, RecursionError):
        advice = f"Something calls itself without end, from that line on; `python {path}` shows what."
    elif isinstance(error, SystemExit):
        advice = "A blueprint file only defines values: take the exit() or sys.exit() out of what it runs."
    elif isinstance(error, KeyError) and "environ" in _source_line(file, line):
        advice = f"Set the environment variable {text}, or name a file that sets it with --env-file."
    elif isinstance(error, NameError | AttributeError | ImportError) and (meant := _meant(error, text)):
        advice = meant
    elif isinstance(error, TypeError) and (way := _way(text)):
        advice = way
    elif isinstance(error, ModuleNotFoundError):
        advice = f"Install it into the environment of vpngw, or put {error.name}.py beside the blueprint."
    return broken(file, line, f"The file raised {name}: {text}" if text else f"The file raised {name}.", advice=advice)


def _meant(error: Exception, text: str) -> str:
    """The name of ours that was probably meant, or that must be imported; else an empty text."""
    import vpngw_iac

    word = (re.findall(r"'(\w+)'", text) or [text])[0 if not isinstance(error, AttributeError) else -1]
    if isinstance(error, AttributeError):
        near = {name for noun in (*nouns().values(), Secret) for name in vars(noun) if not name.startswith("_")}
        return suggestion(word, near) if word not in near else f"What it stands after has no {word!r}."
    if isinstance(error, NameError) and word in vpngw_iac.__all__:
        return f"Add: from vpngw_iac import {word}."
    return suggestion(word, vpngw_iac.__all__) if isinstance(error, NameError) or "'vpngw_iac'" in text else ""


def _way(text: str) -> str:
    """How a function of ours is called, where it was called otherwise: ``Write Secret.env(name)``."""
    owner, _, name = text.partition("()")[0].rpartition(".")
    function = getattr({**nouns(), "Secret": Secret}.get(owner), name, None)
    if not callable(function) or name.startswith("_"):
        return ""
    whole = signature(function)
    taken = [parameter.replace(annotation=parameter.empty) for parameter in whole.parameters.values()]
    return f"Write {owner}.{name}{whole.replace(parameters=taken, return_annotation=whole.empty)}."


def _source_line(file: Path, line: int) -> str:
    try:
        return file.read_text(encoding="utf-8").splitlines()[line - 1]
    except (OSError, UnicodeDecodeError, IndexError):
        return ""
