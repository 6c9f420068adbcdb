"""How we say it. A folder of formats is its own registry: a module's name is what ``--format`` calls it.

Each module of `findings` has ``render(checked)``, each of `pictures` ``render(drawing)``, each of `verification`
``render(told)``.
"""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Literal

Folder = Literal["findings", "pictures", "verification"]


def formats(folder: Folder, default: str) -> tuple[str, ...]:
    """The formats in a folder, the default first; none is loaded."""
    package = sys.modules.get(f"{__name__}.{folder}")
    paths = package.__path__ if package else [f"{part}/{folder}" for part in __path__]
    found = {module.name for module in pkgutil.iter_modules(paths)}
    return (default, *sorted(found - {default}))


def renderer(folder: Folder, form: str) -> Callable[..., str]:
    """The function that writes this format; its module is loaded now."""
    render: Callable[..., str] = import_module(f"{__name__}.{folder}.{form}").render
    return render
