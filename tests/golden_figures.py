"""What a journal comes to, as figures that every later version must find again."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from headframe.codec import to_json
from headframe.desk.state import State
from headframe.wiring import open_office, restore

GOLDEN = Path(__file__).parent / "golden"


def figures(state: State) -> dict[str, Any]:
    """Return balances, trades with what is left of them, decisions and the last close of a state."""
    return {
        "balances": [
            [line.account, line.balance.currency.code, str(line.balance)]
            for line in state.ledger.trial_balance()
        ],
        "trades": {name: to_json(trade) for name, trade in state.trades.items()},
        "remaining": {
            name: {str(month): format(coins, "f") for month, coins in months.items()}
            for name, months in state.remaining.items()
        },
        "ended": dict(state.ended),
        "mandate": state.mandate_sha256,
        "approvals": {
            name: [one.approver, one.envelope_sha256]
            for name, one in sorted(state.approvals.items())
        },
        "standing": {name: str(one) for name, one in sorted(state.standing.items())},
        "forecast": state.forecast_in_force,
        "days": [str(state.last_day), str(state.closed_through)],
        "spot": state.spot,
        "mode": state.mode,
    }


def read(backup: Path, folder: Path) -> State:
    """Return the state of a backup, brought back into a folder."""
    restore(folder, None, backup)
    return open_office(folder, user="auditor").state()


if __name__ == "__main__":
    for given in map(Path, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as place:
            found = figures(read(given, Path(place) / "mine"))
        given.with_suffix(".json").write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
