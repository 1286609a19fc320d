"""Volatility by strike and expiry: total variance over log-moneyness, monotone in time."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from math import exp, log, sqrt

from headframe.units import Wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Smile:
    """One expiry: forward, years, and total variance at nodes of log-moneyness ln(K/F).

    Between nodes a monotone cubic (Fritsch and Carlson, SIAM Journal on Numerical Analysis 17
    (1980) 238-246), beyond the outer nodes the variance stays level.
    """

    expiry: datetime
    forward: float
    years: float
    moneyness: tuple[float, ...]
    variance: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.moneyness or len(self.moneyness) != len(self.variance):
            raise Wrong("a smile needs as many variances as nodes, at least one")
        if any(b <= a for a, b in zip(self.moneyness, self.moneyness[1:], strict=False)):
            raise Wrong("a smile's nodes must rise in strike")
        if min(self.variance) <= 0.0 or self.years <= 0.0 or self.forward <= 0.0:
            raise Wrong("a smile needs positive variances, years and forward")

    def total_variance(self, k: float) -> float:
        """Total variance at a log-moneyness."""
        xs, ys = self.moneyness, self.variance
        if k <= xs[0]:
            return ys[0]
        if k >= xs[-1]:
            return ys[-1]
        right = bisect_left(xs, k)
        left = right - 1
        width = xs[right] - xs[left]
        t = (k - xs[left]) / width
        rise, fall = self._slope(left) * width, self._slope(right) * width
        return (
            ys[left] * (1 + 2 * t) * (1 - t) ** 2
            + rise * t * (1 - t) ** 2
            + ys[right] * t * t * (3 - 2 * t)
            + fall * t * t * (t - 1)
        )

    def _slope(self, index: int) -> float:
        xs, ys = self.moneyness, self.variance
        if index in {0, len(xs) - 1}:
            return 0.0
        before = (ys[index] - ys[index - 1]) / (xs[index] - xs[index - 1])
        after = (ys[index + 1] - ys[index]) / (xs[index + 1] - xs[index])
        if before * after <= 0.0:
            return 0.0
        return 2.0 / (1.0 / before + 1.0 / after)

    def vol(self, strike: float) -> float:
        """Volatility a year at a strike."""
        return sqrt(self.total_variance(log(strike / self.forward)) / self.years)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """Smiles in order of expiry, and the spot that anchors the forward curve."""

    as_of: datetime
    spot: float
    smiles: tuple[Smile, ...]

    def __post_init__(self) -> None:
        years = [smile.years for smile in self.smiles]
        if not years or years != sorted(set(years)):
            raise Wrong("a surface needs smiles, in order of expiry")

    def forward(self, years: float) -> float:
        """Forward price: carry interpolated in time between expiries, level beyond the last."""
        if years <= 0.0:
            return self.spot
        first, last = self.smiles[0], self.smiles[-1]
        if years <= first.years:
            return self.spot * exp(log(first.forward / self.spot) * years / first.years)
        if years >= last.years:
            return self.spot * exp(log(last.forward / self.spot) * years / last.years)
        left, right, weight = self._around(years)
        level = log(left.forward) * (1 - weight) + log(right.forward) * weight
        return exp(level)

    def vol(self, years: float, strike: float) -> float:
        """Volatility: total variance linear in time at the same moneyness; beyond, the last smile's."""
        years = max(years, 1.0 / (365 * 24 * 60))
        k = log(strike / self.forward(years))
        first, last = self.smiles[0], self.smiles[-1]
        if years <= first.years:
            return sqrt(first.total_variance(k) / first.years)
        if years >= last.years:
            return sqrt(last.total_variance(k) / last.years)
        left, right, weight = self._around(years)
        variance = left.total_variance(k) * (1 - weight) + right.total_variance(k) * weight
        return sqrt(variance / years)

    def at_spot(self, spot: float, as_of: datetime) -> "Surface":
        """The same surface by time to expiry and moneyness, at another spot and instant."""
        scale = spot / self.spot
        moved = tuple(
            Smile(
                expiry=smile.expiry,
                forward=smile.forward * scale,
                years=smile.years,
                moneyness=smile.moneyness,
                variance=smile.variance,
            )
            for smile in self.smiles
        )
        return Surface(as_of=as_of, spot=spot, smiles=moved)

    def _around(self, years: float) -> tuple[Smile, Smile, float]:
        right = next(index for index, smile in enumerate(self.smiles) if smile.years >= years)
        left, above = self.smiles[right - 1], self.smiles[right]
        return left, above, (years - left.years) / (above.years - left.years)


def without_calendar_arbitrage(smiles: tuple[Smile, ...]) -> tuple[tuple[Smile, ...], int]:
    """The smiles with total variance raised to the earlier expiry's where it fell below, and how often.

    Checked at the nodes of both: a later option at the same moneyness must not hold less variance.
    """
    mended: list[Smile] = []
    count = 0
    for smile in smiles:
        if mended:
            smile, raised = _above(smile, mended[-1])  # noqa: PLW2901 - the mended smile goes on
            count += raised
        mended.append(smile)
    return tuple(mended), count


def _above(smile: Smile, earlier: Smile) -> tuple[Smile, int]:
    nodes = list(smile.moneyness)
    inside = [k for k in earlier.moneyness if nodes[0] < k < nodes[-1]]
    low = [k for k in inside if smile.total_variance(k) < earlier.total_variance(k)]
    fallen = [k for k in nodes if smile.total_variance(k) < earlier.total_variance(k)]
    if not low and not fallen:
        return smile, 0
    nodes = sorted(set(nodes) | set(low))
    variance = tuple(max(smile.total_variance(k), earlier.total_variance(k)) for k in nodes)
    mended = Smile(
        expiry=smile.expiry,
        forward=smile.forward,
        years=smile.years,
        moneyness=tuple(nodes),
        variance=variance,
    )
    return mended, len(low) + len(fallen)
