"""Conformal quantiles and sets: they hold the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoagent.belief.conformal import credible, group_of, quantile, radius_scales, set_scores, threshold
from geoagent.errors import InputError, WorldError
from geoagent.places.geo import LatLon
from geoagent.types import Constraint, Place

distributions = st.lists(st.floats(0.001, 1.0), min_size=2, max_size=12).map(lambda p: np.array(p) / np.sum(p))


def said_by(source):
    place = Place("Germany", "country", "DE", LatLon(51, 10))
    return Constraint("c", "name", "v", "says", source, (place,), np.ones(1), 0.5)


def test_a_quantile_is_taken_one_rank_high():
    assert quantile(range(1, 10), 0.9) == 9
    assert quantile(range(1, 101), 0.9) == 91
    assert quantile([3.0], 0.5) == 3.0
    # Twice the same ten scores are ten scores.
    assert quantile(np.repeat(np.arange(1, 11), 2), 0.9, independent=10) == quantile(range(1, 11), 0.9)


@pytest.mark.parametrize(("scores", "share"), [([], 0.9), ([1.0], 0.0), ([1.0], 1.0)])
def test_what_cannot_be_a_quantile_is_refused(scores, share):
    with pytest.raises(InputError):
        quantile(scores, share)


@given(distributions, st.floats(0, 1))
def test_a_set_is_what_scores_up_to_the_limit(probs, limit):
    chosen = credible(probs, limit)
    scores = set_scores(probs)
    assert chosen[0] == probs.argmax()
    assert set(chosen[1:]) == {i for i in np.flatnonzero(scores <= limit) if i != chosen[0]}
    assert (np.diff(probs[chosen]) <= 0).all()


@given(distributions)
def test_scores_rise_as_probability_falls(probs):
    order = np.argsort(-probs, kind="stable")
    assert (np.diff(set_scores(probs)[order]) >= 0).all()
    assert 0 < set_scores(probs).min() <= set_scores(probs).max() < 1


def test_sets_hold_new_photos_as_often_as_they_say():
    # A model that is too sure: the set is fitted on half of the photos and judged on the others.
    rng = np.random.default_rng(0)
    true = rng.dirichlet(np.full(8, 0.7), size=4000)
    truth = np.array([rng.choice(8, p=p) for p in true])
    stated = true**1.8
    stated /= stated.sum(axis=1, keepdims=True)
    limit = quantile([set_scores(p)[t] for p, t in zip(stated[:2000], truth[:2000], strict=True)], 0.9)
    held = np.mean([t in credible(p, limit) for p, t in zip(stated[2000:], truth[2000:], strict=True)])
    naive = np.mean([t in credible(p, 0.9) for p, t in zip(stated[2000:], truth[2000:], strict=True)])
    assert held == pytest.approx(0.9, abs=0.02)
    assert naive < held - 0.02


def test_the_group_is_what_the_answer_rests_on():
    assert group_of([], named=False) == "picture"
    assert group_of([said_by("user")], named=True) == "picture"
    assert group_of([said_by("user"), said_by("lexicon")], named=False) == "text"
    assert group_of([said_by("lexicon")], named=True) == "city"


def test_what_is_not_fitted_falls_back_and_what_is_damaged_is_refused():
    fitted = {"radius_scale_50": 1.2, "conformal": {"radius": {"city": [2, 3]}, "cells": {"city": 0.8}}}
    assert radius_scales(fitted, "city") == (2.0, 3.0)
    assert radius_scales(fitted, "text") == (1.2, 1.0)
    assert threshold(fitted, "cells", "city") == 0.8
    assert threshold(fitted, "cells", "text") is None
    assert threshold({}, "countries", "picture") is None
    with pytest.raises(WorldError, match="damaged"):
        radius_scales({"conformal": {"radius": {"city": ["wide", 3]}}}, "city")
