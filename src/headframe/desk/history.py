"""What was: the difficulty history carried and extended, closing prices, monthly fees, coins mined."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from headframe.chain import Chain, Retarget, chain_of, checked_history, latest, retargets
from headframe.codec import (
    HistorySettings,
    Settings,
    fees_from_text,
    prices_from_text,
    to_json,
)
from headframe.desk import users
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Draft, Files, Invalid
from headframe.desk.production_record import check_hashrates, check_recorded, production
from headframe.desk.state import State
from headframe.mining import FeeEstimate, PayoutAudit, estimate_fees, payouts
from headframe.units import Wrong, iso


def carried(coin: str) -> tuple[Retarget, ...]:
    """The history that comes with the program; only Bitcoin's does."""
    return (*retargets(), latest()) if coin == "BTC" else ()


def known_heights(state: State, coin: str, until: datetime) -> tuple[int, ...]:
    """Return the heights of all periods known by an instant; none where no history is known."""
    rows = (*carried(coin), *state.retargets.get(coin, ()))
    return tuple(row.height for row in rows if row.at <= until)


def known(state: State, coin: str, until: datetime) -> tuple[Retarget, ...]:
    """Every period known by an instant: no forecast sees what came after it.

    Rows of the journal take the place of carried rows of the same height: a reported figure gives
    way to the block itself.
    """
    rows = {row.height: row for row in carried(coin)}
    rows |= {row.height: row for row in state.retargets.get(coin, ())}
    kept = tuple(row for _, row in sorted(rows.items()) if row.at <= until)
    if not kept:
        raise Invalid(f"no difficulty history of {coin} is known; run headframe history import")
    return kept


@serialised
def extend(
    office: Office, coin: str, rows: Sequence[Retarget], source: str
) -> tuple[tuple[Retarget, ...], tuple[str, ...]]:
    """Add periods to the history; what is new of them, and what was mended on the way.

    The whole history must hold together with them: in order, without a gap, within consensus. A row
    from the future of the workspace's clock is left out and said.
    """
    users.allowed(office, users.Action.PREPARE)
    state = office.state()
    at = office.now()
    chain = chain_of(coin)
    if all(row.at > at for row in rows):
        late = (f"{len(rows)} rows after {iso(at)} were left out",) if rows else ()
        return (), late
    try:
        fresh, notes = checked_history(rows, chain, until=at)
        held = {row.height: row for row in carried(coin)}
        held |= {row.height: row for row in state.retargets.get(coin, ())}
        new = tuple(row for row in fresh if _adds(held.get(row.height), row))
        checked_history([*({**held, **{r.height: r for r in new}}).values()], chain)
    except Wrong as error:
        raise Invalid(str(error)) from error
    if new:
        body = {"coin": coin, "source": source, "rows": [to_json(row) for row in new]}
        office.record(Draft("retargets", body), at=at)
    return new, notes


def _adds(held: Retarget | None, row: Retarget) -> bool:
    """Whether a row says more than the one that is held: another height, or exact for reported."""
    if held is None:
        return True
    reported = not held.exact and held.height == latest().height
    if not reported and abs(held.difficulty / row.difficulty - 1.0) > 1e-6:
        raise Wrong(
            f"height {row.height:,} is known with difficulty {held.difficulty:,.0f}; the new row says "
            f"{row.difficulty:,.0f}"
        )
    return row.exact and not held.exact


def prices(
    office: Office, settings: HistorySettings, until: datetime
) -> tuple[tuple[datetime, float], ...]:
    """Closing prices of the workspace's file up to an instant; none where there is no file."""
    if settings.prices is None:
        return ()
    rows = prices_from_text(office.files.text(settings.prices), settings.prices)
    return tuple(row for row in rows if row[0] <= until)


def fee_estimate(files: Files, settings: Settings) -> FeeEstimate | None:
    """Fees as the workspace's file of months has them; None where there is no file."""
    name = settings.history.fees
    if name is None:
        return None
    try:
        return estimate_fees(fees_from_text(files.text(name), name))
    except Wrong as error:
        raise Invalid(str(error)) from error


@serialised
def record_mined(
    office: Office, rows: Sequence[tuple[date, str]], source: str
) -> tuple[int, int, int]:
    """Coins a pool paid by day: how many days are new, updated and unchanged."""
    check_recorded(office.state(), office.settings(), rows, source)
    return _record_days(office, "mined", office.state().mined, rows, source)


@serialised
def record_telemetry(
    office: Office, rows: Sequence[tuple[date, str]], source: str
) -> tuple[int, int, int]:
    """Mean hashes per second by day: how many days are new, updated and unchanged."""
    check_hashrates(office.state(), office.settings(), rows, source)
    return _record_days(office, "telemetry", office.state().hashrates, rows, source)


def _record_days(
    office: Office,
    kind: str,
    held: Mapping[date, str],
    rows: Sequence[tuple[date, str]],
    source: str,
) -> tuple[int, int, int]:
    """A day that comes again takes the place of what was known of it; both stay in the journal."""
    users.allowed(office, users.Action.PREPARE)
    at = office.now()
    future = [day for day, _ in rows if datetime(day.year, day.month, day.day, tzinfo=UTC) > at]
    if future:
        raise Invalid(f"{future[0]} lies after the workspace's clock {at:%Y-%m-%d}")
    changed = [[day.isoformat(), value] for day, value in rows if held.get(day) != value]
    new = sum(day not in held for day, _ in rows)
    if changed:
        office.record(Draft(kind, {"source": source, "days": changed}), at=at)
    return new, len(changed) - new, len(rows) - len(changed)


def audit_payouts(office: Office, fee_share: float | None = None) -> PayoutAudit:
    """Return payouts by month against the chain itself, each with the hashrate of the days it pays for.

    Payouts are those of the production record and of the books, each counted once. The pool's fee is the
    settings'; fees are the outlook's median share of the subsidy unless given.
    """
    state, settings = office.state(), office.settings()
    operation = settings.operation
    past = known(state, operation.coin, office.now())
    try:
        return payouts(
            chain_for(settings),
            past,
            operation,
            paid=production(state, operation.coin),
            hashrates={day: float(hashes) for day, hashes in state.hashrates.items()},
            fee_share=operation.fees.share_median if fee_share is None else fee_share,
        )
    except Wrong as error:
        raise Invalid(str(error)) from error


def chain_for(settings: Settings) -> Chain:
    """The chain the operation mines."""
    return chain_of(settings.operation.coin)
