"""From a snapshot to a surface: which quotes are believed, and how well the surface meets them."""

from dataclasses import dataclass
from itertools import pairwise
from math import exp, log, sqrt

from headframe.market import ForwardQuote, OptionQuote, Snapshot, TypedSmile
from headframe.numerics import Array, np, phi, quantile
from headframe.pricing.kernels import black76, fit_mixture, implied_deviation, mixture_calls
from headframe.pricing.smile import Mixture, Smile, Surface
from headframe.units import Wrong, year_fraction

_PARTS = 3
_TICK = 0.0001
_CORE, _REACH = 1.9, 3.2
"""Deviations from the forward within which a quote counts in full, and at all."""
_WING_WEIGHT = 0.35
_TYPED_HALF = 2e-4
"""Half spread, in volatility a year, that a typed figure is met within."""
_LOOSE, _FORWARD_LOOSE = 0.05, 1_000.0
_GRID = 29
_ROUNDING = 1e-13
"""Of a forward: what two sums of the same value may differ by."""


def surface_of(snapshot: Snapshot) -> Surface:
    """The surface a snapshot supports; expiries without usable quotes are left out."""
    fitted: list[_Fit] = []
    for forward in snapshot.forwards:
        quotes = _quotes(snapshot, forward)
        if quotes is not None:
            fitted.append(_fitted(quotes, forward, snapshot, fitted[-1] if fitted else None))
    if not fitted:
        raise Wrong("the market holds no expiry with a usable volatility")
    smiles = tuple(one.smile for one in fitted)
    rivals = tuple(_rivals(smiles, place) for place in range(len(smiles)))
    return Surface(as_of=snapshot.as_of, spot=snapshot.index, smiles=smiles, rivals=rivals)


@dataclass(frozen=True, slots=True)
class _Fit:
    """A fitted expiry and the parameters it came from."""

    smile: Smile
    width: float
    parameters: Array


def _fitted(quotes: Array, forward: ForwardQuote, snapshot: Snapshot, before: _Fit | None) -> _Fit:
    """The best of two starts: a usual smile of this width, and the earlier expiry's widened."""
    years = year_fraction(snapshot.as_of, forward.expiry)
    width = _width(quotes)
    prior = np.array(
        [1.0, 0.6, -0.3 * width, 0.3 * width, *(log(width * x) for x in (0.7, 1.0, 1.8)), 0.0]
    )
    pull = np.full(len(prior), _LOOSE)
    pull[-1] = _FORWARD_LOOSE if not snapshot.typed else 1e9
    starts = [prior]
    grid, floor = np.empty(0), np.empty(0)
    if before is not None:
        grid = np.exp(np.linspace(-3.5, 3.5, _GRID) * width)
        floor = _calls(before.smile.mixture, grid)
        widened = before.parameters.copy()
        widened[2 * _PARTS - 2 : -1] += log(width / before.width)
        widened[-1] = 0.0
        starts.append(widened)
    best: tuple[float, Array] | None = None
    for start in starts:
        x, parts = start.copy(), np.empty((3, _PARTS))
        left = fit_mixture(quotes, grid, floor, prior, pull, x, parts)
        if best is None or left < best[0]:
            best = (left, x)
    assert best is not None
    x = best[1].round(9)  # rounded, so that the last bits of the fit never reach a figure
    smile = Smile(
        expiry=forward.expiry,
        forward=forward.price * exp(float(x[-1])),
        years=years,
        mixture=_mixture(x),
    )
    return _Fit(smile, width, x)


def _mixture(x: Array) -> Mixture:
    logits = [1.0, *(exp(float(a)) for a in x[: _PARTS - 1])]
    weights = tuple(w / sum(logits) for w in logits)
    raw = [1.0, *(exp(float(b)) for b in x[_PARTS - 1 : 2 * _PARTS - 2])]
    mean = sum(w * m for w, m in zip(weights, raw, strict=True))
    deviations = tuple(exp(float(c)) for c in x[2 * _PARTS - 2 : -1])
    return Mixture(weights, tuple(m / mean for m in raw), deviations)


def _calls(mixture: Mixture, strikes: Array) -> Array:
    """Calls in forwards at strikes over forward."""
    out = np.empty(len(strikes))
    parts = np.array([mixture.weights, mixture.means, mixture.deviations])
    mixture_calls(np.ascontiguousarray(strikes), parts, out)
    return out


def _rivals(smiles: tuple[Smile, ...], place: int) -> tuple[int, ...]:
    """The earlier expiries that lie above this one at any strike of a dense grid."""
    here = smiles[place].mixture
    strikes = np.exp(np.linspace(-9.0, 9.0, 1_201) * max(here.deviations))
    own = _calls(here, strikes)
    earlier = [_calls(smile.mixture, strikes) for smile in smiles[:place]]
    return tuple(index for index, calls in enumerate(earlier) if (calls > own + _ROUNDING).any())


def _width(quotes: Array) -> float:
    """Deviation at the money of the quote nearest to it."""
    nearest = quotes[int(np.abs(np.log(quotes[:, 0])).argmin())]
    k, sign, mid = float(nearest[0]), float(nearest[1]), float(nearest[2])
    otm = mid - max(sign * (1.0 - k), 0.0)
    if not 0.0 < otm < min(1.0, k):
        return 0.05
    return min(max(implied_deviation(1.0, k, otm), 1e-3), 5.0)


def _quotes(snapshot: Snapshot, forward: ForwardQuote) -> Array | None:
    """Rows of strike over forward, sign, mid, half spread and weight; none where too few are left."""
    years = year_fraction(snapshot.as_of, forward.expiry)
    if years <= 0.0:
        return None
    typed = next((s for s in snapshot.typed if s.expiry == forward.expiry), None)
    if typed is not None:
        return _typed_quotes(typed, years)
    mine = [quote for quote in snapshot.options if quote.expiry == forward.expiry]
    rows = [_row(quote, forward.price) for quote in mine if believed(quote)]
    if len(rows) < _PARTS:
        rows += [row for q in mine if (row := _one_sided(q, forward.price, years)) is not None]
    if len(rows) < _PARTS:
        return None
    table = np.array(rows)
    width = _width(table)
    away = np.abs(np.log(table[:, 0])) / width
    table[away > _CORE, 4] = _WING_WEIGHT
    kept = table[away <= _REACH]
    return np.ascontiguousarray(kept if len(kept) >= _PARTS else table)


def believed(quote: OptionQuote) -> bool:
    """Whether both sides stand and do not cross."""
    return bool(quote.bid and quote.ask and quote.bid < quote.ask)


def _row(quote: OptionQuote, forward: float) -> tuple[float, float, float, float, float]:
    assert quote.bid is not None
    assert quote.ask is not None
    half = max(0.5 * (quote.ask - quote.bid), 0.5 * _TICK)
    sign = 1.0 if quote.is_call else -1.0
    return quote.strike / forward, sign, 0.5 * (quote.ask + quote.bid), half, 1.0


def _one_sided(
    quote: OptionQuote, forward: float, years: float
) -> tuple[float, float, float, float, float] | None:
    """A quote with one side, at the volatility said with it, met loosely: only where better lack."""
    alive = bool(quote.bid or quote.ask) and not believed(quote)
    if not alive or quote.vol is None or not 0.02 <= quote.vol <= 4.0:
        return None
    sign, k = (1.0 if quote.is_call else -1.0), quote.strike / forward
    value = black76(sign, 1.0, k, quote.vol, years, 1.0)
    return k, sign, value, max(0.1 * value, 5 * _TICK), _WING_WEIGHT


def _typed_quotes(typed: TypedSmile, years: float) -> Array:
    """Prices of a smile typed by delta, met to a few hundredths of a volatility point."""
    rows: list[tuple[float, float, float, float, float]] = []
    vols = typed.vols
    if len(vols) == 1:  # one figure is meant for every strike
        vols = tuple((delta, vols[0][1]) for delta in (0.90, 0.75, None, 0.25, 0.10))
    for delta, vol in vols:
        deviation = vol * sqrt(years)
        k = 1.0 if delta is None else exp(0.5 * deviation**2 - quantile(delta) * deviation)
        sign = 1.0 if k >= 1.0 else -1.0
        value = black76(sign, 1.0, k, vol, years, 1.0)
        wider = black76(sign, 1.0, k, vol + _TYPED_HALF, years, 1.0)
        rows.append((k, sign, value, wider - value, 1.0))
    return np.array(rows)


@dataclass(frozen=True, slots=True)
class Arbitrage:
    """What a dense grid of strikes and times found wrong with a surface: counts of nodes."""

    butterfly: int
    calendar: int
    nodes: int


def arbitrage(surface: Surface, *, strikes: int = 201, times: int = 4) -> Arbitrage:
    """Butterfly and calendar violations beyond rounding, within, between and beyond the expiries."""
    knots = [0.25 * surface.smiles[0].years, *(smile.years for smile in surface.smiles)]
    knots.append(2.0 * knots[-1])
    years = [a + (b - a) * step / times for a, b in pairwise(knots) for step in range(times)]
    butterfly = calendar = nodes = 0
    before: Array | None = None
    width = 6.0 * surface.vol_at(knots[-1], 0.0) * sqrt(knots[-1])
    grid = np.exp(np.linspace(-width, width, strikes))
    for at in (*years, knots[-1]):
        forward = surface.forward(at)
        calls = np.array([surface.value(1.0, at, k * forward) / forward for k in grid.tolist()])
        slopes = np.diff(calls) / np.diff(grid)
        butterfly += int((np.diff(slopes) * np.diff(grid)[1:] < -_ROUNDING).sum())
        butterfly += int((slopes > _ROUNDING).sum()) + int((slopes < -1.0 - 1e-9).sum())
        if before is not None:
            calendar += int((calls < before - 2 * _ROUNDING).sum())
        before = calls
        nodes += strikes
    return Arbitrage(butterfly, calendar, nodes)


@dataclass(frozen=True, slots=True)
class Fit:
    """How many two-sided quotes the surface lies inside of."""

    inside: int
    quotes: int

    @property
    def share(self) -> float:
        """Share inside bid and ask, 1 where there are none."""
        return self.inside / self.quotes if self.quotes else 1.0


def fit_of(
    surface: Surface, snapshot: Snapshot, *, deltas: tuple[float, float] = (0.10, 0.90)
) -> Fit:
    """Two-sided quotes of the surface's expiries between two deltas (the surface's own), and those met."""
    inside = count = 0
    for smile in surface.smiles:
        for quote in snapshot.options:
            if quote.expiry != smile.expiry or not believed(quote):
                continue
            deviation = surface.vol(smile.years, quote.strike) * sqrt(smile.years)
            call_delta = phi(log(smile.forward / quote.strike) / deviation + 0.5 * deviation)
            delta = call_delta if quote.is_call else 1.0 - call_delta
            if deltas[0] <= delta <= deltas[1]:
                count += 1
                inside += meets(surface, smile, quote)
    return Fit(inside, count)


def meets(surface: Surface, smile: Smile, quote: OptionQuote) -> bool:
    """Whether the surface's price of a coin-settled option lies within its bid and ask."""
    assert quote.bid is not None
    assert quote.ask is not None
    value = surface.value(1.0 if quote.is_call else -1.0, smile.years, quote.strike)
    return quote.bid - 1e-12 <= value / smile.forward <= quote.ask + 1e-12


@dataclass(frozen=True, slots=True)
class Quality:
    """How a surface meets its quotes, and what a coarse grid found wrong with it."""

    fit: Fit
    arbitrage: Arbitrage


def quality_of(surface: Surface, snapshot: Snapshot) -> Quality:
    """Fit and arbitrage of a surface, coarsely enough to be shown with every market."""
    return Quality(fit_of(surface, snapshot), arbitrage(surface, strikes=61, times=2))
