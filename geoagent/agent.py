"""The whole story on one screen: look, read, fuse, refine, explain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geoagent import plugs
from geoagent.account import report
from geoagent.answer import Answer
from geoagent.compose import Composer
from geoagent.conclude import LEADING, conclude
from geoagent.config import Config
from geoagent.constraints import _picture
from geoagent.constraints._picture import PictureSource
from geoagent.constraints.llm import ModelSource
from geoagent.cues import find_cues, instructs
from geoagent.cues.panel import with_colours
from geoagent.disclose import disclose
from geoagent.errors import ConfigError, GeoAgentError, InputError, WorldError
from geoagent.fusion import SAME_REGION, Fusion
from geoagent.gazetteer import Gazetteer
from geoagent.gazetteer.facts import Facts
from geoagent.investigate import Scene, investigate
from geoagent.ledger import recording
from geoagent.narrate import narrate
from geoagent.parts import Clock, encoder_of, model_of, sources_of
from geoagent.photos import open_photo
from geoagent.prompts import Prompt
from geoagent.stages import Assets, ConstraintSource, Encoder, NeighbourSearch, OcrEngine, Refiner
from geoagent.types import Candidates, Constraint, Photo, TextEvidence, TextRegion, VisionEvidence, regions_from_lines
from geoagent.untrusted import instructing
from geoagent.world import World


@dataclass(frozen=True, eq=False)
class GeoAgent:
    """Answers "where was this photo taken?".

    Make one with `GeoAgent.load()`, or put your own parts together.

    Attributes:
        assets: world, gazetteer and facts, shared by all parts.
        ocr: the reading half.
        sources: constraint sources.
        refiner: from weighted candidates to one place.
        encoder: the picture half, or None.
        search: neighbours of an embedding, or None.
        config: what it was made from.
        lost: what could not be loaded, in words; repeated as a warning in every answer.
        viewer: shows the picture to a vision-language model, or None.
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

    @classmethod
    def load(cls, config: Config | str | Path | None = None, **settings: Any) -> GeoAgent:
        """Put an agent together.

        Args:
            config: a `Config`, or the path of a TOML file; the defaults where absent.
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
        world = World.load(config.world)
        assets = Assets(world, Gazetteer.load(), Facts.load())
        if config.llm is not None:
            assets = replace(assets, model=model_of(config, assets))
        strangers = sorted(set(config.within) - set(world.cells.country_codes))
        if strangers:
            raise ConfigError(f"within: the world {world.name!r} has no cells in {', '.join(strangers)}")
        encoder, lost = encoder_of(config, assets)
        return cls(
            assets=assets,
            ocr=plugs.build("ocr", config.ocr.name, assets, **config.ocr.options),
            sources=tuple(plugs.build("constraints", p.name, assets, **p.options) for p in sources_of(config)),
            refiner=plugs.build("refiners", config.refiner.name, assets, **config.refiner.options),
            encoder=encoder,
            search=plugs.build("search", config.search.name, assets, **config.search.options)
            if world.gallery is not None and world.head is not None
            else None,
            config=config,
            lost=lost,
            viewer=_picture.build(assets) if config.llm_use.sees_picture else None,
        )

    def locate(self, photo: Photo | str | Path | Any) -> Answer:
        """Answer for one photo.

        Args:
            photo: a path, bytes, a PIL image or a `Photo`.

        Raises:
            PhotoError: the file is no readable photo. Everything later is a warning in the answer.
        """
        clock = Clock()
        with clock("open"):
            photo = open_photo(photo)
        with clock("look"):
            vision = self.look(photo)
        with clock("read"):
            regions, warnings = self._regions(photo)
        notes = (*self.lost, *photo.warnings, *warnings)
        return self._answer(photo.source, vision, regions, notes, clock, photo=photo)

    def locate_text(self, lines: Iterable[str], *, id: str | None = None) -> Answer:
        """Answer for the text of a photo alone, as an OCR engine gave it, one string a line.

        Raises:
            InputError: a line is no string.
        """
        rows = list(lines)
        if any(not isinstance(row, str) for row in rows):
            raise InputError(f"expected lines of text, got {', '.join(sorted({type(row).__name__ for row in rows}))}")
        clock = Clock()
        vision = VisionEvidence(self.assets.world.log_prior, self.assets.world.cells.fingerprint)
        name = f"text:{id}" if id is not None else "text"
        return self._answer(name, vision, regions_from_lines(rows), self.lost, clock, id=id)

    def locate_features(self, embedding: ArrayLike, lines: Iterable[str] = (), *, id: str | None = None) -> Answer:
        """Answer for a photo's features, made elsewhere by the world's encoder, and its text.

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
        return self._answer(name, vision, regions_from_lines(list(lines)), (), clock, id=id)

    def look(self, photo: Photo) -> VisionEvidence:
        """What the picture alone says; the world's prior where there is no encoder, or it fails (a warning says so)."""
        world = self.assets.world
        if self.encoder is None or world.head is None:
            why = "the picture itself was not judged (no encoder): the prior of where photos are taken stands in for it"
            return VisionEvidence(world.log_prior, world.cells.fingerprint, warnings=() if self.lost else (why,))
        try:
            embedding = self.encoder([photo])[0]
            return VisionEvidence(world.head(embedding), world.cells.fingerprint, embedding, self.encoder.name)
        except GeoAgentError as error:
            return VisionEvidence(world.log_prior, world.cells.fingerprint, warnings=(f"picture not judged: {error}",))

    def read(self, photo: Photo) -> TextEvidence:
        """What the text in the picture says."""
        regions, warnings = self._regions(photo)
        evidence = self.understand(regions)
        return TextEvidence(regions, evidence.cues, evidence.constraints, (*warnings, *evidence.warnings))

    def understand(self, regions: Sequence[TextRegion]) -> TextEvidence:
        """Cues and constraints of text that has been read; a source that fails is a warning."""
        regions = tuple(regions)
        # Where a model is asked, the wider rules hold for both readers: neither is told what the other is not.
        asked = self.assets.model is not None
        hostile = (
            instructing([region.text for region in regions])
            if asked
            else {i for i, region in enumerate(regions) if instructs(region.text)}
        )
        readable = tuple(replace(r, text="") if asked and i in hostile else r for i, r in enumerate(regions))
        cues = find_cues(readable, self.assets.gazetteer, self.assets.facts, self.assets.world.country_prior)
        constraints: list[Constraint] = []
        left_out = ", ".join(map(str, sorted(hostile)))
        warnings = [f"text that tries to instruct a program was left out: region {left_out}"] if hostile else []
        for source in self.sources:
            try:
                constraints += source(regions, cues)
            except GeoAgentError as error:
                warnings.append(f"constraints from {source.name} are missing: {error}")
        return TextEvidence(regions, cues, tuple(constraints), tuple(warnings))

    def neighbours(self, vision: VisionEvidence, log_probs: Any) -> Candidates | None:
        """Training photos near the embedding inside the leading cells; None where the world has no gallery."""
        if self.search is None or vision.embedding is None:
            return None
        head = self.assets.world.head
        query = vision.embedding if head is None else head.query(vision.embedding)
        fitted, cells = self.assets.world.calibration, self.assets.world.cells
        log_probs, count = np.asarray(log_probs), int(fitted.get("leading", LEADING))
        # The leading cells of all, and those of the country that will be concluded.
        country = int(cells.by_country(np.exp(log_probs)).argmax())
        own = np.where(cells.country_index == country, log_probs, -np.inf)
        leading = np.union1d(np.argsort(-log_probs, kind="stable")[:count], np.argsort(-own, kind="stable")[:count])
        found = self.search(query, leading.tolist(), self.config.neighbours or int(fitted.get("neighbours", 50)))
        return found if len(found) else None

    @cached_property
    def fusion(self) -> Fusion:
        """Fuses over this agent's world."""
        fitted = self.assets.world.calibration.get("same_region", SAME_REGION)
        return Fusion(self.assets.world, float(fitted if self.config.same_region is None else self.config.same_region))

    @cached_property
    def composer(self) -> Composer:
        """Writes this agent's answers."""
        return Composer(self.assets, self.config)

    def _regions(self, photo: Photo) -> tuple[tuple[TextRegion, ...], tuple[str, ...]]:
        try:
            return with_colours(photo, self.ocr(photo)), ()
        except GeoAgentError as error:
            return (), (f"text not read: {error}",)

    def _answer(
        self,
        source: str,
        vision: VisionEvidence,
        regions: tuple[TextRegion, ...],
        warnings: tuple[str, ...],
        clock: Clock,
        *,
        photo: Photo | None = None,
        id: str | None = None,
    ) -> Answer:
        with recording() as book:
            with clock("understand"):
                text = self.understand(regions)
                shown = self._shown(photo, text) if photo is not None else text
                text = self._second_look(photo, vision, shown)
            with clock("fuse"):
                answer, said = self._settled(source, vision, text, warnings, photo, id)
            answer, removed = self._narrated(answer, said)
        model = self.assets.model
        if model is not None and model.name != "none":
            account = report(book, model.name, self.config.llm_use.usd_per_million, removed)
            answer = answer.model_copy(update={"llm": account})
        answer = disclose(answer, self.config.max_precision, self.assets.gazetteer)
        return answer.model_copy(update={"timings_s": clock.seconds})

    def _shown(self, photo: Photo, text: TextEvidence) -> TextEvidence:
        """The evidence with what a vision-language model sees, where the user lets it look."""
        if self.viewer is None:
            return text
        try:
            return replace(text, constraints=(*text.constraints, *self.viewer(photo, text.regions)))
        except GeoAgentError as error:
            # A model that failed for the text as well is one warning, not two.
            told = "constraints from llm are missing"
            if any(told in warning for warning in text.warnings):
                both = f"constraints from llm and {self.viewer.name} are missing"
                return replace(text, warnings=tuple(w.replace(told, both) for w in text.warnings))
            return replace(text, warnings=(*text.warnings, f"constraints from {self.viewer.name} are missing: {error}"))

    def _second_look(self, photo: Photo | None, vision: VisionEvidence, text: TextEvidence) -> TextEvidence:
        """The evidence after a second look, where the user lets the model take one and the photo is undecided."""
        steps, model = self.config.llm_use.investigate, self.assets.model
        if not steps or model is None or model.name == "none" or self.config.llm_use.dry_run:
            return text
        if any("constraints from llm" in warning for warning in text.warnings):
            return text  # a model that has just failed is not asked more
        pictured = tuple(c for c in text.constraints if c.source == "llm-picture")

        def again(regions: Sequence[TextRegion]) -> TextEvidence:
            fresh = self.understand(regions)
            return replace(fresh, constraints=(*fresh.constraints, *pictured))

        source = next((s.read for s in self.sources if isinstance(s, ModelSource)), None)

        def log_probs(evidence: TextEvidence) -> Any:
            return self.fusion(vision.log_probs, (*self.composer.user_constraints, *evidence.constraints)).log_probs

        scene = Scene(
            self.assets, self.ocr, photo, again, log_probs, lambda logs: self.neighbours(vision, logs), source
        )
        return investigate(scene, text, model, Prompt.load("investigate.v1"), steps)

    def _narrated(self, answer: Answer, said: list[str]) -> tuple[Answer, int]:
        """The answer in the model's words, as far as they stand in the evidence, and how many sentences did not."""
        use, model = self.config.llm_use, self.assets.model
        if not use.narrative or model is None or use.dry_run or self.config.max_precision != "full":
            return answer, 0
        if any("constraints from llm" in warning or "second look ended" in warning for warning in answer.warnings):
            return answer, 0  # a model that has just failed is not asked more
        told, removed, wrong = narrate(model, Prompt.load("narrative.v1"), said)
        if wrong:
            warning = f"the explanation is in the template's words: {model.name}: {wrong}"
            answer = answer.model_copy(update={"warnings": [*answer.warnings, warning]})
        return (answer if told is None else answer.model_copy(update={"explanation": told})), removed

    def _settled(
        self,
        source: str,
        vision: VisionEvidence,
        text: TextEvidence,
        warnings: tuple[str, ...],
        photo: Photo | None,
        id: str | None,
    ) -> tuple[Answer, list[str]]:
        everything = (*self.composer.user_constraints, *text.constraints)
        near = self.neighbours(vision, self.fusion(vision.log_probs, everything).log_probs)

        def settle(base: Any, constraints: Sequence[Constraint], radii: bool = True) -> Any:
            posterior = self.fusion(base, constraints)
            return posterior, conclude(posterior, constraints, self.assets.world, self.refiner, near, radii=radii)

        return self.composer(
            settle=settle,
            vision=vision,
            text=text,
            source=source,
            warnings=(*vision.warnings, *warnings, *text.warnings),
            photo=photo,
            id=id,
        )
