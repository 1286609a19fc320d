"""The scenario engine: price, difficulty, coins, hedge, margin and cash on one set of paths.

Production is the forecast's own model run on the engine's prices. Paths are made in blocks and only
their results are kept; a path depends on the seed and its own number, so blocks, threads, shards and
machines never change a bit of it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from math import log, sqrt

from headframe.mandate import Unwind
from headframe.mining import ALL_RISKS, LaidMine, Operation, PricePaths, Risks, Start, lay
from headframe.numerics import Array, Places, Singles, np, thread_count, threads
from headframe.pricing import Surface
from headframe.risk.columns import walked_by_name
from headframe.risk.hedged import Hedge
from headframe.risk.kernels import (
    AMOUNT,
    EXPIRY,
    FIGURES,
    SET,
    mark_errors,
    mark_tables,
    price_paths,
    run_programme,
)
from headframe.risk.price_models import PriceModel
from headframe.risk.run_off import NO_COSTS, DealingCosts, alive_shares, closing_days
from headframe.units import Month, Wrong

_ABREAST, _MOST_ABREAST = 256, 16_384
SHARD = 65_536
"""Paths of one shard: what a worker is handed."""
MOST_PATHS = 10_000_000
_BUCKET_DAYS = 7
_NODES, _LOG_REACH = 141, 2.8
_LEVELS, _GREATEST_VOL = 12, 2.5
_TENORS = (1, 2, 4, 7, 11, 16, 23, 32, 45, 62, 85, 115, 155, 205, 270, 350, 450, 600, 800)
_SMILE_REACH, _SMILE_NODES = 3.0, 61
_CHECKED = 64
_USUAL_PATHS, _USUAL_SEED = 4_096, 1
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """What is to be walked through time: a mine, a market, a model, and the hedge that is on.

    ``opening`` is cash and undrawn credit in USD, coins to be sold with the next sale, and coins kept
    that could be sold: liquidity counts them at the day's price. What is posted today belongs to them,
    since the engine posts margin and collateral anew. ``upfront_usd`` is paid for the
    hedge at once.
    """

    as_of: datetime
    months: int
    operation: Operation
    start: Start
    surface: Surface
    model: PriceModel
    hedge: Hedge
    opening: tuple[float, float, float, float]
    upfront_usd: float = 0.0
    antithetic: bool = False
    unwind: Unwind = Unwind.AT_EXPIRY
    """When the hedge is reduced, as the mandate says."""
    dealing: DealingCosts = NO_COSTS
    """What reducing it costs."""

    def __post_init__(self) -> None:
        if not 1 <= self.months <= 36:
            raise Wrong(f"a programme is walked through 1 to 36 months, was {self.months}")


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of a programme: which month and bucket each is, what is sold and paid on it."""

    months: tuple[Month, ...]
    edges: tuple[datetime, ...]
    month: Places
    bucket: Places
    share: Array
    sells: Array
    fixed: Array

    @property
    def days(self) -> int:
        """Days from the first instant to the last month's end."""
        return len(self.month)


@dataclass(frozen=True, slots=True)
class Engine:
    """A programme as arrays: everything a worker needs, and nothing it has to look up."""

    calendar: Calendar
    mine: LaidMine
    model: Array
    residuals: Array
    moments: Array
    carry: Array
    smile: Array
    tenors: Array
    ys: Array
    grid: Array
    opening: Array
    sets: Array
    notional: Array
    legs: Array
    expires: Places
    tables: Singles
    alive: Array
    """Share of each leg that is left after each day."""
    closing: Places
    """Place of a day among those on which legs are closed, -1 where none is."""
    closed: Singles
    """What closing brings, by set and closing day, as ``tables`` hold values."""
    hashed: Array
    due: Array
    usual: Array
    """Coins sold by an index of mining on each day and due on it, by set; the difficulty they count on by
    bucket, none where there are no such coins."""
    whole: bool = True
    """Whether every day has its marks: without them cash is not walked."""

    @property
    def columns(self) -> int:
        """Figures kept of each path."""
        return FIGURES + 3 * len(self.calendar.months)

    def paths(self, seed: int, first: int, walked: Array) -> None:
        """Fill the prices of consecutive paths, and what marks need beside: (days + 1, 4, count)."""
        growth = np.diff(self.carry[: self.calendar.days + 1])
        price_paths(seed, first, self.model, growth, self.residuals, self.moments, walked)

    def shard(self, seed: int, first: int, count: int) -> Singles:
        """Results of consecutive paths, (count, columns) in single precision, block by block."""
        out = np.empty((count, self.columns), dtype=np.float32)
        for _ in self.filled(seed, first, out):
            pass
        return out

    def filled(self, seed: int, first: int, out: Singles) -> Iterator[int]:
        """Fill results of consecutive paths, and say after each block how many are done."""
        count = len(out)
        block = abreast()
        room = Room.of(self, min(block, count))
        for at in range(0, count, block):
            width = min(block, count - at)
            used = room if width == room.walked.shape[2] else Room.of(self, width)
            self._block(seed, first + at, used)
            out[at : at + width] = used.found.T
            yield at + width

    def courses(self, prices: Array, variances: Array, *, stressed: "Stressed") -> Array:
        """Results of given courses, no chance in them: (courses, columns).

        ``prices`` and ``variances`` are (courses, days + 1); the mine's own chances are off where the
        engine was prepared without them.
        """
        room = Room.of(self, len(prices))
        walked = walked_by_name(room.walked)
        walked.price_usd[:] = prices.T
        walked.log_move[:] = np.log(prices / prices[:, :1]).T
        walked.variance_root4[:] = (variances**0.25).T
        walked.carry_stray[:] = 0.0
        sets = self.sets.copy()
        sets[:, [1, 2, 6]] *= stressed.margin
        changed = replace(
            self,
            mine=self.mine.stressed(stressed.difficulty, stressed.reward),
            sets=sets,
            usual=self.usual * stressed.reward,  # an index pays what a block brings
        )
        changed.settle(0, 0, room)
        return np.ascontiguousarray(room.found.T)

    def _block(self, seed: int, first: int, room: "Room") -> None:
        self.paths(seed, first, room.walked)
        self.settle(seed, first, room)

    def settle(
        self, seed: int, first: int, room: "Room", rungs: tuple[Places, Array] | None = None
    ) -> None:
        """Coins, sales, margin and cash on the paths walked; with ``rungs`` the cash ladder, too."""
        if not self.whole:
            raise Wrong("this engine has marks on some days alone: cash is not walked on it")
        rung, kept = (np.zeros(0, dtype=np.int64), _nothing()) if rungs is None else rungs
        calendar = self.calendar
        self.mine.fill(
            seed, first, room.walked, (room.coins, room.fees, room.power, room.difficulty)
        )
        np.add(room.coins, room.fees, out=room.coins)
        run_programme(
            room.walked, room.coins, room.power, calendar.bucket, calendar.share, calendar.sells,
            calendar.fixed, calendar.month, self.opening, self.sets, self.notional, self._settling(),
            self.expires, self.grid, self.tables, self.closing, self.closed, self.hashed, self.due,
            self.short(room.difficulty), rung, kept, room.found,
        )  # fmt: skip

    def last_days(self) -> Places:
        """Return the day on which the last leg of each set has expired or is closed: (sets,)."""
        out = np.zeros(len(self.sets), dtype=np.int64)
        for row, alive in zip(self.legs, self.alive, strict=True):
            closed = np.flatnonzero(alive == 0.0)
            end = min(int(row[EXPIRY]), int(closed[0])) if len(closed) else int(row[EXPIRY])
            out[int(row[SET])] = max(out[int(row[SET])], end)
        return out

    def _settling(self) -> Array:
        """Return the legs with the amounts that are left to settle at their expiry."""
        legs = self.legs.copy()
        for row, alive in zip(legs, self.alive, strict=True):
            row[AMOUNT] *= alive[min(int(row[EXPIRY]), self.calendar.days)]
        return legs

    def short(self, difficulty: Array) -> Array:
        """How much fewer coins an index pays than was counted on, as a share, by path and bucket.

        Difficulty to come is taken to stand as far from what was expected as it does in the bucket.
        """
        return 1.0 - self.usual / difficulty

    def shortfall(self, seed: int, first: int, walked: Array) -> Array:
        """``short`` of paths walked: (paths, buckets), or (0, 0) where no coins are sold by an index."""
        if not self.usual.size:
            return _nothing()
        shape = (walked.shape[2], len(self.usual))
        coins, fees, difficulty = np.empty(shape), np.empty(shape), np.empty(shape)
        self.mine.fill(seed, first, walked, (coins, fees, _nothing(), difficulty))
        return self.short(difficulty)

    def marks_error(self, seed: int) -> tuple[float, float]:
        """Worst and root-mean-square difference in USD of interpolated marks, on the first paths."""
        days = self.tables.shape[1]
        walked = np.empty((days, 4, _CHECKED))
        self.paths(seed, 0, walked)
        worst, squares = np.empty(days), np.empty(days)
        mark_errors(
            walked, self.legs, self.model, self.carry, self.smile, self.tenors, self.ys, self.grid,
            self.tables, self.alive, worst, squares,
        )  # fmt: skip
        return float(worst.max()), sqrt(float(squares.sum()) / (_CHECKED * days))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stressed:
    """Multipliers of difficulty, of the coins a block brings, and of margin rates."""

    difficulty: float = 1.0
    reward: float = 1.0
    margin: float = 1.0


@dataclass(frozen=True, slots=True)
class Room:
    """Where one block after another is worked out: memory asked for once is touched once."""

    walked: Array
    coins: Array
    fees: Array
    power: Array
    difficulty: Array
    found: Array

    @classmethod
    def of(cls, engine: Engine, count: int) -> "Room":
        """Room for so many paths of an engine."""
        days, buckets = engine.calendar.days + 1, len(engine.calendar.edges) - 1
        coins, fees, power = (np.empty((count, buckets)) for _ in range(3))
        walked, found = np.empty((days, 4, count)), np.empty((engine.columns, count))
        difficulty = np.empty((count, len(engine.usual)) if engine.usual.size else (0, 0))
        return cls(walked, coins, fees, power, difficulty, found)


def _nothing() -> Array:
    """A table nobody asks for."""
    return np.empty((0, 0))


def abreast() -> int:
    """Paths worked out together: as many a thread as its caches hold; no result depends on it."""
    return min(_ABREAST * thread_count(), _MOST_ABREAST)


def shards(paths: int) -> Iterator[tuple[int, int]]:
    """First path and count of each shard of a run, always the same for as many paths."""
    for first in range(0, paths, SHARD):
        yield first, min(SHARD, paths - first)


def run(
    engine: Engine,
    *,
    paths: int,
    seed: int,
    thread_count: int | None = None,
    progress: Progress | None = None,
) -> Singles:
    """Results of every path in order: (paths, columns)."""
    _checked(paths, seed)
    out = np.empty((paths, engine.columns), dtype=np.float32)
    with threads(thread_count):
        for done in engine.filled(seed, 0, out):
            if progress is not None:
                progress(done, paths)
    return out


def gathered(found: Mapping[int, Singles], paths: int, columns: int) -> Singles:
    """Shards by their first path put together in order; raises Wrong where one is missing."""
    out = np.empty((paths, columns), dtype=np.float32)
    for first, count in shards(paths):
        part = found.get(first)
        if part is None or part.shape != (count, columns):
            raise Wrong(f"the shard of {count} paths from {first} is missing")
        out[first : first + count] = part
    return out


def result_sha256(results: Singles) -> str:
    """The hash of all per-path results, in order, as little-endian single precision."""
    return sha256(np.ascontiguousarray(results, dtype="<f4").tobytes()).hexdigest()


def _checked(paths: int, seed: int) -> None:
    if not 1 <= paths <= MOST_PATHS:
        raise Wrong(f"a simulation takes 1 to {MOST_PATHS:,} paths, was {paths:,}")
    if not 0 <= seed < 2**63:
        raise Wrong(f"a seed lies between 0 and 2**63, was {seed}")


def prepare(
    programme: Programme,
    *,
    risks: Risks = ALL_RISKS,
    marked_on: Callable[[int], Collection[int]] | None = None,
) -> Engine:
    """A programme laid out: calendar, mine, forward curve, smiles, and the tables marks are read from.

    ``marked_on`` says of the last day on which days marks are needed: all of them where it is not given.
    """
    calendar = calendar_of(programme)
    surface, days = programme.surface, calendar.days
    spot = surface.spot
    first = PricePaths(np.full((1, 2), spot), programme.as_of, 86_400.0)
    mine = lay(
        programme.operation, calendar.edges, start=programme.start, prices=first, risks=risks
    )
    hedge = programme.hedge
    reach = max(days, int(hedge.legs[:, EXPIRY].max()) if len(hedge.legs) else 0)
    carry = np.array([log(surface.forward(day / 365.0) / spot) for day in range(reach + 1)])
    carry = carry.round(12)
    model = programme.model.numbers(spot, antithetic=programme.antithetic)
    residuals, moments = programme.model.drawn_from()
    left = alive_shares(hedge.legs, hedge.months, hedge.at_venue, calendar, programme.unwind)
    marked = _marked(days, range(days + 1) if marked_on is None else marked_on(days))
    marks = _marks(programme, model, carry, left, marked)
    alive, due = hedge.on_index(carry, days)
    engine = Engine(
        calendar=calendar,
        mine=mine,
        model=model,
        residuals=residuals,
        moments=moments.round(9),
        carry=carry,
        smile=marks.smile,
        tenors=marks.tenors,
        ys=marks.ys,
        grid=marks.grid,
        opening=np.array([*programme.opening, programme.upfront_usd]),
        sets=hedge.set_numbers(),
        notional=hedge.notional(days, left),
        legs=hedge.legs,
        expires=_expires(hedge.legs, days),
        tables=marks.tables,
        alive=left,
        closing=marks.closing,
        closed=marks.closed,
        hashed=alive,
        due=due,
        usual=np.zeros(0),
        whole=marked_on is None,
    )
    return replace(engine, usual=_usual(engine)) if alive.any() else engine


@dataclass(frozen=True, slots=True)
class _Marks:
    """Smiles, the grid, and the tables that marks and what closing brings are read from."""

    smile: Array
    tenors: Array
    ys: Array
    grid: Array
    tables: Singles
    closing: Places
    closed: Singles


def _marks(programme: Programme, model: Array, carry: Array, left: Array, marked: Places) -> _Marks:
    """Fill the tables of the days that are ``marked``, for the share ``left`` of each leg."""
    hedge, days = programme.hedge, left.shape[1] - 1
    tenors = np.array(_TENORS, dtype=np.float64) / 365.0
    ys = np.array([-_SMILE_REACH, 2.0 * _SMILE_REACH / (_SMILE_NODES - 1)])
    smile = _smile(programme.surface, tenors, ys)
    grid = np.array(
        [-_LOG_REACH, 2.0 * _LOG_REACH / (_NODES - 1), sqrt(_GREATEST_VOL) / (_LEVELS - 1)]
    )
    closing = closing_days(left)
    shape = (_LEVELS, _NODES, 3)
    tables = np.zeros((len(hedge.sets), days + 1, *shape), dtype=np.float32)
    closed = np.zeros((len(hedge.sets), int(closing.max()) + 1, *shape), dtype=np.float32)
    mark_tables(
        hedge.legs, model, carry, smile, tenors, ys, grid, programme.surface.spot, marked, left,
        closing, programme.dealing.numbers(), tables, closed,
    )  # fmt: skip
    return _Marks(smile, tenors, ys, grid, tables, closing, closed)


def _marked(days: int, on: Collection[int]) -> Places:
    """1 on the days whose marks are needed."""
    found = np.zeros(days + 1, dtype=np.int64)
    found[list(on)] = 1
    return found


def _usual(engine: Engine) -> Array:
    """The median difficulty of each bucket on the engine's own paths: what its marks count on."""
    walked = np.empty((engine.calendar.days + 1, 4, _USUAL_PATHS))
    engine.paths(_USUAL_SEED, 0, walked)
    shape = (_USUAL_PATHS, len(engine.calendar.edges) - 1)
    coins, fees, difficulty = np.empty(shape), np.empty(shape), np.empty(shape)
    engine.mine.fill(_USUAL_SEED, 0, walked, (coins, fees, _nothing(), difficulty))
    return np.median(difficulty, axis=0)


def _expires(legs: Array, days: int) -> Places:
    """1 on the days on which any leg expires."""
    found = np.zeros(days + 1, dtype=np.int64)
    for row in legs:
        if row[EXPIRY] <= days:
            found[int(row[EXPIRY])] = 1
    return found


def calendar_of(programme: Programme) -> Calendar:
    """Days of 24 hours from the present to the end of so many full months after this one.

    A day belongs to the month its middle lies in; coins are simulated over at most seven days of one
    month at a time and spread evenly over them, costs over the days of their month.
    """
    at, operation = programme.as_of, programme.operation
    last = Month.of(at).plus(programme.months)
    days = int((last.end - at).total_seconds() / 86_400.0 + 0.5)
    middles = [at + timedelta(days=day + 0.5) for day in range(days)]
    of_day = [Month.of(middle) for middle in middles]
    months = tuple(dict.fromkeys(of_day))
    cuts = [0]
    for day in range(1, days):
        if of_day[day] != of_day[day - 1] or day - cuts[-1] == _BUCKET_DAYS:
            cuts.append(day)
    cuts.append(days)
    bucket, share = np.zeros(days, dtype=np.int64), np.zeros(days)
    for place, (begin, end) in enumerate(pairwise(cuts)):
        bucket[begin:end] = place
        share[begin:end] = 1.0 / (end - begin)
    costs = operation.costs
    monthly = costs.fixed_usd_month + costs.debt_service_usd_month
    paid = [(monthly + costs.capex_usd.get(month, 0.0)) / month.days for month in of_day]
    return Calendar(
        months=months,
        edges=tuple(at + timedelta(days=cut) for cut in cuts),
        month=np.array([months.index(month) for month in of_day], dtype=np.int64),
        bucket=bucket,
        share=share,
        sells=np.array([float(operation.sale_policy.sells_on(m.date())) for m in middles]),
        fixed=np.array(paid),
    )


def _smile(surface: Surface, tenors: Array, ys: Array) -> Array:
    """Volatility by time and y = ln(K/F)/sqrt(years), rounded: (tenors, nodes)."""
    rows: list[list[float]] = []
    for years in tenors.tolist():
        root = sqrt(years)
        rows.append(
            [
                round(surface.vol_at(years, (ys[0] + node * ys[1]) * root), 9)
                for node in range(_SMILE_NODES)
            ]
        )
    return np.array(rows)
