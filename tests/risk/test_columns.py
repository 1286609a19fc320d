"""Names of the engine's columns against the places its kernels fill."""

import numpy as np

from headframe.risk.columns import PathFigures, results_by_name, walked_by_name
from headframe.risk.kernels import FIGURES, cash


def test_figures_stand_where_the_kernel_puts_them() -> None:
    places = {
        "end_price_usd": cash.END,
        "coins": cash.COINS,
        "sales_usd": cash.SALES,
        "costs_usd": cash.COSTS,
        "hedge_usd": cash.HEDGE,
        "lowest_liquidity_unhedged_usd": cash.LOW_BARE,
        "lowest_liquidity_hedged_usd": cash.LOW,
        "liquidity_drawdown_unhedged_usd": cash.FALL_BARE,
        "liquidity_drawdown_hedged_usd": cash.FALL,
        "largest_cumulative_call_usd": cash.CALLED,
    }
    assert tuple(places) == PathFigures._fields
    assert list(places.values()) == list(range(FIGURES))
    results = np.arange(2.0 * (FIGURES + 9), dtype=np.float32).reshape(2, FIGURES + 9)
    named = results_by_name(results)
    for name, place in places.items():
        assert getattr(named.figures, name).tolist() == results[:, place].tolist()
    by_month = (named.month_coins, named.month_unhedged_usd, named.month_hedged_usd)
    assert np.concatenate(by_month, axis=1).tolist() == results[:, FIGURES:].tolist()


def test_walked_paths_are_views() -> None:
    walked = np.zeros((3, 4, 5))
    named = walked_by_name(walked)
    named.price_usd[:], named.log_move[:] = 1.0, 2.0
    named.variance_root4[:], named.carry_stray[:] = 3.0, 4.0
    assert walked[1, :, 2].tolist() == [1.0, 2.0, 3.0, 4.0]
