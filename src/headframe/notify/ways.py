"""Alerts into a file: one JSON line each, on the disk before the next."""

import json
import os
from pathlib import Path
from typing import Any

from headframe.desk.ports import DiskTrouble

Json = dict[str, Any]


class FileRoute:
    """A file that grows by a line an alert."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._path = path

    def send(self, told: Json) -> None:
        """Write it and wait for the disk."""
        try:
            with self._path.open("ab") as file:
                file.write(json.dumps(told, separators=(",", ":")).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise DiskTrouble(f"{self._path} cannot be written: {error}") from error
