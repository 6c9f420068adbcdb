"""What a new project consists of, as text: its files, what is still only an example, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vpngw_iac.report.style import Style, columns
from vpngw_iac.report.text.imported import imported_text
from vpngw_iac.text import listed, report

if TYPE_CHECKING:
    from vpngw_iac.usecases.project import Project

_FILES = {
    "vpngw.toml": "settings: the cloud, where the state is",
    ".env.example": "names of the secrets, to commit",
    ".env": "their values, made here; readable by you alone, not committed",
    ".gitignore": "what is not committed",
}


@report
def project_text(project: Project, style: Style) -> str:
    """Every file, then what to replace before Azure, then the next commands."""
    head = imported_text(project.imported, style) + "\n" if project.imported else ""
    return head + "\n".join(_lines(project, style)) + "\n"


def _lines(project: Project, style: Style) -> Iterator[str]:
    yield style.paint(f"{project.deployment} begins in {project.folder}:", "bold")
    what = "what is wanted" if project.imported is None else "what was found"
    yield from (f"  {row}".rstrip() for row in columns([(name, _FILES.get(name, what)) for name in project.files]))
    if project.ignored:
        yield f"  .gitignore was there: {listed(project.ignored)} added to it"
    if project.examples:
        yield ""
        yield "Examples, good for the simulator alone; put your own in before Azure:"
        rows = columns([(flag.removeprefix("--").replace("-", "_"), value) for flag, value in project.examples.items()])
        yield from (f"  {row}" for row in rows)
    if project.keys:
        yield ""
        yield f"Copy .env.example to .env and fill in {listed(project.keys)} before the first apply."
    yield ""
    yield "Next:"
    yield from (f"  {line}" for line in _next(project))


def _next(project: Project) -> Iterator[str]:
    if str(project.folder) != ".":
        yield f"cd {shlex.quote(str(project.folder))}"
    if project.imported is not None:
        yield f"vpngw plan {project.blueprint}"
        return
    yield f"vpngw validate {project.blueprint}"
    yield f"vpngw apply {project.blueprint}"
    for circuit in project.circuits if project.simulated else ():
        yield f"vpngw simulator provision {circuit}   # what its provider does; then apply again"
        yield f"vpngw simulator deprovision {circuit} # the same before a destroy"
