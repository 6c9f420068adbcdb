"""``vpngw state``: look at what is remembered, and repair it by hand when there is no other way."""

from __future__ import annotations

import typer

group = typer.Typer(help="Look at the state, and repair it by hand.", no_args_is_help=True)
