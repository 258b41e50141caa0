"""The catalogue: every file of this package is one phenomenon; adding one is adding a file and nothing else.

Files in the folders that `GENLAB_PHENOMENA` names count too.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from functools import cache

from genlab_tui.errors import NotFound, nearest
from genlab_tui.phenomenon import Phenomenon

# A folder of one's own phenomena, beside the ones that ship.
__path__ += [folder for folder in os.environ.get("GENLAB_PHENOMENA", "").split(os.pathsep) if folder]

GROUPS = (
    *("Data", "Regularisation", "Size", "Layers and sub-networks"),
    *("Theory", "Normalisation", "Geometry", "Dynamics"),
)


@cache
def catalogue() -> dict[str, Phenomenon]:
    """Return every phenomenon by name, in the order of the groups, then of the titles.

    A file that does not import or declares none is left out and named by `broken`.
    """
    found, _ = _scan()
    return found


@cache
def broken() -> dict[str, str]:
    """Return the files that declare no usable phenomenon, each with the reason."""
    _, errors = _scan()
    return errors


@cache
def _scan() -> tuple[dict[str, Phenomenon], dict[str, str]]:
    found: list[Phenomenon] = []
    errors: dict[str, str] = {}
    for module_info in pkgutil.iter_modules(__path__):
        if module_info.name.startswith("_"):
            continue
        try:
            module = importlib.import_module(f"{__name__}.{module_info.name}")
            phenomenon = module.PHENOMENON
            if not isinstance(phenomenon, Phenomenon):
                raise TypeError("PHENOMENON is not a Phenomenon")
            phenomenon.params()
        except Exception as error:  # noqa: BLE001 - one broken file must not take the lab down; `broken` names it
            errors[module_info.name] = f"{type(error).__name__}: {error}"
        else:
            found.append(phenomenon)
    ranks = {group: rank for rank, group in enumerate(GROUPS)}
    found.sort(key=lambda p: (ranks.get(p.group, len(GROUPS)), p.group, p.title))
    return {p.name: p for p in found}, errors


def get(name: str) -> Phenomenon:
    """Return a phenomenon by its name; raises NotFound with the nearest."""
    known = catalogue()
    canonical = name.replace("_", "-").lower()
    if canonical not in known:
        reason = broken().get(name.replace("-", "_"))
        if reason:
            raise NotFound(f"the phenomenon {name!r} does not load: {reason}")
        raise NotFound(f"there is no phenomenon {name!r}", nearest(name, tuple(known)))
    return known[canonical]
