"""Fusion: bounded, pooled, additive, and equal to the picture where there is no text."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import make_world
from hypothesis import given
from hypothesis import strategies as st

from geoagent.belief.candidates import gazetteer_candidates
from geoagent.belief.fusion import Fusion, likelihoods
from geoagent.belief.pooling import pool_weights
from geoagent.errors import ShapeError
from geoagent.places.geo import LatLon
from geoagent.types import Constraint, Place, Span

WORLD = make_world()
PRIOR = np.exp(WORLD.log_prior)
AA = Place("Aland", "country", "AA", LatLon(11, 11))
BB = Place("Beland", "country", "BB", LatLon(11, 21))
CC = Place("Celand", "country", "CC", LatLon(41, 11))
AA1 = Place("North A", "admin1", "AA", LatLon(10, 11), "AA.1", "North A")
TOWN = Place("Atown", "city", "AA", LatLon(12.5, 10.3), "AA.2", "South A", 5000)
NOWHERE = Place("Atlantis", "country", "ZZ", LatLon(0, -30))


def constraint(*places, r=0.9, weights=None, spans=(), id="c"):
    weights = [1 / len(places)] * len(places) if weights is None else weights
    return Constraint(id, "name", "v", "says", "test", tuple(places), np.array(weights), r, tuple(spans))


some_constraints = st.lists(
    st.builds(
        lambda place, r, region, start, size: constraint(place, r=r, spans=[Span(region, start, start + size)]),
        st.sampled_from([AA, BB, CC, AA1, TOWN, NOWHERE]),
        st.floats(0.01, 0.99),
        st.integers(0, 2),
        st.integers(0, 5),
        st.integers(1, 6),
    ),
    max_size=6,
).map(lambda cs: [constraint(*c.places, r=c.reliability, spans=c.spans, id=f"c{i}") for i, c in enumerate(cs)])


def test_alone_a_constraint_is_believed_as_far_as_it_is_reliable():
    posterior = Fusion(WORLD)(WORLD.log_prior, [constraint(AA, r=0.8)])
    in_aa = posterior.probs[WORLD.cells.country == "AA"].sum()
    # The prior's own mass on AA is part of what speaks against the escape.
    assert in_aa == pytest.approx(0.8 + 0.2 * PRIOR[:4].sum())


def test_a_region_counts_only_in_its_cells():
    (ratio,) = likelihoods([constraint(AA1, r=0.5)], WORLD, [1.0])
    assert ratio[:2] == pytest.approx(0.5 + 0.5 / PRIOR[:2].sum())
    assert ratio[2:] == pytest.approx(0.5)


def test_a_city_counts_mostly_in_the_cell_that_holds_it():
    (ratio,) = likelihoods([constraint(TOWN)], WORLD, [1.0])
    assert int(ratio.argmax()) == 2
    assert ratio[4:] == pytest.approx(0.1)


def test_places_outside_the_world_say_nothing():
    posterior = Fusion(WORLD)(WORLD.log_prior, [constraint(NOWHERE)])
    np.testing.assert_allclose(posterior.log_probs, WORLD.log_prior, atol=1e-12)


def test_without_constraints_the_posterior_is_the_base():
    base = np.log(np.full(12, 1 / 12))
    np.testing.assert_array_equal(Fusion(WORLD)(base, []).log_probs, base)


@given(some_constraints)
def test_posterior_is_a_distribution_without_zeros(constraints):
    posterior = Fusion(WORLD)(WORLD.log_prior, constraints)
    assert posterior.probs.sum() == pytest.approx(1)
    assert (posterior.probs > 0).all()


@given(some_constraints)
def test_contributions_add_up_to_the_log_odds(constraints):
    posterior = Fusion(WORLD)(WORLD.log_prior, constraints)
    odds = posterior.log_probs[0] - posterior.log_probs[7]
    added = posterior.base[0] - posterior.base[7] + sum(t[0] - t[7] for t in posterior.contributions.values())
    assert odds == pytest.approx(added)


@given(some_constraints)
def test_the_likelihood_of_a_constraint_has_mean_at_most_one(constraints):
    likely = likelihoods(constraints, WORLD, [1.0] * len(constraints))
    for each, mean in zip(constraints, (likely @ PRIOR).tolist(), strict=True):
        assert mean <= 1 + 1e-9
        if each.places[0].country != "ZZ":
            assert mean == pytest.approx(1)


@given(some_constraints)
def test_order_does_not_matter(constraints):
    there = Fusion(WORLD)(WORLD.log_prior, constraints).log_probs
    back = Fusion(WORLD)(WORLD.log_prior, constraints[::-1]).log_probs
    np.testing.assert_allclose(there, back, atol=1e-9)


def test_the_same_text_read_twice_counts_once():
    one = [constraint(AA, spans=[Span(0, 0, 5)], id="a")]
    two = [*one, constraint(AA, spans=[Span(0, 0, 5)], id="b")]
    np.testing.assert_allclose(
        Fusion(WORLD)(WORLD.log_prior, one).log_probs, Fusion(WORLD)(WORLD.log_prior, two).log_probs, atol=1e-12
    )


def test_other_words_of_one_line_count_in_part_and_other_lines_in_full():
    line = [constraint(AA, spans=[Span(0, 0, 5)], id="a"), constraint(AA, spans=[Span(0, 6, 9)], id="b")]
    lines = [constraint(AA, spans=[Span(0, 0, 5)], id="a"), constraint(AA, spans=[Span(1, 6, 9)], id="b")]
    assert pool_weights(line, [2.0, 1.0], 0.35) == pytest.approx([1.0, 0.65])
    assert pool_weights(lines, [2.0, 1.0], 0.35) == [1.0, 1.0]
    assert pool_weights(line, [1.0, 2.0], 1.0) == [0.0, 1.0]


@given(some_constraints)
def test_a_weak_constraint_never_weakens_the_strongest(constraints):
    weights = pool_weights(constraints, [float(i) for i in range(len(constraints))], 0.35)
    assert all(0 <= w <= 1 for w in weights)
    if weights:
        assert weights[-1] == 1.0


def test_a_wrong_base_is_refused():
    with pytest.raises(ShapeError, match="12 geocells"):
        Fusion(WORLD)(np.zeros(3), [])


def test_a_city_that_the_world_never_saw_becomes_a_candidate():
    found = gazetteer_candidates(WORLD, [2], [constraint(TOWN)])
    assert "Atown" in found.refs
    assert int(found.log_weight.argmax()) == found.refs.index("Atown")
    assert np.exp(found.log_weight).sum() == pytest.approx(1)
