"""The ladder of price models: from Brownian motion to jumps in price and variance.

Every model keeps the expected price of a day at its forward; what differs is the shape about it.
Parameters enter rounded, so that the last bits of a fit never reach a path.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import acos, cos, exp, log, sqrt

from headframe.numerics import Array, np
from headframe.pricing import Surface, heston_jumps_value
from headframe.risk.columns import walked_by_name
from headframe.risk.kernels import garch_deviance, price_paths
from headframe.units import Wrong

RESIDUALS = 4_096
_MOMENTS = 64
BASIS_PULL = 8.0
"""A year: a basis forgets half of what it strayed in a month."""
_USUAL_ALPHA, _USUAL_BETA = 0.1102, 0.847
"""GARCH(1,1) of daily closes 2014-09-17 to 2026-06-05, fitted by ``bootstrap`` and rounded."""
_LEAST_RETURNS = 500
_MOST_XI, _MOST_JUMPS = 50.0, 100.0
"""What the paths' scheme has been tested for."""
_BOUND_KAPPA, _BOUND_XI, _BOUND_RHO, _BOUND_JUMPS = 12.0, 5.0, 0.9, 24.0
"""Bounds of a calibration: a half-life of variance of three weeks, a volatility of variance of 500 %, two
jumps a month. Beyond them parameters trade one against another (a crash chain's best fit has 60 jumps a year
of -5 % and a volatility of variance of 13), gain a volatility point, and put a hundredth of a year's prices
below a thirtieth of today's."""
_BOUND_MEAN, _BOUND_SD = 0.3, 0.4
"""Largest mean and deviation of a calibrated jump of the log price."""
_MISFIT_PATHS, _MISFIT_BATCHES, _MISFIT_SEED = 2_048, 16, 1


class Ladder(StrEnum):
    """The models, plainest first."""

    GBM = "gbm"
    BOOTSTRAP = "bootstrap"
    HESTON_JUMPS = "heston_jumps"
    SVCJ = "svcj"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceModel:
    """One model's numbers: variances a year, pulls a year, jumps of the log price a year.

    ``words`` says where the numbers come from. ``residuals`` are filtered returns in order, mean 0
    and variance 1, for the bootstrap alone.
    """

    kind: Ladder
    words: str
    v0: float
    kappa: float
    theta: float
    xi: float = 0.0
    rho: float = 0.0
    jumps: float = 0.0
    jump_mean: float = 0.0
    jump_sd: float = 0.0
    variance_jump: float = 0.0
    jump_link: float = 0.0
    alpha: float = 0.0
    beta: float = 0.0
    basis_sd: float = 0.012
    misfit: float = 0.0
    """Root mean square by which daily paths miss the surface they were calibrated to, in volatility, and its
    standard error; of models that are calibrated."""
    misfit_se: float = 0.0
    residuals: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not (0.0 <= self.v0 <= 25.0 and 0.0 <= self.theta <= 25.0 and 0.0 <= self.kappa <= 1e3):
            raise Wrong(f"no variance model starts at {self.v0:g} and returns to {self.theta:g}")
        if not (
            0.0 <= self.xi <= _MOST_XI and abs(self.rho) <= 1.0 and 0.0 <= self.jumps <= _MOST_JUMPS
        ):
            raise Wrong(
                f"no price model has a volatility of variance of {self.xi:g}, a correlation of {self.rho:g} "
                f"and {self.jumps:g} jumps a year; fix: at most {_MOST_XI:g}, 1 and {_MOST_JUMPS:g}"
            )
        if self.kind is Ladder.BOOTSTRAP and len(self.residuals) < 2:
            raise Wrong("a bootstrap needs residuals")

    def numbers(self, start_usd: float, *, antithetic: bool = False) -> Array:
        """The kernel's array of the model."""
        omega = self.theta * (1.0 - self.alpha - self.beta) / 365.0
        return np.array([
            1.0 if self.kind is Ladder.BOOTSTRAP else 0.0, start_usd, self.v0, self.kappa,
            self.theta, self.xi, self.rho, self.jumps, self.jump_mean, self.jump_sd,
            self.variance_jump, self.jump_link, omega, self.alpha, self.beta, BASIS_PULL,
            self.basis_sd * sqrt(2.0 * BASIS_PULL), float(antithetic),
        ])  # fmt: skip

    def drawn_from(self) -> tuple[Array, Array]:
        """Residuals, and the log of the mean of exp(s e) over s**2/2 for s evenly from 0 to 0.5."""
        if self.kind is not Ladder.BOOTSTRAP:
            return np.zeros(2), np.ones(2)
        residuals = np.array(self.residuals)
        # the kernel draws between neighbours, so the mean is taken over the same broken line
        fine = np.interp(
            (np.arange(8 * len(residuals)) + 0.5) / 8.0 - 0.5,
            np.arange(len(residuals)),
            residuals,
        )
        steps = [0.5 * step / (_MOMENTS - 1) for step in range(_MOMENTS)]
        moments = [float(np.mean(fine**2))]
        moments += [2.0 * log(float(np.mean(np.exp(s * fine)))) / (s * s) for s in steps[1:]]
        return residuals, np.array(moments)


def gbm(vol: float) -> PriceModel:
    """Brownian motion at a volatility a year."""
    if not 0.0 <= vol <= 5.0:
        raise Wrong(f"a volatility lies between 0 and 5, was {vol:g}")
    return PriceModel(
        kind=Ladder.GBM,
        words=f"Brownian motion at {vol:.1%} a year",
        v0=vol * vol,
        kappa=1.0,
        theta=vol * vol,
    )


def student_residuals(count: int = RESIDUALS) -> tuple[float, ...]:
    """Quantiles of Student's t with 4 degrees of freedom, which have a closed form, scaled to variance 1.

    Shaw, "Sampling Student's T distribution", Journal of Computational Finance 9(4) (2006) 37-73.
    """
    found: list[float] = []
    for index in range(count):
        p = (index + 0.5) / count
        a = 4.0 * p * (1.0 - p)
        q = cos(acos(sqrt(a)) / 3.0) / sqrt(a)
        found.append((1.0 if p > 0.5 else -1.0) * 2.0 * sqrt(max(q - 1.0, 0.0)))
    scale = sqrt(sum(x * x for x in found) / count)
    return tuple(round(x / scale, 12) for x in found)


def bootstrap(surface: Surface, closes: Sequence[float] = ()) -> PriceModel:
    """The real-world default: GARCH(1,1) with the filtered returns of a history drawn again.

    The level of variance is the market's: today's at 30 days, and that of a year ahead in the long
    run. The persistence and the tails are the history's; without at least 500 returns, those
    of daily closes 2014 to 2026 and Student's t with four degrees of freedom.
    """
    near, far = surface.vol_at(30.0 / 365.0, 0.0), surface.vol_at(1.0, 0.0)
    alpha, beta, residuals = _USUAL_ALPHA, _USUAL_BETA, student_residuals()
    words = "GARCH(1,1) of 2014 to 2026 with Student's t(4)"
    if closes:
        alpha, beta, residuals = filtered(closes)
        words = f"GARCH(1,1) and filtered returns of {len(closes)} daily closes"
    return PriceModel(
        kind=Ladder.BOOTSTRAP,
        words=f"{words}; variance from the market: {near:.1%} now, {far:.1%} in a year",
        v0=round(near * near, 9),
        kappa=round(-365.0 * log(alpha + beta), 6),
        theta=round(far * far, 9),
        alpha=alpha,
        beta=beta,
        residuals=residuals,
    )


def filtered(closes: Sequence[float]) -> tuple[float, float, tuple[float, ...]]:
    """GARCH(1,1) by quasi-likelihood with the variance held at the sample's, and its residuals in order.

    Bollerslev and Wooldridge, Econometric Reviews 11 (1992) 143-172; Engle and Mezrich's variance
    targeting. Searched on a grid, then halved about the best.
    """
    if len(closes) < _LEAST_RETURNS or min(closes) <= 0.0:
        raise Wrong(
            f"a bootstrap needs {_LEAST_RETURNS} positive closes or more, was {len(closes)}"
        )
    returns = np.diff(np.log(np.array(closes, dtype=np.float64)))
    returns = returns - returns.mean()
    residuals = np.empty(len(returns))
    best, alpha, beta, width = 1e300, 0.1, 0.85, 0.08
    for _ in range(9):
        middle = (alpha, beta)
        for i in range(-3, 4):
            for j in range(-3, 4):
                a, b = middle[0] + i * width / 3.0, middle[1] + j * width / 3.0
                if a <= 0.001 or b < 0.0 or a + b > 0.9985:
                    continue
                found = garch_deviance(returns, a, b, residuals)
                if found < best:
                    best, alpha, beta = found, a, b
        width *= 0.5
    alpha, beta = round(alpha, 4), round(beta, 4)
    garch_deviance(returns, alpha, beta, residuals)
    ordered = np.sort(residuals - residuals.mean())
    ordered = ordered / float(ordered.std())
    return alpha, beta, tuple(round(float(x), 9) for x in ordered)


def heston_jumps(surface: Surface) -> PriceModel:
    """Heston's variance with log-normal jumps, calibrated to the surface: risk-neutral.

    Least squares in volatility points over five strikes at 30, 91, 182 and 365 days, each parameter
    held loosely to a usual value and within bounds; Levenberg and Marquardt. The misfit that is said is that
    of daily paths.
    """
    points = _points(surface)
    near, far = surface.vol_at(30.0 / 365.0, 0.0), surface.vol_at(1.0, 0.0)
    usual = np.array(
        [2.0 * log(near), log(3.0), 2.0 * log(far), log(1.0), -0.1, log(4.0), -0.02, log(0.07)]
    )
    loose = np.array([0.02, 0.05, 0.02, 0.05, 0.1, 0.05, 1.0, 0.05]) * 0.05

    def wrong(x: Array) -> Array:
        values = _heston_numbers(x)
        errors = [
            (heston_jumps_value(sign, 1.0, k, years, 1.0, *values) - value) / vega
            for sign, k, years, value, vega in points
        ]
        return np.concatenate([np.array(errors), (x - usual) * loose])

    x = _least_squares(wrong, usual)
    v0, kappa, theta, xi, rho, jumps, mean, sd = (round(v, 6) for v in _heston_numbers(x))
    model = PriceModel(
        kind=Ladder.HESTON_JUMPS,
        words="Heston with jumps fitted to the surface",
        v0=v0,
        kappa=kappa,
        theta=theta,
        xi=xi,
        rho=rho,
        jumps=jumps,
        jump_mean=mean,
        jump_sd=sd,
    )
    return _with_misfit(model, points)


def svcj(surface: Surface) -> PriceModel:
    """A stress: the calibrated model with six more jumps a year that take variance up with them.

    Six jumps of -6 % on average (sd 9 %) a year, each adding 0.25 to the year's variance on average;
    our choice of sizes, since published sets differ by an order of magnitude and in their units.
    """
    base = heston_jumps(surface)
    model = replace(
        base,
        kind=Ladder.SVCJ,
        words=base.words.partition(":")[0]
        + ", and for its jumps six a year of -6 % that lift variance by 0.25",
        jumps=6.0,
        jump_mean=-0.06,
        jump_sd=0.09,
        variance_jump=0.25,
        jump_link=-0.1,
    )
    return _with_misfit(model, _points(surface))


def _with_misfit(model: PriceModel, points: "Sequence[_Point]") -> PriceModel:
    """Return the model with what its own daily paths miss the surface by, in its words."""
    misfit, error = path_misfit(model, points)
    said = (
        f"its daily paths miss it by {100 * misfit:.2f} ±{100 * error:.2f} volatility points (rms)"
    )
    return replace(model, words=f"{model.words}: {said}", misfit=misfit, misfit_se=error)


def path_misfit(model: PriceModel, points: "Sequence[_Point]") -> tuple[float, float]:
    """Return the root mean square error, in volatility, of options priced on a model's paths, and its error.

    Sixteen batches of 2,048 paths of a year; each price is corrected by the price's own mean, which is known.
    What chance adds to the squares is taken off; the standard error is a jackknife over the batches.
    """
    days = max(round(years * 365.0) for _, _, years, _, _ in points)
    numbers, (residuals, moments) = model.numbers(1.0), model.drawn_from()
    missed = np.empty((_MISFIT_BATCHES, len(points)))
    for batch in range(_MISFIT_BATCHES):
        walked = np.empty((days + 1, 4, _MISFIT_PATHS))
        first = batch * _MISFIT_PATHS
        price_paths(_MISFIT_SEED, first, numbers, np.zeros(days), residuals, moments, walked)
        for place, (sign, k, years, value, vega) in enumerate(points):
            end = walked_by_name(walked).price_usd[round(years * 365.0)]
            paid = np.maximum(sign * (end - k), 0.0)
            spread = float(end.var())
            slope = float(((paid - paid.mean()) * (end - end.mean())).mean()) / max(spread, 1e-300)
            missed[batch, place] = (
                float(paid.mean()) - slope * (float(end.mean()) - 1.0) - value
            ) / vega
    whole = _debiased_rms(missed)
    left_out = np.array(
        [_debiased_rms(np.delete(missed, one, axis=0)) for one in range(_MISFIT_BATCHES)]
    )
    share = (_MISFIT_BATCHES - 1.0) / _MISFIT_BATCHES
    error = sqrt(share * float(((left_out - left_out.mean()) ** 2).sum()))
    return round(whole, 6), round(error, 6)


def _debiased_rms(missed: Array) -> float:
    """Return the root mean square of the columns' means, less what the spread of the rows puts into it."""
    chance = missed.var(axis=0, ddof=1) / len(missed)
    return sqrt(max(float((missed.mean(axis=0) ** 2 - chance).mean()), 0.0))


def ladder(kind: Ladder, surface: Surface, closes: Sequence[float] = ()) -> PriceModel:
    """The model of a name at a market."""
    if kind is Ladder.GBM:
        return gbm(round(surface.vol_at(0.5, 0.0), 9))
    if kind is Ladder.BOOTSTRAP:
        return bootstrap(surface, closes)
    return heston_jumps(surface) if kind is Ladder.HESTON_JUMPS else svcj(surface)


_Point = tuple[float, float, float, float, float]
"""Sign, strike over forward, years, value in forwards and vega."""


def _points(surface: Surface) -> list[_Point]:
    """The strikes that are met."""
    found: list[_Point] = []
    for days in (30, 91, 182, 365):
        years = days / 365.0
        forward, level = surface.forward(years), surface.vol_at(years, 0.0)
        for z in (-1.3, -0.6, 0.0, 0.6, 1.3):
            k = exp(z * level * sqrt(years))
            sign = 1.0 if k >= 1.0 else -1.0
            value = surface.value(sign, years, k * forward) / forward
            d1 = -z + 0.5 * level * sqrt(years)
            vega = sqrt(years) * exp(-0.5 * d1 * d1) / 2.5066282746310002
            found.append((sign, k, years, value, vega))
    return found


def _heston_numbers(x: Array) -> tuple[float, ...]:
    """Return the model's numbers of a point of the search, each within its bounds."""
    v0, kappa, theta, xi = (exp(float(one)) for one in x[:4])
    rho = max(min(float(x[4]), _BOUND_RHO), -_BOUND_RHO)
    mean = max(min(float(x[6]), _BOUND_MEAN), -_BOUND_MEAN)
    return (
        min(v0, 25.0),
        min(kappa, _BOUND_KAPPA),
        min(theta, 25.0),
        min(xi, _BOUND_XI),
        rho,
        min(exp(float(x[5])), _BOUND_JUMPS),
        mean,
        min(exp(float(x[7])), _BOUND_SD),
    )


def _least_squares(wrong: Callable[[Array], Array], start: Array) -> Array:
    x, damping = start.copy(), 1e-2
    r = wrong(x)
    for _ in range(40):
        steps = np.where(np.abs(x) > 1.0, np.abs(x), 1.0) * 1e-5
        jacobian = np.column_stack(
            [
                (wrong(x + step * unit) - r) / step
                for step, unit in zip(steps, np.eye(len(x)), strict=True)
            ]
        )
        normal, right = jacobian.T @ jacobian, -jacobian.T @ r
        for _ in range(8):
            move = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), right)
            tried = x + np.clip(move, -0.5, 0.5)
            found = wrong(tried)
            if float(found @ found) < float(r @ r):
                break
            damping *= 6.0
        else:
            break
        better = float(r @ r) - float(found @ found)
        x, r, damping = tried, found, damping * 0.3
        if better < 1e-9 * float(r @ r):
            break
    return x
