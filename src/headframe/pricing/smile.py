"""Volatility by strike and expiry, free of arbitrage by the way it is made.

Each expiry is a mixture of log-normals, so its density is one. Between expiries the surface is the
greatest of an expiry's calls and all earlier ones' at the same strike over forward: the maximum of
convex falling functions is convex and falling, and rises in time. In between, calls are mixed in
price (Gatheral and Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14
(2014) 59-71, lemma 5.1). Before the first expiry and beyond the last the logarithm of the mixture
is scaled by the root of time, which spreads it in convex order.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from math import exp, isfinite, log, sqrt

from headframe.numerics import quantile
from headframe.pricing.kernels import implied_deviation, mixture_otm
from headframe.units import Wrong

_LEAST_YEARS = 1.0 / (365 * 24 * 60)


@dataclass(frozen=True, slots=True)
class Mixture:
    """Log-normals of a price whose forward is 1: weights, means, deviations of the logarithm."""

    weights: tuple[float, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]

    def __post_init__(self) -> None:
        every = (*self.weights, *self.means, *self.deviations)
        if not every or not all(isfinite(one) and one > 0.0 for one in every):
            raise Wrong("a mixture needs positive weights, means and deviations")
        if not len(self.weights) == len(self.means) == len(self.deviations):
            raise Wrong("a mixture needs as many means and deviations as weights")
        mean = sum(w * m for w, m in zip(self.weights, self.means, strict=True))
        if abs(sum(self.weights) - 1.0) > 1e-9 or abs(mean - 1.0) > 1e-9:
            raise Wrong("a mixture's weights must add up to 1, and so must its weighted means")

    def otm(self, k: float) -> float:
        """The out-of-the-money option at strike k over forward, in forwards."""
        return mixture_otm(k, self.weights, self.means, self.deviations)

    def scaled(self, a: float) -> "Mixture":
        """The mixture whose logarithm is ``a`` times this one's, its mean brought back to 1.

        The larger a, the larger in convex order: the ratio of two of them rises in the logarithm.
        """
        raw = [
            m**a * exp(-0.5 * a * (1.0 - a) * s * s)
            for m, s in zip(self.means, self.deviations, strict=True)
        ]
        mean = sum(w * m for w, m in zip(self.weights, raw, strict=True))
        return Mixture(
            self.weights, tuple(m / mean for m in raw), tuple(a * s for s in self.deviations)
        )


def total_variance(k: float, otm: float, widest: float) -> float:
    """Total variance at strike k over forward of an out-of-the-money value in forwards.

    Where the value is too small to be held, that of the ``widest`` deviation there is.
    """
    if otm < 1e-290:
        return widest * widest
    return float(implied_deviation(1.0, k, min(otm, min(1.0, k) * (1.0 - 1e-15))) ** 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Smile:
    """One expiry: forward in USD, years, and the mixture of the price at expiry."""

    expiry: datetime
    forward: float
    years: float
    mixture: Mixture

    def __post_init__(self) -> None:
        if not (self.years > 0.0 and 0.0 < self.forward < 1e15):
            raise Wrong("a smile needs positive years and forward")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """Smiles in order of expiry, and the spot that anchors the forward curve.

    ``rivals`` are, for each smile, the places of the earlier ones that anywhere lie above it.
    """

    as_of: datetime
    spot: float
    smiles: tuple[Smile, ...]
    rivals: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        years = [smile.years for smile in self.smiles]
        if not years or years != sorted(set(years)) or len(self.rivals) != len(years):
            raise Wrong("a surface needs smiles, in order of expiry, and the rivals of each")

    def forward(self, years: float) -> float:
        """Forward price: carry interpolated in time between expiries, level beyond the last."""
        if years <= 0.0:
            return self.spot
        first, last = self.smiles[0], self.smiles[-1]
        if years <= first.years:
            return self.spot * exp(log(first.forward / self.spot) * years / first.years)
        if years >= last.years:
            return self.spot * exp(log(last.forward / self.spot) * years / last.years)
        right = self._right(years)
        left, above = self.smiles[right - 1], self.smiles[right]
        weight = (years - left.years) / (above.years - left.years)
        return exp(log(left.forward) * (1 - weight) + log(above.forward) * weight)

    def extrapolated(self, years: float) -> bool:
        """Whether a time lies beyond the last expiry: level volatility there, nobody's quote."""
        return years > self.smiles[-1].years + 1e-9

    def value(self, sign: float, years: float, strike: float) -> float:
        """Undiscounted value in USD of a call (+1) or put (-1)."""
        forward = self.forward(years)
        inside = max(sign * (forward - strike), 0.0)
        return inside if years <= 0.0 else inside + forward * self._otm(years, strike / forward)

    def vol(self, years: float, strike: float) -> float:
        """Volatility a year at a strike; with no time left that of the last minute."""
        years = max(years, _LEAST_YEARS)
        return self.vol_at(years, log(strike / self.forward(years)))

    def vol_at(self, years: float, moneyness: float) -> float:
        """Volatility a year at a log-moneyness ln(K/F)."""
        k, years = exp(moneyness), max(years, _LEAST_YEARS)
        last = self.smiles[-1]
        widest = max(last.mixture.deviations) * sqrt(max(years / last.years, 1.0))
        return sqrt(total_variance(k, self._otm(years, k), widest) / years)

    def vol_at_delta(self, years: float, delta: float) -> float:
        """Volatility a year where a call has this forward delta, 0 to 1: met by bisection."""
        if not 0.0 < delta < 1.0:
            raise Wrong(f"a call's delta lies between 0 and 1, was {delta}")
        width = self.vol_at(years, 0.0) * sqrt(years)
        low, high = -12.0 * width, 12.0 * width
        wanted = quantile(delta)
        for _ in range(48):
            middle = 0.5 * (low + high)
            deviation = self.vol_at(years, middle) * sqrt(years)
            if -middle / deviation + 0.5 * deviation > wanted:
                low = middle
            else:
                high = middle
        return self.vol_at(years, 0.5 * (low + high))

    def at_spot(self, spot: float, as_of: datetime) -> "Surface":
        """The same surface by time to expiry and moneyness, at another spot and instant."""
        scale = spot / self.spot
        moved = tuple(
            Smile(
                expiry=smile.expiry,
                forward=smile.forward * scale,
                years=smile.years,
                mixture=smile.mixture,
            )
            for smile in self.smiles
        )
        return Surface(as_of=as_of, spot=spot, smiles=moved, rivals=self.rivals)

    def _right(self, years: float) -> int:
        return bisect_left([smile.years for smile in self.smiles], years)

    def _otm(self, years: float, k: float) -> float:
        """Out-of-the-money value in forwards at strike k over forward."""
        first, last = self.smiles[0], self.smiles[-1]
        if years <= first.years:
            return first.mixture.scaled(sqrt(years / first.years)).otm(k)
        if years > last.years:
            beyond = last.mixture.scaled(sqrt(years / last.years)).otm(k)
            return max(beyond, self._at(len(self.smiles) - 1, k))
        right = self._right(years)
        share = self._share(right, years)
        near = 0.0 if share >= 1.0 else (1.0 - share) * self._at(right - 1, k)
        return near + share * self._at(right, k)

    def _share(self, right: int, years: float) -> float:
        """How much of the later expiry's price goes in, such that variance at the money is linear."""
        left, above = self.smiles[right - 1], self.smiles[right]
        passed = (years - left.years) / (above.years - left.years)
        low, high = self._at(right - 1, 1.0), self._at(right, 1.0)
        if high - low < 1e-12 or passed >= 1.0:
            return passed
        between = sqrt(low * low + (high * high - low * low) * passed)
        return (between - low) / (high - low)

    def _at(self, place: int, k: float) -> float:
        """The expiry's own value, or an earlier one's that lies above it."""
        value = self.smiles[place].mixture.otm(k)
        for rival in self.rivals[place]:
            value = max(value, self.smiles[rival].mixture.otm(k))
        return value
