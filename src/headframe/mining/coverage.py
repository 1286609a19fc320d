"""What each time series that a forecast reads covers, and what stands in for the rest: as sentences.

A series that ends early, begins late or has gaps is used for what it covers. Each function returns the
sentences that a reader of the forecast must know, none where the series covers all that it is read for.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from headframe.chain import Retarget
from headframe.mining.difficulty import POOLED
from headframe.mining.operation import Operation
from headframe.mining.price_answer import PRICE_GAP_MAX, ROWS_MIN, PriceAnswer, period_means
from headframe.mining.start import Start
from headframe.units import Month

LATE_PERIODS = 1.25
"""A difficulty history that ends longer ago than so many target periods misses a retarget."""
PRICE_AGE_MAX = timedelta(days=1)
FEES_LATE_MONTHS = 2
"""Fees of the month before the last full one may not be counted yet."""
MEASURED_DAYS = 30
MEASURED_GAP = 0.05
"""Recorded and planned hashrates that differ by more are said."""


def difficulty_notes(start: Start, as_of: datetime, count: int | None = None) -> tuple[str, ...]:
    """Return what to know of a difficulty history of so many changes, as of an instant."""
    found: list[str] = []
    age = as_of - start.last.at
    if age.total_seconds() > LATE_PERIODS * start.period_seconds:
        found.append(
            f"the difficulty history ends {age.days} days before the forecast; the retargets since are "
            "simulated (headframe history fetch extends it)"
        )
    wanted = max(*POOLED.drift, *POOLED.noise, POOLED.memory)
    if count is not None and count < wanted:
        found.append(
            f"the difficulty history holds {count} changes, the model looks back on {wanted}: drift, noise "
            "and memory are of those it has"
        )
    return tuple(found)


def price_notes(
    start: Start,
    history: Sequence[Retarget],
    closes: Sequence[tuple[datetime, float]],
    *,
    name: str | None,
    as_of: datetime,
) -> tuple[str, ...]:
    """Return what to know of the answer to price and of the closes of a file, none without a name."""
    answer = start.model.price
    if answer is None:
        return (_independent(start, name),)
    if name is None:
        return (
            (
                "no price history is given: difficulty answers price by the default elasticity, "
                f"{_total(answer)}, "
                "its error drawn on every path; earlier price moves count as none, give or take what prices "
                'stray by ([history] prices = "FILE" in headframe.toml measures it on your closes)'
            ),
        )
    found = [] if answer.source == "history" else [_default_used(name, answer)]
    if closes:
        found += _ends(start, closes, answer, name, as_of)
        found += _covers(history, closes, start.model.count, name)
    else:
        found.append(f"{name} has no close up to {as_of:%Y-%m-%d}")
    return tuple(found)


def _independent(start: Start, name: str | None) -> str:
    given = "no price history is given" if name is None else f"{name} covers too little"
    return (
        f"{given} and {start.chain.coin} has no default elasticity: on the paths difficulty does not "
        "answer the price"
    )


def _total(answer: PriceAnswer) -> str:
    return f"{answer.total:.2f} in all with a standard error of {answer.total_se:.2f}"


def _default_used(name: str, answer: PriceAnswer) -> str:
    return (
        f"{name} covers fewer than {ROWS_MIN} retargets with the fourteen price changes before each: "
        f"difficulty answers price by the default elasticity, {_total(answer)}"
    )


def _ends(
    start: Start,
    closes: Sequence[tuple[datetime, float]],
    answer: PriceAnswer,
    name: str,
    as_of: datetime,
) -> list[str]:
    """What a price history that ends early leaves open."""
    last = closes[-1][0]
    if answer.missing and answer.last_mean > 0.0:
        periods = "period" if answer.missing == 1 else "periods"
        return [
            (
                f"{name} ends {last:%Y-%m-%d} and leaves {answer.missing} retarget {periods} before "
                f"{start.last.at:%Y-%m-%d} without a price: their changes are the whole change to the "
                f"present price spread evenly, each give or take {answer.known_sd[0]:.1%} on the paths"
            )
        ]
    if answer.missing:
        return [
            (
                f"{name} covers no retarget period that the model looks back on: earlier price moves "
                f"count as none, each give or take {answer.known_sd[0]:.1%} on the paths"
            )
        ]
    if as_of - last > PRICE_GAP_MAX:
        return [
            (
                f"{name} ends {last:%Y-%m-%d}, {(as_of - last).days} days before the forecast; the change "
                "since is that to the market's present price"
            )
        ]
    return []


def _covers(
    history: Sequence[Retarget],
    closes: Sequence[tuple[datetime, float]],
    count: int,
    name: str,
) -> list[str]:
    """What a price history that begins late or has gaps leaves out of the estimates."""
    kept = history[-(count + 1) :]
    means = period_means(kept, closes)
    covered = [place for place, mean in enumerate(means) if mean is not None]
    if not covered:
        return []
    found: list[str] = []
    if covered[0] > 0:
        found.append(
            f"{name} begins {closes[0][0]:%Y-%m-%d}: the answer to price is of the retargets since, "
            f"{len(means) - covered[0]} of {len(means)}"
        )
    holes = [place for place in range(covered[0], covered[-1]) if means[place] is None]
    if holes:
        found.append(
            f"{name} has no close for a week or more in {len(holes)} retarget "
            f"{'period' if len(holes) == 1 else 'periods'}, the first from {kept[holes[0]].at:%Y-%m-%d}: "
            "their retargets are left out of the answer to price"
        )
    return found


def market_notes(price_usd: float | None, at: datetime | None, as_of: datetime) -> tuple[str, ...]:
    """Return what to know of the present price."""
    if price_usd is None or at is None:
        return ("no market is known: on the paths nothing answers the price",)
    if as_of - at > PRICE_AGE_MAX:
        return (
            (
                f"the present price, {price_usd:,.0f} USD, is of {at:%Y-%m-%d %H:%M}, {(as_of - at).days} "
                "days before the forecast"
            ),
        )
    return ()


def fee_notes(last: Month, count: int, *, name: str, as_of: datetime) -> tuple[str, ...]:
    """Return what to know of a history of monthly fees that ends early."""
    late = _months_between(last, Month.of(as_of))
    if late <= FEES_LATE_MONTHS:
        return ()
    return (
        (
            f"{name} ends {last}, {late - 1} full months before the forecast: fees are those of the {count} "
            "months to then"
        ),
    )


def _months_between(first: Month, last: Month) -> int:
    return (last.year - first.year) * 12 + last.number - first.number


def power_notes(operation: Operation, files: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return which months a site's file of hourly prices leaves to its flat price."""
    found: list[str] = []
    for site in operation.sites:
        name = files.get(site.name)
        empty = [str(place + 1) for place, hours in enumerate(site.power_hours) if not hours]
        if name is not None and empty:
            found.append(
                f"{name} has no hour of month {', '.join(empty)}: {site.name} pays power_usd_mwh then"
            )
    return tuple(found)


def fleet_notes(operation: Operation, as_of: datetime) -> tuple[str, ...]:
    """Return which planned arrivals have passed and are still drawn as late."""
    return tuple(
        f"{batch.count:,} {batch.machine.model} at {batch.site} were due {batch.since} and are still drawn "
        f"as late by {batch.delay_days:.0f} days on average; once they run set delay_days = 0"
        for batch in operation.fleet
        if batch.since is not None and batch.delay_days > 0.0 and batch.since < as_of.date()
    )


def hashrate_notes(
    operation: Operation, hashrates: Mapping[date, float], as_of: datetime
) -> tuple[str, ...]:
    """Return how far the recorded hashrate is from the fleet's plan, or that the record has ended."""
    if not hashrates:
        return ()
    last = max(hashrates)
    if as_of.date() - last > timedelta(days=MEASURED_DAYS):
        return (f"the recorded hashrate ends {last}: the forecast runs the fleet as planned",)
    recent = [day for day in hashrates if last - day < timedelta(days=MEASURED_DAYS)]
    measured = sum(hashrates[day] for day in recent) / len(recent)
    planned = sum(operation.hashrate_hs(Month.of(day)) for day in recent) / len(recent)
    if planned > 0.0 and abs(measured / planned - 1.0) <= MEASURED_GAP:
        return ()
    return (
        (
            f"the hashrate recorded on {len(recent)} days to {last} is {measured / 1e18:.2f} EH/s, "
            f"the fleet's plan {planned / 1e18:.2f}: the forecast runs the plan"
        ),
    )
