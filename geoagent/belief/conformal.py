"""Sets and radii with the stated coverage, by split conformal prediction.

Each held-out photo gets a score: the distance to the truth in radii, or the probability of all cells ranked above the
true one. The quantile of the scores, taken one rank high, then bounds the score of a new exchangeable photo with at
least its probability (Vovk et al. 2005; Angelopoulos & Bates 2021, section 1). Photos of
different groups are not exchangeable, so each group has its own quantiles (Mondrian, Vovk et al. 2005, section 4.5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from geoagent.errors import InputError, WorldError
from geoagent.places.geo import Float
from geoagent.types import Constraint, Int

Group = Literal["picture", "text", "city", "album"]
"""Evidence behind an answer: no text; text pointing to countries or regions; a city named in the text; other photos."""
GROUPS: tuple[Group, ...] = ("picture", "text", "city")
"""Groups that a world's calibration fits; radii of albums are calibrated with their motion."""
LEAST = 40
"""Minimum photos per group; with fewer, a 90 % quantile is close to the largest score seen."""


def group_of(constraints: Sequence[Constraint], *, named: bool) -> Group:
    """The group of an answer.

    Args:
        constraints: the constraints behind it.
        named: whether the answer is at a city that they name.
    """
    if all(c.source == "user" for c in constraints):
        return "picture"
    if any(c.spread is not None for c in constraints):
        return "album"
    return "city" if named else "text"


def quantile(scores: ArrayLike, share: float, independent: int | None = None) -> float:
    """The ⌈share · (n + 1)⌉-th smallest of n scores; the largest if that rank exceeds n.

    Args:
        scores: `(n,)`.
        share: fraction of new scores to bound, in (0, 1).
        independent: number of independent scores, if several come from one text; all if not given.

    Raises:
        InputError: no scores, or a share outside (0, 1).
    """
    ordered = np.sort(np.asarray(scores, dtype=np.float64))
    if len(ordered) == 0 or not 0.0 < share < 1.0:
        raise InputError(f"expected scores and a share in (0, 1), got {len(ordered)} scores and {share}")
    n = independent or len(ordered)
    part = min(1.0, np.ceil(share * (n + 1)) / n)
    return float(ordered[min(len(ordered), int(np.ceil(part * len(ordered)))) - 1])


def radius_scales(calibration: Mapping[str, Any], group: Group) -> tuple[float, float]:
    """Factors by which the 50 % and 90 % radii are multiplied to cover that share of photos.

    Raises:
        WorldError: the calibration contains something other than numbers.
    """
    try:
        own = calibration.get("conformal", {}).get("radius", {}).get(group)
        half, most = own if own is not None else (calibration.get(f"radius_scale_{n}", 1.0) for n in (50, 90))
        return float(half), float(most)
    except (AttributeError, TypeError, ValueError) as error:
        raise WorldError(f"the calibration of the radii is damaged ({error})") from error


def threshold(calibration: Mapping[str, Any], what: Literal["cells", "countries"], group: Group) -> float | None:
    """Largest score of a class in the 90 % set; None if it was not fitted."""
    held = calibration.get("conformal", {}).get(what, {}).get(group)
    return None if held is None else float(held)


def set_scores(probs: ArrayLike) -> Float:
    """Score of each class, `(K,)`: the probability of all more probable classes, plus half of its own.

    Half, as in adaptive prediction sets of a fixed draw (Romano, Sesia & Candès 2020, section 2): with none of it,
    the sets of a mostly correct model would be its first class alone; with all of it, they would be huge.
    """
    p = np.asarray(probs, dtype=np.float64)
    order = np.argsort(-p, kind="stable")
    scores = np.empty(len(p))
    scores[order] = np.cumsum(p[order]) - 0.5 * p[order]
    return scores


def credible(probs: ArrayLike, limit: float) -> Int:
    """Indices of the classes with a score up to `limit`, most probable first; never empty."""
    p = np.asarray(probs, dtype=np.float64)
    return np.asarray(np.argsort(-p, kind="stable")[: credible_count(p, limit)], dtype=np.int64)


def credible_count(probs: ArrayLike, limit: float) -> int:
    """Number of classes that `credible` returns."""
    p = np.sort(np.asarray(probs, dtype=np.float64))[::-1]
    return max(1, int(np.searchsorted(np.cumsum(p) - 0.5 * p, limit, side="right")))
