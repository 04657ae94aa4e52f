"""Weighing observations in the server process, which takes only milliseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from geoagent.agent.album_clocks import device_key, fits_device, stated_clock
from geoagent.agent.album_run import answer_of, in_album, named_again, report_named_again
from geoagent.agent.albums import Album, AlbumPhoto, AlbumSettings
from geoagent.agent.core import GeoAgent
from geoagent.agent.disclosure import HIDDEN, permit_said, withheld
from geoagent.agent.verification import Verification
from geoagent.answer import Answer
from geoagent.config import OPEN, Config
from geoagent.errors import GeoAgentError, InputError
from geoagent.evidence.observation import Observation
from geoagent.evidence.tracks import Track
from geoagent.interfaces.render import is_blank, shown
from geoagent.interfaces.render.map import answer_view
from geoagent.interfaces.web.forms import AlbumQuestion, Settings
from geoagent.interfaces.web.readers import Seen
from geoagent.interfaces.web.schemas import LeftOut, View
from geoagent.places.geo import Float
from geoagent.types import PRECISIONS

CELLS = 2000
"""Maximum number of cell probabilities sent to the page."""
LIT = 1000
"""Maximum number of cells highlighted for one cue."""
_SEEN_NATS = 0.05


_TOLD_FIELDS = ("hint", "within", "exclude")


class WrongFields(InputError):
    """What was sent in some fields cannot be used.

    Attributes:
        fields: what is wrong, by name of the field.
    """

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("; ".join(fields.values()))
        self.fields = dict(fields)


class Scales:
    """An agent that weighs what the workers observed."""

    def __init__(self, config: Config) -> None:
        self.agent = GeoAgent.load(config, looks=False)

    def under(self, settings: Settings) -> GeoAgent:
        """Return the agent with other settings; the server's own precision cap still applies."""
        changes, own = settings.changes(), self.agent.config.max_precision
        asked = changes.get("max_precision", own)
        if own not in OPEN:
            changes["max_precision"] = own if asked in OPEN else min(asked, own, key=PRECISIONS.index)
        try:
            agent = self.agent.using(**changes)
        except GeoAgentError as error:
            raise self._blamed(changes) or error from error
        if changes.keys() & set(_TOLD_FIELDS):
            permit_said(agent.builder.user_constraints, own)
        return agent

    def _blamed(self, changes: Mapping[str, Any]) -> WrongFields | None:
        """Which fields cannot be used by themselves; None if only all of them together cannot."""
        wrong = {}
        for name in _TOLD_FIELDS:
            try:
                if name in changes:
                    self.agent.using(**{name: changes[name]})
            except GeoAgentError as error:
                wrong[name] = str(error)
        return WrongFields(wrong) if wrong else None

    def answer(self, seen: Seen, settings: Settings) -> Answer:
        """Say where the photo was taken."""
        return _answer(self.under(settings), seen, _trimmed(seen.observed, settings.without))

    def album(
        self, seen: Sequence[Seen], asked: AlbumQuestion, tracks: Sequence[Track] = ()
    ) -> tuple[list[tuple[Seen, Answer]], tuple[str, ...]]:
        """Weigh photos together.

        Args:
            seen: the photos, each once.
            asked: how.
            tracks: where somebody was meanwhile.

        Returns:
            Each photo with what the others tell about it, and its answer; and notes on cameras and clocks.
        """
        agent = self.under(asked)
        clocks = tuple(map(stated_clock, asked.clocks))
        settings = AlbumSettings(clocks=clocks, joined=asked.together, same_place=asked.same_place)
        keyed = {f"{number:04d}": each for number, each in enumerate(seen)}
        photos = [AlbumPhoto(replace(s.observed, source=key, album=()), s.capture) for key, s in keyed.items()]
        album = Album(photos, agent.assets, agent.fusion, tracks, settings)
        names = {key: each.observed.source for key, each in keyed.items()}
        found: list[tuple[Seen, Answer]] = []
        for key, each in keyed.items():
            observed = replace(album.observed(key), source=names[key])
            answer = named_again(answer_of(agent, album, key, without=asked.without), names)
            told = report_named_again(album.report(key), names)
            found.append((replace(each, observed=observed, album=told), answer))
        return found, (*_unfit(clocks, seen), *album.notes)

    def verify(self, seen: Seen, settings: Settings, claim: str) -> Verification:
        """Weigh a claim."""
        agent = self.under(settings)
        try:
            return agent.verify(_trimmed(seen.observed, settings.without), claim)
        except GeoAgentError as error:
            raise WrongFields({"claim": str(error)}) from error

    def view(self, id: str, seen: Seen, settings: Settings) -> View:
        """Return what the page draws: the answer, cell probabilities, and the cells each cue supports."""
        agent, observed = self.under(settings), seen.observed
        kept = _trimmed(observed, settings.without)
        answer = _answer(agent, seen, kept)
        keys = [cue.constraint for cue in answer.cues]
        cells: list[tuple[int, float]] = []
        lights: list[list[int]] = [[] for _ in keys]
        if not agent.config.capped and not is_blank(answer):
            posterior = agent.posterior(kept)
            p = posterior.probs
            top = np.argsort(-p)[:CELLS]
            cells = [(int(i), round(float(p[i]), 6)) for i in top if p[i] > max(1e-6, 1e-3 * p[top[0]])]
            lights = [_raised(posterior.contributions[key]) for key in keys]
        own = {c.id for c in kept.constraints}
        return View(
            observation=id,
            answer=answer_view(answer),
            keys=[key if key in own else "" for key in keys],
            left_out=[
                LeftOut(
                    key=c.id,
                    kind=c.kind,
                    value=HIDDEN if withheld(c, agent.config.max_precision) else shown(c.value),
                )
                for c in observed.constraints
                if c.id in settings.without
            ],
            cells=cells,
            lights=lights,
            size_px=observed.size_px or (1, 1),
            exact=answer,
        )


def _answer(agent: GeoAgent, seen: Seen, kept: Observation) -> Answer:
    """The answer for what is kept of an observation, with what its album tells of the photo."""
    answer = agent.answer(kept)
    return answer if seen.album is None else in_album(agent, answer, seen.album)


def _unfit(clocks: Sequence[tuple[str, float]], seen: Sequence[Seen]) -> list[str]:
    """Which patterns of cameras, of those whose clocks are stated, fit none of the photos."""
    devices = sorted({device_key(each.capture) for each in seen} - {""})
    there = f"they are of {', '.join(map(shown, devices))}" if devices else "none of them tells its camera"
    return [
        f"you said something of the clock of “{shown(pattern)}”, and no photo is of such a camera: {there}"
        for pattern, _ in clocks
        if not any(fits_device(device, pattern) for device in devices)
    ]


def _raised(nats: Float) -> list[int]:
    """Return the cells a cue raises most: at least half of its largest contribution."""
    most = float(nats.max())
    if most < _SEEN_NATS:
        return []
    cells = np.flatnonzero(nats >= most / 2)
    if len(cells) > LIT:
        cells = cells[np.argsort(-nats[cells], kind="stable")[:LIT]]
    return [int(i) for i in cells]


def _trimmed(observed: Observation, without: Sequence[str]) -> Observation:
    if not without:
        return observed
    kept = tuple(c for c in observed.text.constraints if c.id not in without)
    album = tuple(c for c in observed.album if c.id not in without)
    return replace(observed, text=replace(observed.text, constraints=kept), album=album)
