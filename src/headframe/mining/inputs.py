"""The operation, the model and the prices as the arrays the kernel takes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import log, sqrt

from headframe.mining.difficulty import PRICE_LAGS, DifficultyModel, year_phase
from headframe.mining.dispatch import staircase
from headframe.mining.fleet import Batch
from headframe.mining.operation import FeeOutlook, Operation
from headframe.mining.start import ALL_RISKS, PricePaths, Risks, Start
from headframe.numerics import Array, Places, np
from headframe.units import Month


def start_numbers(start: Start) -> Array:
    """The kernel's ``chain``: where the paths begin and how the rule adjusts."""
    chain = start.chain
    adjusts = chain.period > 1
    return np.array(
        [
            start.last.difficulty,
            float(start.last.height),
            float(start.period),
            float(start.period * chain.intervals / chain.period),
            float(chain.spacing_seconds),
            chain.hashes_per_difficulty,
            log(4.0) if adjusts else log(1e6),
            year_phase(start.last.at),
        ]
    )


def model_numbers(model: DifficultyModel, risks: Risks = ALL_RISKS) -> Array:
    """The kernel's ``model``."""
    answer = model.price
    return np.array(
        [
            model.drift,
            model.innovation_sd if risks.difficulty else 0.0,
            model.memory,
            model.last_deviation,
            model.season_cos,
            model.season_sin,
            model.squeeze_used,
            0.0 if answer is None else answer.same,
            0.0 if answer is None else answer.six,
            0.0 if answer is None else answer.seven,
        ]
    )


def known_moves(model: DifficultyModel, prices: PricePaths | None) -> Array:
    """The price's moves so far: to the present price, then those of the periods before."""
    answer = model.price
    if answer is None or prices is None or answer.last_mean <= 0.0:
        return np.zeros(PRICE_LAGS + 1)
    recent = log(float(prices.prices[0, 0]) / answer.last_mean)
    return np.array([recent, *answer.known, *([0.0] * PRICE_LAGS)][: PRICE_LAGS + 1])


def price_numbers(prices: PricePaths | None, begin: datetime, risks: Risks) -> tuple[Array, Array]:
    """The price paths, or their mean, with their grid; none where nothing answers to price."""
    if prices is None:
        return np.empty((0, 0)), np.array([1.0, 0.0])
    grid = np.array([prices.step_seconds, (prices.start - begin).total_seconds()])
    if risks.price:
        return prices.prices, grid
    return np.ascontiguousarray(prices.prices.mean(axis=0, keepdims=True)), grid


def _late(batch: Batch, begin: datetime) -> tuple[float, float, float, float]:
    assert batch.since is not None
    since = datetime(batch.since.year, batch.since.month, batch.since.day, tzinfo=UTC)
    until = 1e300
    if batch.until is not None:
        gone = datetime(batch.until.year, batch.until.month, batch.until.day, tzinfo=UTC)
        until = (gone - begin).total_seconds()
    return (
        (since - begin).total_seconds(),
        batch.ramp_days * 86_400.0,
        batch.delay_days * 86_400.0,
        until,
    )


def fee_numbers(fees: FeeOutlook, counted: float, risks: Risks) -> Array:
    """The kernel's ``fees``."""
    spread = fees.log_sd if risks.fees else 0.0
    return np.array([fees.share_median, spread, fees.persistence, fees.tail, counted])


def uptime_numbers(operation: Operation, risks: Risks) -> Array:
    """Relative spread of the mine's uptime, sites failing each on its own, and its greatest value."""
    weights = {site.name: 0.0 for site in operation.sites}
    for batch in operation.fleet:
        weights[batch.site] += batch.count * batch.machine.hashrate_ths
    total = sum(weights.values())
    if total == 0.0:
        return np.array([0.0, 1.0])
    mean = sum(weights[site.name] * site.uptime for site in operation.sites) / total
    variance = sum((weights[site.name] / total * site.uptime_sd) ** 2 for site in operation.sites)
    if mean == 0.0:
        return np.array([0.0, 1.0])
    return np.array([sqrt(variance) / mean if risks.uptime else 0.0, 1.0 / mean])


def pool_numbers(operation: Operation, risks: Risks) -> Array:
    """The kernel's ``pool``."""
    pool = operation.pool
    lucky = pool.lucky if risks.luck else (False, False)
    return np.array([pool.fee, pool.part_of_pool, float(lucky[0]), float(lucky[1])])


def laid(
    operation: Operation, begin: datetime, end: datetime, risks: Risks
) -> tuple[Array | Places, ...]:
    """The fleet over time as the kernel takes it: spans, their months, staircases, late batches."""
    delayed = tuple(b for b in operation.fleet if b.delay_days > 0.0) if risks.delay else ()
    steady = operation if risks.delay else _on_average(operation)
    cuts = _cuts(begin, end, steady)
    stair = staircase(steady, cuts, delayed)
    return (
        np.array([(cut - begin).total_seconds() for cut in cuts]),
        np.array([_months_between(cuts[0], cut) for cut in cuts[:-1]], dtype=np.int64),
        stair.offsets,
        stair.thresholds,
        stair.hashes,
        stair.usd,
        stair.fixed_usd,
        np.array([_late(batch, begin) for batch in delayed]).reshape(-1, 4),
    )


def _on_average(operation: Operation) -> Operation:
    """The operation with every uncertain delay replaced by its mean."""
    fleet = tuple(
        batch
        if batch.delay_days == 0.0 or batch.since is None
        else _moved(batch, timedelta(days=round(batch.delay_days)))
        for batch in operation.fleet
    )
    return replace(operation, fleet=tuple(batch for batch in fleet if batch is not None))


def _moved(batch: Batch, by: timedelta) -> Batch | None:
    assert batch.since is not None
    since = batch.since + by
    if batch.until is not None and batch.until <= since:
        return None
    return replace(batch, since=since, delay_days=0.0)


def _cuts(begin: datetime, end: datetime, operation: Operation) -> tuple[datetime, ...]:
    """Every instant between two at which a month turns, the fleet changes or a power block ends."""
    months: list[datetime] = []
    month = Month.of(begin).plus(1)
    while month.start < end:
        months.append(month.start)
        month = month.plus(1)
    ends = [block.until for site in operation.sites for block in site.blocks if block.until]
    changes = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in ends]
    changes += [edge for batch in operation.fleet for edge in batch.edges()]
    return tuple(sorted({begin, end, *months, *(one for one in changes if begin < one < end)}))


def _months_between(first: datetime, at: datetime) -> int:
    return (at.year - first.year) * 12 + at.month - first.month
