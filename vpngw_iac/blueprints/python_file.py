"""Runs a Python blueprint file: its own folder is importable meanwhile, nothing is written, its errors are located."""

from __future__ import annotations

import contextlib
import io
import sys
import tokenize
import types
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from vpngw_iac.blueprints.broken import broken, unreadable
from vpngw_iac.blueprints.explain import explain
from vpngw_iac.errors import BlueprintError, VpngwError
from vpngw_iac.files import UnreadableFile, read_bytes, text_of

_MODULE = "__vpngw_blueprint__"


def run(path: Path) -> dict[str, object]:
    """The names that the file defines. Raises `BlueprintError` with file and line of the user's code."""
    code = _compiled(path)
    module = types.ModuleType(_MODULE)
    module.__file__ = str(path.resolve())
    with _surroundings(path.resolve().parent, module):
        try:
            exec(code, module.__dict__)  # noqa: S102 - running the user's file is what this does
        except ValidationError as error:
            raise _invalid(path, error) from None
        except VpngwError as error:
            raise _told(path, error) from None
        except (Exception, SystemExit) as error:  # whatever the user's code raises is told, not hidden
            raise _raised(path, error) from None
    return vars(module)


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
def _surroundings(folder: Path, module: types.ModuleType) -> Iterator[None]:
    """The file's folder on `sys.path`, no byte code.

    Afterwards the modules of that folder are forgotten, so that the next file finds its own neighbours.
    """
    known, path, flag = set(sys.modules), list(sys.path), sys.dont_write_bytecode
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    sys.modules[_MODULE] = module
    try:
        yield
    finally:
        sys.path[:] = path
        sys.dont_write_bytecode = flag
        for name in set(sys.modules) - known:
            file = getattr(sys.modules[name], "__file__", None)
            if name == _MODULE or (file and Path(file).is_relative_to(folder) and "site-packages" not in file):
                del sys.modules[name]


def _place(path: Path, error: BaseException) -> tuple[Path, int]:
    """The innermost line of the user's own code: of the file or of a module beside it."""
    found = (path, 1)
    trace = error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file == path or (file.is_relative_to(path.resolve().parent) and "site-packages" not in file.parts):
            found = (file, trace.tb_lineno)
        trace = trace.tb_next
    return found


def _invalid(path: Path, error: ValidationError) -> BlueprintError:
    file, line = _place(path, error)
    place = f"{file}:{line}"
    findings = explain(error, locate=lambda _: place)
    first = findings[0]
    return BlueprintError(f"{place}: {first.address}: {first.detail}", findings=findings, location=place)


def _told(path: Path, error: VpngwError) -> BlueprintError:
    if isinstance(error, BlueprintError) and error.findings:
        return error
    file, line = _place(path, error)
    return broken(file, line, error.message, advice=error.advice)


def _raised(path: Path, error: BaseException) -> BlueprintError:
    file, line = _place(path, error)
    name = type(error).__name__
    text = str(error).strip()
    advice = f"Correct that line; `python {path}` shows how it came there."
    if isinstance(error, RecursionError):
        advice = f"Something calls itself without end, from that line on; `python {path}` shows what."
    elif isinstance(error, SystemExit):
        advice = "A blueprint file only defines values: take the exit() or sys.exit() out of what it runs."
    elif isinstance(error, KeyError) and "environ" in _source_line(file, line):
        advice = f"Set the environment variable {text}, or name a file that sets it with --env-file."
    elif isinstance(error, ModuleNotFoundError):
        advice = f"Install it into the environment of vpngw, or put {error.name}.py beside the blueprint."
    return broken(file, line, f"The file raised {name}: {text}" if text else f"The file raised {name}.", advice=advice)


def _source_line(file: Path, line: int) -> str:
    try:
        return file.read_text(encoding="utf-8").splitlines()[line - 1]
    except (OSError, UnicodeDecodeError, IndexError):
        return ""
