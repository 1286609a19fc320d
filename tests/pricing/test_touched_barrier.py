"""A touched barrier has the greeks of its vanilla or of its rebate."""

import numpy as np
import pytest

from headframe.pricing.kernels.barrier import barrier_figures


@pytest.mark.parametrize(("spot", "up"), [(80.0, 0.0), (79.99, 0.0), (130.0, 1.0), (130.01, 1.0)])
def test_touched_is_touched(spot: float, up: float) -> None:
    barrier = 130.0 if up else 80.0
    enters = [1.0, up, 1.0, spot, 100.0, barrier, 0.0, 0.3, 0.75, 0.02, 0.02]
    deep = [1.0, 0.0, 1.0, spot, 100.0, 1e6, 0.0, 0.3, 0.75, 0.02, 0.02]
    ended = [1.0, up, 0.0, spot, 100.0, barrier, 3.0, 0.3, 0.75, 0.02, 0.02]
    out = np.empty((3, 5))
    barrier_figures(np.array([enters, deep, ended]).T.copy(), out)
    assert out[0] == pytest.approx(out[1], rel=1e-6)
    assert list(out[2]) == [3.0, 0.0, 0.0, 0.0, 0.0]
