"""The operation, the model and the prices as the arrays the kernel takes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import log, sqrt

from headframe.mining.difficulty import DifficultyModel, year_phase
from headframe.mining.dispatch import staircase
from headframe.mining.fleet import Batch
from headframe.mining.operation import FeeOutlook, Operation
from headframe.mining.price_answer import MOVE_SD, PRICE_LAGS, TO_PRESENT, PriceAnswer
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
    loadings = answer.loadings if answer is not None and risks.difficulty else ()
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
            model.drift_sd if risks.difficulty else 0.0,
            *(loadings or (0.0,) * 6),
        ]
    )


def no_known_moves() -> Array:
    """Return the kernel's ``known_changes`` where nothing answers to price."""
    return np.zeros((3, PRICE_LAGS + 1))


def known_moves(start: Start, prices: PricePaths | None, risks: Risks = ALL_RISKS) -> Array:
    """Return the price's moves so far (3, 14): expected, what each may stray by, and its group.

    The first column is the move to the present price, the others those of the periods before, latest
    first. What closes do not cover up to the present price is the whole move, spread evenly.
    """
    found, answer = no_known_moves(), start.model.price
    if answer is None or prices is None:
        return found
    for row, values in enumerate((answer.known, answer.known_sd, answer.known_group)):
        found[row, 1 : len(values) + 1] = values
    _to_present(found, answer, start, prices)
    if not risks.price:
        found[1] = 0.0
    return found


def _to_present(found: Array, answer: PriceAnswer, start: Start, prices: PricePaths) -> None:
    """Fill the move from the last covered period to the present price, over all the periods between."""
    if answer.last_mean > 0.0:
        each = log(float(prices.prices[0, 0]) / answer.last_mean) / (answer.missing + 1)
        found[0, : answer.missing + 1] = each
        if answer.missing and answer.known_sd:
            found[1, 0], found[2, 0] = answer.known_sd[0], TO_PRESENT
    elif answer.known_sd:
        # no close at all: from the middle of the last period to the present, as far as a price strays
        since = (prices.start - start.last.at).total_seconds() / start.period_seconds
        found[1, 0] = MOVE_SD * sqrt(max(since + 0.5, 0.5))


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
