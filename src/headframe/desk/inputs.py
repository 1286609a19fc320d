"""What the inputs of a forecast cover and what they leave open, as of the workspace's clock."""

from collections.abc import Sequence
from datetime import datetime

from headframe.chain import Retarget
from headframe.codec import Settings, fee_months_from_text
from headframe.desk.office import Office
from headframe.desk.state import State
from headframe.mining import (
    Start,
    difficulty_notes,
    fee_notes,
    fleet_notes,
    hashrate_notes,
    market_notes,
    power_notes,
    price_notes,
)


def notes_of(
    office: Office,
    settings: Settings,
    start: Start,
    past: Sequence[Retarget],
    closes: Sequence[tuple[datetime, float]],
) -> tuple[str, ...]:
    """Return what a reader of the forecast must know of its inputs, one sentence each."""
    state, at = office.state(), office.now()
    operation = settings.operation
    market = state.market
    return (
        *difficulty_notes(start, at, start.model.count),
        *price_notes(start, past, closes, name=settings.history.prices, as_of=at),
        *market_notes(
            None if market is None else market.index, None if market is None else market.as_of, at
        ),
        *_fees(office, settings, at),
        *power_notes(operation, {site.name: site.power_file for site in operation.sites}),
        *fleet_notes(operation, at),
        *_hashrates(state, settings, at),
    )


def _fees(office: Office, settings: Settings, at: datetime) -> tuple[str, ...]:
    name = settings.history.fees
    if name is None:
        return ()
    months = fee_months_from_text(office.files.text(name), name)
    return fee_notes(months[-1][0], len(months), name=name, as_of=at)


def _hashrates(state: State, settings: Settings, at: datetime) -> tuple[str, ...]:
    recorded = {day: float(hashes) for day, hashes in state.hashrates.items()}
    return hashrate_notes(settings.operation, recorded, at)
