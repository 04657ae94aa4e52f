"""Pooling: constraints on the same text are not independent, so each counts only in part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geoagent.types import Constraint

SAME_REGION = 0.35
"""Share of a constraint that counts as used up when a stronger one rests on other characters of the same line.

Two cues in one line are two observations of one sign: more than one observation, less than two independent ones.
"""
OTHER_KIND = 0.35
"""Share of a constraint that counts as used up when a stronger one of another kind rests on the same characters."""
OPINIONS = frozenset({"llm", "llm-picture"})
"""Sources whose constraints never use up those of others, however confident.

A model's reading of a text is a second opinion on the same characters, and counts where nothing else does.
"""


def sharing(constraints: Sequence[Constraint]) -> list[list[int]]:
    """Group constraints so that different groups rest on different lines of text; indices ascending."""
    group = list(range(len(constraints)))
    first: dict[int, int] = {}
    for i, constraint in enumerate(constraints):
        for region in constraint.regions:
            j = first.setdefault(region, i)
            if group[i] != group[j]:
                low, high = sorted((group[i], group[j]))
                group = [low if g == high else g for g in group]
    found: dict[int, list[int]] = {}
    for i, g in enumerate(group):
        found.setdefault(g, []).append(i)
    return list(found.values())


def pool_weights(constraints: Sequence[Constraint], strength: Sequence[float], same_region: float) -> list[float]:
    """Weight of each constraint's log likelihood, in [0, 1].

    The strongest counts in full; each character of a weaker one's text counts to the extent that no stronger constraint
    has used it up. Adding a weak constraint never weakens a strong one, and constraints on different lines multiply.

    ======================================  ======================================  ===================
    a stronger constraint rests on          same kind of statement, or other source  another kind
    ======================================  ======================================  ===================
    the same characters                     used up                                  `OTHER_KIND`
    other characters of the same line       `same_region`                            `OTHER_KIND` of that
    ======================================  ======================================  ===================

    Script, language and street words are one kind of statement (on the language of the text); every other kind of cue
    is its own: that "Pokhara" is written in Devanagari and that it names a city are two statements.
    """
    order = sorted(
        range(len(constraints)),
        key=lambda i: (constraints[i].source in OPINIONS, -strength[i], constraints[i].id),
    )
    weights = [1.0] * len(constraints)
    for rank, i in enumerate(order):
        mine = constraints[i]
        length = sum(max(0, span.end - span.start) for span in mine.spans)
        if length == 0:
            continue
        left = 0.0
        for span in mine.spans:
            used = np.zeros(max(0, span.end - span.start))
            for j in order[:rank]:
                other = constraints[j]
                alike = _alike(mine, other)
                share = 1.0 if alike else OTHER_KIND
                for taken in other.spans:
                    if taken.region != span.region:
                        continue
                    np.maximum(used, same_region * share, out=used)
                    low, high = max(span.start, taken.start) - span.start, min(span.end, taken.end) - span.start
                    if low < high:
                        used[low:high] = np.maximum(used[low:high], share)
            left += float((1.0 - used).sum())
        weights[i] = left / length
    return weights


def _alike(mine: Constraint, other: Constraint) -> bool:
    """Whether two constraints are about the same thing.

    A model's constraints carry more than the language of the text; on everything else they repeat the tables.
    """
    if mine.source in OPINIONS or other.source in OPINIONS:
        return "language" not in (_statement(mine.kind), _statement(other.kind))
    return other.source != mine.source or _statement(other.kind) == _statement(mine.kind)


def _statement(kind: str) -> str:
    """What a kind of cue is about."""
    return "language" if kind in ("script", "language", "street") else kind
