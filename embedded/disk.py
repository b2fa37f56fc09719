"""Is there room, before anything is written?"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from embedded.errors import StartError

if TYPE_CHECKING:
    from pathlib import Path

COLD_BYTES = 1_000_000_000  # the virtual environment, a database and room to work
WARM_BYTES = 200_000_000  # room to work


DATA = "name another directory with CHRONOS_DATA_DIR"
CHECKOUT = "clone Chronos to another place"


def require(directory: Path, needed: int, *, otherwise: str) -> None:
    """Raise ``StartError`` unless ``directory`` (or its nearest parent) takes ``needed`` bytes.

    ``otherwise`` is what else the user can do: ``DATA`` or ``CHECKOUT``.
    """
    place = next(parent for parent in [directory, *directory.parents] if parent.exists())
    if not os.access(place, os.W_OK | os.X_OK):
        raise StartError(f"{place} cannot be written: change its owner or mode, or {otherwise}.")
    free = shutil.disk_usage(place).free
    if free < needed:
        raise StartError(
            f"Chronos needs {needed // 1_000_000} MB on the disk of {place}, where "
            f"{free // 1_000_000} MB are free: free some space, or {otherwise}."
        )
