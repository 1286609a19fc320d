"""A workspace's folder: its text files, written whole or not at all."""

import os
from pathlib import Path

from headframe.desk.ports import DiskTrouble, Invalid, NotFound

_LARGEST = 64 * 1024 * 1024


class Folder:
    """Files of one workspace, by plain names."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def text(self, name: str) -> str:
        """The text of a file; NotFound or Invalid say what is the matter."""
        path = self.path / name
        try:
            if path.stat().st_size > _LARGEST:
                raise Invalid(f"{path} is over 64 MiB")
            return path.read_text(encoding="utf-8-sig")
        except FileNotFoundError as error:
            raise NotFound(f"there is no file {path}; run headframe init") from error
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid(f"{path} cannot be read as text: {error}") from error

    def write(self, name: str, text: str) -> str:
        """Write a file beside its place, sync it, and move it there: whole or not at all."""
        path = self.path / name
        fresh = path.with_name(path.name + ".new")
        try:
            with fresh.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise DiskTrouble(f"{path} cannot be written: {error}") from error
        return str(path)
