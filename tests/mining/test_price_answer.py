"""The answer to price: its default estimated anew, and price histories that end early, begin late or have gaps."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import log, pi
from pathlib import Path

import numpy as np
import pytest

from headframe.chain import checked_history
from headframe.codec import from_json, prices_from_text, to_json
from headframe.feed import read_history
from headframe.mining import DifficultyModel, PricePaths, estimate, start_of
from headframe.mining.inputs import known_moves, model_numbers
from headframe.mining.price_answer import DEFAULT_ANSWER, MOVE_SD, period_means
from mines import BTC, HISTORY, START

DAY = timedelta(days=1)
AT = datetime(2026, 8, 22, tzinfo=UTC)


def flat_paths(price: float, at: datetime = AT) -> PricePaths:
    return PricePaths(np.full((1, 10), price), at, 604_800.0)


def daily(
    begin: datetime, end: datetime, *, without: tuple[datetime, datetime] | None = None
) -> tuple[tuple[datetime, float], ...]:
    """Closes that swing, a pure function of the day, so that a cut history agrees with the whole one."""
    midnight = datetime(2012, 1, 1, tzinfo=UTC)
    rows = []
    for days in range((end - midnight).days + 1):
        at = midnight + days * DAY
        if begin <= at < end:
            swing = 0.5 * np.sin(days / 40.0) + 0.2 * np.sin(days / 9.0)
            rows.append((at, 40_000.0 * float(np.exp(swing))))
    return tuple(row for row in rows if without is None or not without[0] <= row[0] < without[1])


def test_the_default_is_what_public_closes_give(real_data: Path) -> None:
    """Estimated anew from the two files with normal equations written here."""
    past, _ = checked_history(read_history(real_data / "btc_retargets.csv", BTC), BTC)
    kept = past[-209:]
    with (real_data / "btc_usd_daily_close.csv").open() as file:
        rows = list(csv.reader(file))[1:]
    closes = {
        datetime.fromisoformat(row[0][:10]).replace(tzinfo=UTC): float(row[-1]) for row in rows
    }
    changes = np.array([log(b.difficulty / a.difficulty) for a, b in pairwise(kept)])
    turn = np.array([2 * pi * row.at.timestamp() / 31_556_952.0 for row in kept[1:]])
    wave = np.column_stack([np.ones(208), np.cos(turn), np.sin(turn)])
    fitted = np.linalg.solve(wave.T @ wave, wave.T @ changes)
    rest = changes - wave[:, 1:] @ fitted[1:]
    means = [
        np.log(np.mean([price for day, price in closes.items() if a.at <= day < b.at]))
        for a, b in pairwise(kept[:-1])
    ]  # the last period has closes of a part only
    moves = np.diff(means)
    assert moves.std(ddof=1) == pytest.approx(MOVE_SD, abs=5e-4)
    # moves[i] leads from period i to period i + 1, at whose end rest[i + 1] changes difficulty
    table = np.array(
        [
            [moves[i], moves[i - 6 : i].sum(), moves[i - 13 : i - 6].sum(), 1.0]
            for i in range(13, 206)
        ]
    )
    values = rest[14:207]
    found = np.linalg.solve(table.T @ table, table.T @ values)
    assert found[:3] == pytest.approx(DEFAULT_ANSWER.coefficients, rel=1e-4)
    left = values - table @ found
    covariance = left @ left / (193 - 4) * np.linalg.inv(table.T @ table)
    assert covariance[:3, :3].ravel() == pytest.approx(DEFAULT_ANSWER.covariance, rel=1e-3)
    assert DEFAULT_ANSWER.count == 193
    sums = np.array([1.0, 6.0, 7.0])
    assert sums @ found[:3] == pytest.approx(0.136, abs=1e-3)
    assert (sums @ covariance[:3, :3] @ sums) ** 0.5 == pytest.approx(0.109, abs=1e-3)


def test_the_default_is_used_only_where_it_is_asked_for_and_the_noise_gives_its_part_back() -> None:
    without, with_default = estimate(HISTORY), estimate(HISTORY, default_answer=True)
    assert without.price is None
    answer = with_default.price
    assert answer is not None
    assert answer.source == "default"
    assert (answer.same, answer.six, answer.seven) == pytest.approx(DEFAULT_ANSWER.coefficients)
    same, six, seven = DEFAULT_ANSWER.coefficients
    explained = 0.104**2 * (same**2 + 6 * six**2 + 7 * seven**2)
    assert with_default.noise_sd**2 == pytest.approx(without.noise_sd**2 - explained)
    assert with_default.drift == without.drift
    closes = daily(datetime(2016, 1, 1, tzinfo=UTC), datetime(2026, 6, 28, tzinfo=UTC))
    own = estimate(HISTORY, prices=closes, default_answer=True).price
    assert own is not None
    assert own.source == "history"
    litecoin = replace(BTC, coin="LTC")
    assert estimate(HISTORY, chain=litecoin, default_answer=True).price is None
    lower = np.zeros((3, 3))
    lower[np.tril_indices(3)] = answer.loadings
    assert (lower @ lower.T).ravel() == pytest.approx(
        DEFAULT_ANSWER.covariance, rel=1e-6, abs=1e-12
    )


def known(closes: Sequence[tuple[datetime, float]], price: float = 77_000.0) -> np.ndarray:
    model = estimate(HISTORY, prices=tuple(closes), default_answer=True)
    return known_moves(start_of(BTC, HISTORY, model), flat_paths(price))


LONG = datetime(2016, 1, 1, tzinfo=UTC)
LAST = HISTORY[-1].at


def test_whole_closes_leave_nothing_open() -> None:
    closes = daily(LONG, AT)
    found = known(closes)
    assert (found[1:] == 0.0).all()
    means = period_means(HISTORY[-209:], closes)
    wanted = [log(b / a) for a, b in pairwise(means) if a and b]
    assert found[0, 1:] == pytest.approx(wanted[-13:][::-1], abs=1e-11)
    assert found[0, 0] == pytest.approx(log(77_000.0 / (means[-1] or 0.0)), abs=1e-9)


@pytest.mark.parametrize("periods", [1, 2, 5, 13, 20])
def test_closes_that_end_early_lead_to_the_present_price(periods: int) -> None:
    """The moves that are left open sum to the change from the last mean to the present price, never to 0."""
    end = HISTORY[-1 - periods].at
    closes = daily(LONG, end)
    found, whole = known(closes), known(daily(LONG, AT))
    means = period_means(HISTORY[-209:], closes)
    last = next(mean for mean in reversed(means) if mean is not None)
    open_moves = min(periods + 1, 14)
    each = log(77_000.0 / last) / (periods + 1)
    assert found[0, :open_moves] == pytest.approx(np.full(open_moves, each), abs=1e-11)
    assert each != 0.0
    assert found[0, open_moves:] == pytest.approx(whole[0, open_moves:], abs=1e-11)
    assert (found[1, :open_moves] > 0.05).all()
    assert (found[1, open_moves:] == 0.0).all()
    assert len(set(found[2, :open_moves])) == 1, "one bridge"


def test_a_period_with_a_week_without_a_close_has_no_price() -> None:
    begin, end = HISTORY[-6].at, HISTORY[-5].at
    for cut, covered in ((6 * DAY, True), (8 * DAY, False)):
        closes = daily(LONG, AT, without=(end - cut, end))
        mean = period_means(HISTORY[-209:], closes)[-5]
        assert (mean is not None) is covered
    closes = daily(LONG, AT, without=(begin, end))
    found, whole = known(closes), known(daily(LONG, AT))
    # the period is the fifth last: its move and the one after it are the whole move between, halved
    both = whole[0, 4] + whole[0, 5]
    assert found[0, 4:6] == pytest.approx([both / 2, both / 2], abs=1e-11)
    assert found[1, 4:6] == pytest.approx([found[1, 4]] * 2)
    assert found[2, 4] == found[2, 5] > 1.0
    rest = [0, 1, 2, 3, *range(6, 14)]
    assert found[0, rest] == pytest.approx(whole[0, rest], abs=1e-11)
    assert (found[1, rest] == 0.0).all()


def test_closes_that_begin_late_leave_earlier_moves_to_chance() -> None:
    found, whole = known(daily(HISTORY[-5].at, AT)), known(daily(LONG, AT))
    assert found[0, :4] == pytest.approx(whole[0, :4], abs=1e-11)
    assert (found[0, 4:] == 0.0).all()
    assert found[1, 4:] == pytest.approx(np.full(10, MOVE_SD))
    assert (found[2] == 0.0).all()


def test_no_closes_leave_every_move_to_chance_and_the_present_as_far_as_it_is() -> None:
    model = estimate(HISTORY, default_answer=True)
    found = known_moves(start_of(BTC, HISTORY, model), flat_paths(77_000.0))
    assert (found[0] == 0.0).all()
    assert found[1, 1:] == pytest.approx(np.full(13, MOVE_SD))
    periods = (AT - LAST).total_seconds() / 1_209_600.0 + 0.5
    assert found[1, 0] == pytest.approx(MOVE_SD * periods**0.5)
    calm = replace(START, model=model)
    assert (known_moves(calm, None) == 0.0).all(), "without prices nothing answers"


def test_models_stored_before_keep_their_meaning() -> None:
    """A model of production/2 in JSON, without the newer fields: the drift as known, no error of the answer."""
    closes = daily(LONG, AT)
    model = estimate(HISTORY, prices=closes)
    stored = to_json(model)
    del stored["drift_sd"]
    newer = ("loadings", "known_sd", "known_group", "missing", "source", "closes_until")
    for name in newer:
        del stored["price"][name]
    old = from_json(DifficultyModel, stored)
    assert old.drift == model.drift
    assert old.drift_sd == 0.0
    assert (model_numbers(old)[10:] == 0.0).all()
    found = known_moves(start_of(BTC, HISTORY, old), flat_paths(77_000.0))
    assert (found[1:] == 0.0).all()
    assert old.price is not None
    assert found[0, 0] == pytest.approx(log(77_000.0 / old.price.last_mean))
    assert found[0, 1:] == pytest.approx(old.price.known)


def test_prices_of_a_file_are_read_as_these_tests_read_them(real_data: Path) -> None:
    text = (real_data / "btc_usd_daily_close.csv").read_text()
    rows = prices_from_text(text, "closes")
    assert rows[0] == (datetime(2014, 9, 17, tzinfo=UTC), 457.33)
