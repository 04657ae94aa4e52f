"""`GeoAgent`: look, read, fuse, refine, explain."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geoagent.agent import llm_contributions
from geoagent.agent.album_run import answers as album_answers
from geoagent.agent.album_run import look_at
from geoagent.agent.albums import AlbumSettings
from geoagent.agent.answer_builder import AnswerBuilder
from geoagent.agent.claims import claim_of_position, read_claims
from geoagent.agent.disclosure import permitted, release
from geoagent.agent.fingerprint import fingerprint
from geoagent.agent.inference import Inference
from geoagent.agent.llm_report import report
from geoagent.agent.loading import parts_of
from geoagent.agent.many import Workers, locate_many, several
from geoagent.agent.reading import again, look, read_regions, understand
from geoagent.agent.second_look import second_look
from geoagent.agent.timing import Clock
from geoagent.agent.verification import Verification, verify
from geoagent.answer import Answer
from geoagent.belief.estimate import Estimate
from geoagent.belief.fusion import Belief, Fusion
from geoagent.config import WEIGHING, Config
from geoagent.errors import ConfigError, InputError, WorldError
from geoagent.evidence.constraints._picture import PictureSource
from geoagent.evidence.cues import Finder
from geoagent.evidence.llm_log import LlmLog, recording
from geoagent.evidence.observation import Observation
from geoagent.evidence.photos import Input, open_photo
from geoagent.evidence.tracks import Track, read_track
from geoagent.protocols import Assets, ConstraintSource, Encoder, NeighbourSearch, OcrEngine, Refiner
from geoagent.types import (
    Candidates,
    Photo,
    Posterior,
    TextEvidence,
    TextRegion,
    VisionEvidence,
    regions_from_lines,
)


@dataclass(frozen=True, eq=False)
class GeoAgent:
    """Answers "where was this photo taken?".

    Make one with `GeoAgent.load()`, or put your own parts together. One agent may be used from any number of threads at
    once: it is read-only, and engines that can read one photo at a time wait for each other.

    Attributes:
        assets: world, gazetteer and facts, shared by all parts.
        ocr: the reading half.
        sources: constraint sources.
        refiner: from weighted candidates to one place.
        encoder: the picture half, or None.
        search: neighbours of an embedding, or None.
        config: what it was made from.
        lost: messages about parts that could not be loaded; repeated as warnings in every answer.
        viewer: shows the picture to a vision-language model, or None.
        finders: finders of kinds of cue beside those that ship.
    """

    assets: Assets
    ocr: OcrEngine
    sources: tuple[ConstraintSource, ...]
    refiner: Refiner
    encoder: Encoder | None = None
    search: NeighbourSearch | None = None
    config: Config = field(default_factory=Config)
    lost: tuple[str, ...] = ()
    viewer: PictureSource | None = None
    finders: tuple[Finder, ...] = ()

    def __post_init__(self) -> None:
        _ = self.builder.user_constraints  # refuse what the user stated now, not at the first photo

    @classmethod
    def load(cls, config: Config | str | Path | None = None, *, looks: bool = True, **settings: Any) -> GeoAgent:
        """Load an agent.

        Args:
            config: a `Config`, or the path of a TOML file; the defaults where absent.
            looks: False for an agent without encoder and OCR, which only answers what another one observed.
            settings: settings by name, which win over `config` (`ocr="nothing"`, `world="my-world"`, …).

        Raises:
            ConfigError: a setting is unknown or wrong.
            WorldError: the world cannot be read.
            UnknownPlug: a part does not exist.
            MissingDependency: a part that was asked for needs a package that is not installed.
        """
        if isinstance(config, Config):
            config = Config.make({**config.model_dump(exclude_unset=True), **settings}) if settings else config
        else:
            config = Config.load(config, **settings) if config is not None else Config.make(settings)
        return cls(**parts_of(config, looks=looks))

    def locate(self, photo: Input) -> Answer:
        """Answer for one photo.

        Args:
            photo: a path, bytes, an opened file, a PIL image, an array of pixels or a `Photo`; see `open_photo`.

        Raises:
            PhotoError: the file is no readable photo. Everything later is a warning in the answer.
        """
        return self.answer(self.observe(photo))

    def locate_many(
        self, photos: Iterable[Input], *, workers: Workers = 1, batch: int = 1, progress: bool = False
    ) -> Iterator[Answer]:
        """Answer for many photos, in the order given, each as soon as it is its turn.

        With several workers, processes that load their own agent from `config` look at the photos and this one weighs
        what they saw. A photo that ends its worker twice is an error, as is any other that cannot be answered. A
        script that uses workers needs `if __name__ == "__main__":` around what it does.

        Args:
            photos: whatever `locate` takes; with more than one worker files alone.
            workers: how many processes look at photos, from 1; "auto" for one a core, or fewer where memory is short.
            batch: how many photos the encoder gets at once: more pay on a GPU, and are in memory together.
            progress: show progress on stderr.

        Raises:
            InputError: one photo instead of several, or something that is no file with more than one worker.
            ConfigError: no such number of workers, or more than one with a language model, whose caps are a run's.
        """
        return locate_many(self, several(photos), workers, batch, progress=progress)

    def locate_album(
        self,
        photos: Sequence[str | Path],
        *,
        tracks: Sequence[Track | str | Path] = (),
        settings: AlbumSettings | None = None,
        saved: str | Path | None = None,
        looked: Callable[[int], None] | None = None,
    ) -> Iterator[Answer]:
        """Answer for the photos of an album, each of which is evidence for the others; in the order given.

        Args:
            photos: files.
            tracks: where somebody was meanwhile: read, or files.
            settings: how the album is weighed (clocks, devices, one place).
            saved: file in which what was seen is kept; what it holds under the same settings is not looked at again.
            looked: is told how many photos have been looked at.

        Raises:
            InputError: a track or the file of observations cannot be read. What is wrong with a photo is its answer.
        """
        paths = [Path(photo) for photo in photos]
        read = [track if isinstance(track, Track) else read_track(Path(track)) for track in tracks]
        seen = look_at(self, paths, None if saved is None else Path(saved), looked)
        return album_answers(self, seen, read, settings)

    def observe(self, photo: Input, *, vision: VisionEvidence | None = None) -> Observation:
        """Look at a photo and read it; `answer` then weighs the observation, as often as needed.

        Args:
            photo: as for `locate`.
            vision: what `look` made of its picture, where that was asked before.

        Raises:
            PhotoError: the file is no readable photo. Everything later is a warning.
        """
        clock = Clock()
        with clock("open"):
            photo = open_photo(photo)
        if vision is None:
            with clock("look"):
                vision = self.look(photo)
        with clock("read"):
            regions, warnings = read_regions(photo, self.ocr)
        notes = (*self.lost, *photo.warnings, *warnings)
        return self._observed(photo.source, vision, regions, notes, clock, photo=photo)

    def locate_text(self, lines: Iterable[str], *, id: str | None = None) -> Answer:
        """Answer for the text of a photo alone, one string a line.

        Raises:
            InputError: a line is no string.
        """
        return self.answer(self.observe_text(lines, id=id))

    def observe_text(self, lines: Iterable[str], *, id: str | None = None) -> Observation:
        """Understand the text of a photo alone, one string a line.

        Raises:
            InputError: a line is no string.
        """
        rows = list(lines)
        if any(not isinstance(row, str) for row in rows):
            raise InputError(f"expected lines of text, got {', '.join(sorted({type(row).__name__ for row in rows}))}")
        clock = Clock()
        vision = VisionEvidence(self.assets.world.log_prior, self.assets.world.cells.fingerprint)
        name = f"text:{id}" if id is not None else "text"
        return self._observed(name, vision, regions_from_lines(rows), self.lost, clock, id=id)

    def locate_features(self, embedding: ArrayLike, lines: Iterable[str] = (), *, id: str | None = None) -> Answer:
        """Answer for a photo's features and its text; see `observe_features`."""
        return self.answer(self.observe_features(embedding, lines, id=id))

    def observe_features(
        self, embedding: ArrayLike, lines: Iterable[str] = (), *, id: str | None = None
    ) -> Observation:
        """Judge a photo's features, made elsewhere by the world's encoder, and understand its text.

        Args:
            embedding: `(D,)`, of any length but zero.
            lines: the text, one string a line.
            id: name of the row.

        Raises:
            WorldError: the world has no head.
            ShapeError: the head wants another D.
            InputError: the features are all zero or not finite.
        """
        world = self.assets.world
        if world.head is None:
            raise WorldError(f"the world {world.name!r} has no head: it cannot judge features")
        row = np.asarray(embedding, dtype=np.float32)
        length = float(np.linalg.norm(row))
        if not np.isfinite(length) or length == 0:
            raise InputError("the features are all zero or not finite")
        clock = Clock()
        with clock("look"):
            row = row / length
            vision = VisionEvidence(world.head(row), world.cells.fingerprint, row, world.head.encoder)
        name = f"features:{id}" if id is not None else "features"
        return self._observed(name, vision, regions_from_lines(list(lines)), (), clock, id=id)

    def observe_again(self, observed: Observation) -> Observation:
        """Judge and understand what was seen before by this agent's world and rules, without the photo.

        Args:
            observed: what `observe` gave, of any agent; what a language model said of it is left out.

        Raises:
            WorldError: the picture was embedded by another encoder than this world was trained for.
        """
        return again(observed, self.assets.world, self.understand)

    def answer(self, observed: Observation, *, without: Collection[str] = ()) -> Answer:
        """Weigh an observation and answer where the photo was taken.

        Args:
            observed: what `observe` gave, of this agent or of another over the same geocells.
            without: ids of constraints that are left out: those of `observed.text`, and of what the user said.

        Raises:
            WorldError: it was observed over other geocells.
        """
        mine = self.assets.world.cells.fingerprint
        if observed.vision.cells != mine:
            raise WorldError(f"observed over the geocells {observed.vision.cells}, this world has {mine}")
        clock = Clock(observed.seconds)
        if without:
            kept = tuple(c for c in observed.text.constraints if c.id not in without)
            album = tuple(c for c in observed.album if c.id not in without)
            observed = replace(observed, text=replace(observed.text, constraints=kept), album=album)
        with clock("fuse"):
            user = tuple(c for c in self.builder.user_constraints if c.id not in without)
            infer = self.inference.of(observed.vision, (*user, *observed.constraints))
            answer, said = self.builder(infer=infer, observed=observed, user=user)
        book = observed.llm_log.copy()
        with recording(book):
            answer, removed = llm_contributions.narrated(answer, said, self.assets.model, self.config)
        model = self.assets.model
        if model is not None and model.name != "none":
            account = report(book, model.name, self.config.llm_use.usd_per_million, removed)
            answer = answer.model_copy(update={"llm": account})
        answer = release(answer, self.config, self.assets.gazetteer)
        return answer.model_copy(update={"timings_s": clock.seconds, "settings": self.mark})

    def posterior(self, observed: Observation) -> Posterior:
        """The posterior over geocells from picture, text and what the user stated."""
        said = (*self.builder.user_constraints, *observed.constraints)
        return self.fusion(observed.vision.log_probs, said)

    def estimate(self, observed: Observation) -> Estimate:
        """The estimate behind the answer: the likeliest point, also where the answer names no place."""
        said = (*self.builder.user_constraints, *observed.constraints)
        infer = self.inference.of(observed.vision, said)
        return infer(observed.vision.log_probs, said)[1]

    def verify(self, observed: Observation | Input, claim: str) -> Verification:
        """Weigh a claim about where the photo was taken.

        Args:
            observed: what `observe` gave; or a photo, as for `locate`.
            claim: a place by name ("Kyiv, Ukraine", "DE", "the Balkans"), "lat,lon" or "lat,lon,radius_km", or "exif"
                for the position that the file claims.

        Raises:
            InputError: the place is not known, the file claims none, or the claim is finer than `max_precision`.
            CoordinateError: coordinates out of range.
            PhotoError: the photo cannot be read.
        """
        gazetteer, world = self.assets.gazetteer, self.assets.world
        exif = claim.strip().casefold() == "exif"
        said = () if exif else read_claims(claim, gazetteer, world)  # before a photo is read in vain
        if not isinstance(observed, Observation):
            observed = self.observe(observed)
        if exif and observed.exif_gps is None:
            whole = "a position that is not whole" if observed.exif_partial else "no position"
            raise InputError(f"{observed.source}: the file claims {whole}")
        if observed.exif_gps is not None and exif:
            said = (claim_of_position(observed.exif_gps, gazetteer),)
        readings = permitted(said, self.config.max_precision)
        return verify(observed, readings, self.assets, self.inference, self.builder)

    def using(self, **settings: Any) -> GeoAgent:
        """Return the same agent under other settings that need no part to be rebuilt; see `WEIGHING`.

        Raises:
            ConfigError: a setting is unknown, wrong, or needs a new agent.
        """
        strange = sorted(set(settings) - WEIGHING)
        if strange:
            raise ConfigError(
                f"{', '.join(strange)}: needs a new agent; without one change {', '.join(sorted(WEIGHING))}"
            )
        config = Config.make({**self.config.model_dump(exclude_unset=True), **settings})
        return replace(self, config=config)

    def look(self, photo: Photo) -> VisionEvidence:
        """Judge the picture alone; the world's prior stands in, with a warning, without an encoder or if it fails."""
        return look([photo], self.assets.world, self.encoder, silent=bool(self.lost))[0]

    def read(self, photo: Input) -> TextEvidence:
        """Read the text in the picture and find its cues and constraints.

        Args:
            photo: as for `locate`.

        Raises:
            PhotoError: the file is no readable photo.
        """
        photo = open_photo(photo)
        regions, warnings = read_regions(photo, self.ocr)
        evidence = self.understand(regions)
        return replace(evidence, warnings=(*warnings, *evidence.warnings))

    def understand(self, regions: Sequence[TextRegion]) -> TextEvidence:
        """Cues and constraints of text that has been read; a source that fails is a warning."""
        return understand(regions, self.assets, self.sources, self.finders)

    def neighbours(self, vision: VisionEvidence, log_probs: Any) -> Candidates | None:
        """Neighbours of the embedding inside the leading cells; None without a gallery."""
        return self.inference.near(self.inference.query(vision), self.inference.leading(np.asarray(log_probs)))

    @cached_property
    def mark(self) -> str:
        """Fingerprint of the settings that answers are made under."""
        model = self.assets.model
        return fingerprint(self.config, self.assets.world, None if model is None else model.name)

    @cached_property
    def inference(self) -> Inference:
        """How this agent chooses places."""
        user, count = self.builder.user_constraints, self.config.neighbours
        return Inference(self.assets.world, self.fusion, self.refiner, user, self.search, count)

    @cached_property
    def fusion(self) -> Fusion:
        """The fusion over this agent's world."""
        belief, config = Belief.of(self.assets.world), self.config
        if config.same_region is not None:
            belief = replace(belief, same_region=config.same_region)
        return Fusion(self.assets.world, belief, text_weight=config.text_weight, vision_weight=config.vision_weight)

    @cached_property
    def builder(self) -> AnswerBuilder:
        """The builder of this agent's answers."""
        return AnswerBuilder(self.assets, self.config)

    def _observed(
        self,
        source: str,
        vision: VisionEvidence,
        regions: tuple[TextRegion, ...],
        warnings: tuple[str, ...],
        clock: Clock,
        *,
        photo: Photo | None = None,
        id: str | None = None,
    ) -> Observation:
        with recording(LlmLog()) as book, clock("understand"):
            text = self.understand(regions)
            if photo is not None and self.viewer is not None:
                text = llm_contributions.shown(self.viewer, photo, text)
                vision = llm_contributions.judged(self.viewer, vision, text)
            text = second_look(self, photo, vision, text)
        return Observation(
            source=source,
            vision=vision,
            text=text,
            warnings=(*vision.warnings, *warnings, *text.warnings),
            id=id,
            exif_gps=photo.exif_gps if photo is not None else None,
            exif_partial=photo.exif_partial if photo is not None else "",
            size_px=photo.original_px if photo is not None else None,
            llm_log=book,
            seconds=clock.seconds,
        )
