"""Implied volatility: to the last bits the price holds, and a reason where there is none."""

import json
from math import exp, isnan, sqrt
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from headframe.cli.app import app
from headframe.pricing import NoVolatility, black76, implied_batch, price_batch
from headframe.pricing.kernels import implied_deviation, implied_rows


def exact(F: float, K: float, s: float) -> Any:
    """The out-of-the-money value in 50 digits."""
    with mpmath.workdps(50):
        low, high = mpmath.mpf(min(F, K)), mpmath.mpf(max(F, K))
        h, t = mpmath.log(low / high) / s, mpmath.mpf(s) / 2
        return low * mpmath.ncdf(h + t) - high * mpmath.ncdf(h - t)


def slope(F: float, K: float, s: float) -> float:
    """Its derivative in s."""
    h = mpmath.log(mpmath.mpf(min(F, K)) / max(F, K)) / s
    return float(min(F, K) * mpmath.npdf(h + mpmath.mpf(s) / 2))


def test_the_deviation_is_found_to_what_the_price_can_say_over_the_whole_domain() -> None:
    """Against 50 digits: within 1e-14 and thirty times what rounding the price itself moves."""
    draw = np.random.default_rng(7)
    tried = 0
    for _ in range(1_500):
        x = float(
            draw.choice(
                [
                    0.0,
                    draw.normal() * 1e-6,
                    draw.normal() * 0.01,
                    draw.normal() * 0.5,
                    draw.normal() * 5,
                    draw.normal() * 12,
                ]
            )
        )
        s, F = float(10 ** draw.uniform(-5, 1.2)), 100.0
        K = F * exp(x)
        value = float(exact(F, K, s))
        if not 1e-290 < value < min(F, K) * (1 - 1e-13):
            continue
        tried += 1
        found = implied_deviation(F, K, value)
        told = value * 2.3e-16 / (slope(F, K, s) * s)
        assert abs(found / s - 1.0) <= 1.2e-14 + 30.0 * told, (x, s, value)
    assert tried > 800


@settings(deadline=None)  # the first call compiles
@given(
    st.sampled_from([1.0, -1.0]),
    st.booleans(),
    st.floats(-1.5, 1.5),
    st.floats(0.05, 3.0),
    st.floats(0.01, 3.0),
    st.floats(0.5, 1.1),
)
def test_prices_and_volatilities_are_each_others_inverse(
    kind: Any, inverse: Any, x: Any, vol: Any, years: Any, discount: Any
) -> None:
    forward, strike = 77_000.0, 77_000.0 * exp(x)
    (row,) = price_batch([(kind, inverse, forward, strike, vol, years, discount)])
    price, vega = float(row[0]), float(row[3])
    assume(price == 0.0 or price > 1e-290)  # below it a double holds fewer digits
    (found,), (reason,) = implied_batch([(kind, inverse, forward, strike, price, years, discount)])
    if reason is None:
        told = 4e-16 * price / vega if vega > 0.0 else float("inf")
        assert found == pytest.approx(vol, rel=1e-12, abs=40.0 * told)
    else:
        assert vega * vol < 1e-9 * price, "only where the price holds nothing of the volatility"


IMPOSSIBLE = [
    ((1.0, False, 100.0, 90.0, 9.99, 1.0, 1.0), NoVolatility.BELOW_INTRINSIC),
    ((-1.0, False, 100.0, 120.0, 19.0, 1.0, 1.0), NoVolatility.BELOW_INTRINSIC),
    ((1.0, False, 100.0, 120.0, 100.0, 1.0, 1.0), NoVolatility.ABOVE_BOUND),
    ((-1.0, False, 100.0, 80.0, 80.0, 1.0, 1.0), NoVolatility.ABOVE_BOUND),
    ((1.0, True, 100.0, 120.0, 1.0, 1.0, 1.0), NoVolatility.ABOVE_BOUND),
    ((1.0, False, 100.0, 120.0, 1.0, 0.0, 1.0), NoVolatility.NO_TIME),
    ((1.0, False, 100.0, 120.0, float("nan"), 1.0, 1.0), NoVolatility.NOT_A_PRICE),
    ((1.0, False, 100.0, 120.0, -1.0, 1.0, 1.0), NoVolatility.NOT_A_PRICE),
    ((1.0, False, 0.0, 120.0, 1.0, 1.0, 1.0), NoVolatility.NOT_A_PRICE),
    ((1.0, False, 100.0, float("inf"), 1.0, 1.0, 1.0), NoVolatility.NOT_A_PRICE),
    ((1.0, False, 100.0, 120.0, 1.0, 1.0, 0.0), NoVolatility.NOT_A_PRICE),
]


@pytest.mark.parametrize(("row", "reason"), IMPOSSIBLE)
def test_an_impossible_price_is_answered_with_its_reason(row: Any, reason: Any) -> None:
    (vol,), (found,) = implied_batch([row])
    assert found is reason
    assert isnan(vol)


def test_at_the_intrinsic_value_there_is_no_volatility_left() -> None:
    vols, reasons = implied_batch(
        [(1.0, False, 100.0, 90.0, 10.0, 1.0, 1.0), (1.0, False, 100.0, 110.0, 0.0, 1.0, 1.0)]
    )
    assert list(vols) == [0.0, 0.0]
    assert reasons == (None, None)
    assert implied_batch([])[1] == ()


def test_plain_python_agrees_with_the_compiled_rows() -> None:
    draw = np.random.default_rng(5)
    strikes, vols = draw.uniform(77_000, 200_000, 300), draw.uniform(0.3, 2.0, 300)
    prices = [black76(1.0, 77_000.0, k, v, 0.3, 0.98) for k, v in zip(strikes, vols, strict=True)]
    columns = np.array(
        [[1.0, 0.0, 77_000.0, k, p, 0.3, 0.98] for k, p in zip(strikes, prices, strict=True)]
    ).T.copy()
    ours, plain = np.empty(300), np.empty(300)
    implied_rows(columns, ours, np.empty(300))
    implied_rows.python(columns, plain, np.empty(300))
    assert ours == pytest.approx(plain, rel=1e-13)
    assert ours == pytest.approx(vols, rel=1e-9)


def test_quantlib_agrees() -> None:
    import QuantLib as ql  # noqa: N813 - as everybody writes it

    for strike, price in ((77_000.0, 5_000.0), (120_000.0, 800.0), (40_000.0, 90.0)):
        sign = 1.0 if strike >= 77_000.0 else -1.0
        (vol,), _ = implied_batch([(sign, False, 77_000.0, strike, price, 0.4, 0.97)])
        kind = ql.Option.Call if sign > 0 else ql.Option.Put
        theirs = ql.blackFormulaImpliedStdDev(
            kind, strike, 77_000.0, price, 0.97, 0.0, 0.3, 1e-14, 200
        )
        assert vol == pytest.approx(theirs / sqrt(0.4), rel=1e-10)


def implied(file: Path, *options: str) -> Any:
    return CliRunner().invoke(
        app, ["price", str(file), "--implied", *options], standalone_mode=False
    )


def test_the_command_appends_volatility_and_reason(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(
        "id,kind,style,forward,strike,price,years,discount\na,call,linear,77000,90000,2500,0.25,0.99\nb,put,inverse,77000,70000,0.05,0.25,1\nc,call,linear,100,90,5,1,1\n"
    )
    found = implied(file, "--json")
    assert found.exit_code == 0, found.output
    body = json.loads(found.stdout)
    assert body["schema"] == "headframe/implied/1"
    one, two, three = body["rows"]
    assert black76(1.0, 77_000.0, 90_000.0, one["implied_vol"], 0.25, 0.99) == pytest.approx(
        2_500.0, rel=1e-13
    )
    assert black76(-1.0, 77_000.0, 70_000.0, two["implied_vol"], 0.25, 1.0) == pytest.approx(
        0.05 * 77_000, rel=1e-13
    )
    assert three["implied_vol"] is None
    assert three["reason"] == "the price lies below the intrinsic value"
    lines = implied(file).stdout.splitlines()
    assert lines[0].endswith("discount,implied_vol,reason")
    assert lines[3].endswith(",,the price lies below the intrinsic value")
    file.write_text(
        "kind,style,forward,strike,price,years,discount\ncall,linear,1,1,x,1,1\nforward,linear,1,1,1,1,1\ncall,linear,100,100,5,1,1\n"
    )
    bad = implied(file, "--json")
    assert bad.return_value == 2
    body = json.loads(bad.stdout)
    assert body["bad_rows"] == 2
    assert body["rows"][2]["implied_vol"] == pytest.approx(0.12541, abs=1e-4)
    assert "line 3: a forward implies no volatility" in bad.stderr
    file.write_text("kind,style,forward,strike,vol,years,discount\n")
    assert "price" in str(implied(file).exception)


def test_every_two_sided_mark_of_the_real_chains_has_its_volatility(real_data: Path) -> None:
    """Deribit's marks from its own volatilities and back, where its forward is the row's."""
    import csv

    rows: list[Any] = []
    wanted: list[float] = []
    with (real_data / "deribit_chains" / "btc_chain_20260822T153351Z.csv").open() as file:
        for row in csv.DictReader(file):
            years = (
                np.datetime64(row["expiry_datetime"][:19]) - np.datetime64("2026-08-22T15:33:51")
            ) / np.timedelta64(365, "D")
            mark, forward = float(row["mark_price"] or 0), float(row["futures_price"] or 0)
            if mark >= 0.005 and years > 0.05 and forward:
                sign = 1.0 if row["option_type"] == "call" else -1.0
                rows.append((sign, True, forward, float(row["strike"]), mark, float(years), 1.0))
                wanted.append(float(row["implied_volatility"]))
    vols, reasons = implied_batch(rows)
    assert len(rows) > 200
    assert sum(reason is None for reason in reasons) > 0.97 * len(rows)
    off = np.abs(np.array(vols) - np.array(wanted))
    assert np.nanmedian(off) < 0.002
