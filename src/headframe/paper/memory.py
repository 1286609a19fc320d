"""What the street remembers when the program ends: its own record, apart from the desk's journal.

One JSON line for each request as it stands after a change, and one for each other trade; the last
line of a request counts. It is the evidence that a desk reconciles with after a crash.
"""

import json
import os
from pathlib import Path
from typing import Any, cast

Json = dict[str, Any]
_LATER: Json = {"account": "headframe", "quotes": [], "triggers": {}, "trade_allocations": []}


class StreetMemory:
    """An append-only file, each line on the disk before anybody is answered."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.requests: dict[int, Json] = {}
        self.deals: list[Json] = []
        self.combos: list[Json] = []
        if path is not None and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                self._take(line)

    def _take(self, line: str) -> None:
        try:
            row = cast("Json", json.loads(line))
        except ValueError:
            return  # a line cut short by a crash was never answered to anybody
        if "combo" in row:
            self.combos.append(row)
            return
        if "block_rfq_id" not in row:
            self.deals.append(row)
            return
        old: Json = {key: value for key, value in _LATER.items() if key not in row}
        blocks = [row["block_trade"] | {"dealer": ""}] if "block_trade" in row else []
        self.requests[int(row["block_rfq_id"])] = {"blocks": blocks, **row, **old}

    def keep(self, request: Json) -> None:
        """Remember a request as it stands: on the disk first, so that a full disk changes nothing."""
        self._append(request)
        self.requests[int(request["block_rfq_id"])] = request

    def keep_deal(self, deal: Json) -> None:
        """Remember a trade that came of no request."""
        self._append(deal)
        self.deals.append(deal)

    def keep_combo(self, combo: Json) -> None:
        """Remember a combination."""
        self._append(combo)
        self.combos.append(combo)

    def _append(self, row: Json) -> None:
        path = self._path
        if path is None:
            return
        with path.open("ab+") as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a line cut short by a crash
                    file.write(b"\n")
            file.write(json.dumps(row, separators=(",", ":")).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
