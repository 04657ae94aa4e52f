"""Distances, scores, calibration and intervals: against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoagent.errors import ShapeError
from geoagent.worlds.evaluation.metrics import (
    Bootstrap,
    ece,
    geoscore,
    log_loss,
    median_km,
    reliability_bins,
    within_km,
)


def test_thresholds_include_their_limit_and_leave_out_the_unanswered():
    assert within_km([0, 25, 25.1, np.nan, np.inf], 25).tolist() == [True, True, False, False, False]


def test_geoscore_is_the_games():
    assert geoscore([0.0, 1492.7, np.nan, np.inf]).tolist() == pytest.approx([5000, 5000 / math.e, 0, 0])


def test_an_unanswered_row_is_infinitely_far_in_the_median():
    assert median_km(np.array([10.0, np.nan, 30.0])) == 30.0
    assert median_km(np.array([10.0, 20.0])) == 15.0
    assert median_km(np.array([10.0, np.nan, np.nan])) == math.inf
    assert median_km(np.array([10.0, np.nan])) == math.inf


def test_intervals_hold_the_figure_and_narrow_with_more_rows():
    rng = np.random.default_rng(0)
    few, many = rng.random(50) < 0.3, rng.random(5000) < 0.3
    wide, narrow = Bootstrap(50)(few), Bootstrap(5000)(many)
    assert wide.low < wide.value < wide.high
    assert narrow.high - narrow.low < (wide.high - wide.low) / 5
    # The normal approximation of a share: ± 1.96 √(p (1 − p) / n).
    assert (narrow.high - narrow.low) / 2 == pytest.approx(1.96 * math.sqrt(0.3 * 0.7 / 5000), rel=0.15)


def test_grouped_rows_give_wider_intervals():
    truth = np.repeat(np.random.default_rng(1).random(40) < 0.5, 25)
    alone, together = Bootstrap(1000)(truth), Bootstrap(1000, groups=np.repeat(np.arange(40), 25))(truth)
    assert together.high - together.low > 3 * (alone.high - alone.low)


def test_draws_are_the_same_for_every_figure_and_seed():
    values = np.random.default_rng(2).random(100)
    draw = Bootstrap(100, 200, seed=5)
    assert draw(values) == draw(values) == Bootstrap(100, 200, seed=5)(values)
    assert draw(values) != Bootstrap(100, 200, seed=6)(values)


def test_no_rounds_give_no_interval_and_no_rows_no_figure():
    assert math.isnan(Bootstrap(3, 0)([1.0, 2.0, 3.0]).low)
    with pytest.raises(ShapeError, match="no row"):
        Bootstrap(0)
    with pytest.raises(ShapeError, match="expected 3 rows, got 2"):
        Bootstrap(3, 5)([1, 2])


def test_calibration_error_of_the_overconfident():
    # Ten answers at 0.95, six right: off by 0.35; ten at 0.55, five right: off by 0.05.
    p = np.repeat([0.95, 0.55], 10)
    right = np.repeat([1, 0, 1, 0], [6, 4, 5, 5])
    assert ece(p, right) == pytest.approx((0.35 + 0.05) / 2)
    assert ece(np.full(1000, 0.5), np.arange(1000) % 2) == pytest.approx(0)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_bins_keep_every_row_and_the_error_is_a_share(rows):
    p, right = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    assert reliability_bins(p, right)[2].sum() == len(rows)
    assert 0 <= ece(p, right) <= 1


def test_log_loss_is_capped():
    logs = np.log([[0.5, 0.5], [1.0, 1e-300]])
    assert log_loss(logs, [0, 1]).tolist() == pytest.approx([math.log(2), 50])
