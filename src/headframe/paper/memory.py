"""What the street remembers when the program ends: its own record, apart from the desk's journal.

One JSON line for each request as it stands after a change; the last line of a request counts. It
is the evidence that a desk reconciles with after a crash.
"""

import json
import os
from pathlib import Path
from typing import Any, cast

Json = dict[str, Any]


class StreetMemory:
    """An append-only file of requests, each line on the disk before anybody is answered."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.requests: dict[int, Json] = {}
        if path is not None and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                self._take(line)

    def _take(self, line: str) -> None:
        try:
            row = cast("Json", json.loads(line))
        except ValueError:
            return  # a line cut short by a crash was never answered to anybody
        self.requests[int(row["block_rfq_id"])] = row

    def keep(self, request: Json) -> None:
        """Remember a request as it stands: on the disk first, so that a full disk changes nothing."""
        if self._path is not None:
            self._append(self._path, request)
        self.requests[int(request["block_rfq_id"])] = request

    @staticmethod
    def _append(path: Path, request: Json) -> None:
        torn = path.exists() and not path.read_bytes().endswith(b"\n")
        with path.open("a", encoding="utf-8") as file:
            if torn and file.tell():
                file.write("\n")
            file.write(json.dumps(request, separators=(",", ":")) + "\n")
            file.flush()
            os.fsync(file.fileno())
