"""What a run says at its end: rows of tables and figures that tests attach to their reports, also under xdist.

A test takes the fixture `summary`. Rows of one heading are printed as a table; figures of one title are added up over
all tests and printed as one line, the very last of the run.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pytest

_ROW, _FIGURE = "summary row", "summary figure"


class Summary:
    """Where a test puts what the end of the run shall say."""

    def __init__(self, properties: list[tuple[str, Any]]) -> None:
        self._properties = properties

    def row(self, heading: str, name: str, text: str) -> None:
        """One row of the table under `heading`."""
        self._properties.append((_ROW, [heading, name, text]))

    def figures(self, title: str, **figures: int) -> None:
        """Figures for the line `title`; the words of a name are joined by ``_``."""
        for name, value in figures.items():
            self._properties.append((_FIGURE, [title, name, value]))


@pytest.fixture
def summary(request: pytest.FixtureRequest) -> Summary:
    """The end of the run, as seen from one test."""
    return Summary(request.node.user_properties)


class _Collector:
    """Lives where the terminal is: with xdist the reports of all workers arrive there."""

    def __init__(self) -> None:
        self.rows: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self.figures: dict[str, Counter[str]] = defaultdict(Counter)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "teardown":
            return  # the properties of a test grow from phase to phase
        for kind, value in report.user_properties:
            if kind == _ROW:
                heading, name, text = value
                self.rows[heading].add((name, text))
            elif kind == _FIGURE:
                title, name, figure = value
                self.figures[title][name] += figure

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for heading, rows in sorted(self.rows.items()):
            terminalreporter.section(heading)
            width = max(len(name) for name, _ in rows)
            for name, text in sorted(rows):
                terminalreporter.write_line(f"{name:<{width}}  {text}")

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        terminal: Any = config.pluginmanager.getplugin("terminalreporter")
        for title, figures in sorted(self.figures.items()):
            words = ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in figures.items())
            terminal.write_line(f"{title}: {words}")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.pluginmanager.hasplugin("terminalreporter"):
        config.pluginmanager.register(_Collector(), "summary-collector")
