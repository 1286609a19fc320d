"""Greeks at and near discontinuities: none is a difference that reaches over one."""

from typing import Any

import mpmath
import pytest

from headframe.pricing import AverageOption, BarrierOption

mp: Any = mpmath.mp
mpf: Any = mpmath.mpf


def _barrier(**changes: Any) -> BarrierOption:
    given: dict[str, Any] = {
        "spot": 100.0,
        "strike": 100.0,
        "barrier": 120.0,
        "rebate": 2.0,
        "vol": 0.5,
        "years": 0.25,
    }
    given |= {"carry": 0.0, "rate": 0.0, "sign": 1.0} | changes
    return BarrierOption(up=True, enters=False, **given)


def _up_out_call(
    spot: Any, strike: float, level: float, vol: float, years: float, rebate: float
) -> Any:
    """Reflection without drift of the price: an up-and-out call and its rebate, to 40 digits."""
    S, K, H, s = mpf(spot), mpf(strike), mpf(level), mpf(vol) * mp.sqrt(mpf(years))

    def density(x: Any) -> Any:
        away = mp.log(H / S)
        plain = mp.npdf((x + s * s / 2) / s) / s
        mirrored = mp.exp(-away) * mp.npdf((x - 2 * away + s * s / 2) / s) / s
        return plain - mirrored

    low, top = mp.log(K / S), mp.log(H / S)

    def paid(x: Any) -> Any:
        return (S * mp.exp(x) - K) * density(x)

    alive = mp.quad(paid, mp.linspace(low, top, 9))
    stays = mp.quad(density, mp.linspace(-14 * s, top, 15))
    return alive + mpf(rebate) * (1 - stays)


@pytest.mark.parametrize("spot", [119.5, 119.95, 119.9999, 119.99999999, 120.0 - 1e-12])
def test_a_spot_beside_the_barrier_has_the_greeks_of_its_own_side(spot: float) -> None:
    with mp.workdps(40):
        h = mpf("1e-6")
        values = [_up_out_call(mpf(spot) - k * h, 100.0, 120.0, 0.5, 0.25, 2.0) for k in range(4)]
        delta = (11 * values[0] - 18 * values[1] + 9 * values[2] - 2 * values[3]) / (6 * h)
        gamma = (2 * values[0] - 5 * values[1] + 4 * values[2] - values[3]) / (h * h)
    found = _barrier(spot=spot).figures()
    assert found.delta == pytest.approx(float(delta), rel=2e-5)
    assert found.gamma == pytest.approx(float(gamma), abs=2e-5)


@pytest.mark.parametrize("years", [0.0, 1e-12])
@pytest.mark.parametrize(("spot", "delta"), [(99.99, 0.0), (100.0, 0.5), (100.01, 1.0)])
def test_a_barrier_option_at_expiry_has_the_slope_of_its_payoff(
    years: float, spot: float, delta: float
) -> None:
    found = _barrier(spot=spot, years=years, rebate=0.0).figures()
    assert found.delta == pytest.approx(delta, abs=1e-3)
    assert found.gamma == 0.0


@pytest.mark.parametrize(("forward", "delta"), [(99.99, 0.0), (100.0, 0.5), (100.01, 1.0)])
@pytest.mark.parametrize("vol", [0.0, 1e-9])
def test_an_average_without_chance_has_the_slope_of_its_payoff(
    forward: float, delta: float, vol: float
) -> None:
    found, _ = AverageOption(
        sign=1.0,
        forward=forward,
        strike=100.0,
        vol=vol,
        years=0.25,
        discount=1.0,
        fixings=10,
        first_fixing_years=0.025,
    ).figures()
    assert found.delta == pytest.approx(delta, abs=1e-3)
    assert found.gamma == 0.0


def test_the_theta_of_an_average_does_not_pass_a_fixing() -> None:
    """One fixing to come: a European option, whose theta is known, however near the fixing is."""
    for years in (1e-4, 1e-6, 2e-7):
        found, _ = AverageOption(
            sign=1.0,
            forward=100.0,
            strike=100.0,
            vol=0.5,
            years=years,
            discount=1.0,
            fixings=1,
            first_fixing_years=years,
        ).figures()
        with mp.workdps(30):
            s = mpf(0.5) * mp.sqrt(mpf(years))
            value: Any = mpf(100) * (mp.ncdf(s / 2) - mp.ncdf(-s / 2))
            passed = mpf(min(1e-6, 0.5 * years))
            left = mpf(0.5) * mp.sqrt(mpf(years) - passed)
            theta: Any = (mpf(100) * (mp.ncdf(left / 2) - mp.ncdf(-left / 2)) - value) / passed
        assert found.theta == pytest.approx(float(theta), rel=1e-4)
        assert found.delta == pytest.approx(0.5, abs=1e-2)
