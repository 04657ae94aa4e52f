"""Constraint source that shows the picture to a vision-language model: opt-in, with a small copy without EXIF data."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw

from geoagent.errors import ConfigError, ModelError
from geoagent.evidence import llm_log
from geoagent.evidence.constraints._believed import believed_picture
from geoagent.evidence.constraints._mixture import Weighed, mixture
from geoagent.evidence.constraints._reply import PictureReading, PlaceGuess
from geoagent.evidence.constraints._resolve import resolve
from geoagent.evidence.constraints._signs import Signs
from geoagent.evidence.constraints._stated import stated_place
from geoagent.evidence.llm_messages import Ask, Message, Reply
from geoagent.evidence.scripts import clean
from geoagent.prompts import Prompt
from geoagent.protocols import Assets, LanguageModel
from geoagent.types import Constraint, Photo, Place, TextRegion

SIDE_PX = 768
_QUALITY = 80


class PictureSource:
    """Asks a vision-language model what it sees; the model is not told any other results."""

    name = "llm-picture"

    def __init__(self, model: LanguageModel, assets: Assets, prompt: Prompt, max_tokens: int) -> None:
        self._model, self._assets, self._prompt, self._max_tokens = model, assets, prompt, max_tokens

    def __call__(self, photo: Photo, regions: tuple[TextRegion, ...]) -> tuple[Constraint, ...]:
        """Return at most one constraint.

        Raises:
            ModelError: the model gave no usable reply.
        """
        book = llm_log.current()
        reply = self._model(self.ask(photo, regions))
        if reply.outcome in ("none", "dry"):
            return ()
        reading = reply.value if reply.outcome == "ok" else _in_words(reply)
        if reading is None:
            raise ModelError(f"{self._model.name}: {reply.outcome}: {reply.why}")
        book.observations += [f"{s.kind}: {clean(s.seen)}" for s in reading.sights if s.seen.strip()]
        weighed = []
        for guess in reading.candidates:
            found = resolve(self._assets.gazetteer, clean(guess.place), guess.level, guess.country)
            if found.note:
                book.notes.append(f"{found.note}: kept as a note of the language model")
            if any(place.country in self._assets.world.country_prior for place, _ in found.places):
                weighed.append(Weighed(found, guess.probability, clean(guess.reason)))
        constraint = mixture(
            weighed,
            lambda level: believed_picture(self._model.name, level),
            self._area,
            id="llm-picture-1",
            kind="llm-picture",
            source=self.name,
            model=self._model.name,
            spans=(),
        )
        return () if constraint is None else (constraint,)

    def ask(self, photo: Photo, regions: tuple[TextRegion, ...]) -> Ask:
        """Build the request with the copy of the picture."""
        hidden = hidden_regions(regions)
        messages = [Message(role, text) for role, text in self._prompt.messages()]
        last = messages[-1]
        messages[-1] = Message(last.role, last.text, image=small_copy(photo, [regions[i] for i in sorted(hidden)]))
        return Ask(self._prompt.name, tuple(messages), PictureReading, max_tokens=self._max_tokens)

    def _area(self, place: Place) -> tuple[Place | None, Place | None]:
        gazetteer = self._assets.gazetteer
        return gazetteer.admin1(place.admin1) if place.admin1 else None, gazetteer.country(place.country)


def _in_words(reply: Reply) -> PictureReading | None:
    """Parse the one place in a free-text reply of a model that cannot follow a schema, with probability 0.5."""
    said = stated_place(reply.text[-4000:]) if reply.outcome == "malformed" else None
    if said is None:
        return None
    name = ", ".join(part for part in (said.city, said.region) if part) or said.country
    guess = PlaceGuess.model_construct(
        place=name[:120],
        level="city" if said.city else "country",
        country=said.country,
        probability=0.5,
        reason="Stated in words, without a reason that can be checked.",
    )
    return PictureReading.model_construct(sights=[], candidates=[guess])


def hidden_regions(regions: tuple[TextRegion, ...]) -> frozenset[int]:
    """Return the regions to paint over: those with text to redact, and those that instruct a program."""
    signs = Signs.of(regions)
    return signs.hidden | signs.withheld


def small_copy(photo: Photo, hide: list[TextRegion], side_px: int = SIDE_PX) -> bytes:
    """Return a JPEG of the pixels only, with the longer side at most `side_px` and some regions painted over."""
    image = Image.fromarray(np.asarray(photo.pixels))
    draw = ImageDraw.Draw(image)
    for region in hide:
        if len(region.polygon_px):
            draw.polygon(
                [(float(x) / photo.scale, float(y) / photo.scale) for x, y in region.polygon_px], fill=(128,) * 3
            )
    image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def build(assets: Assets, prompt: str = "picture.v1", max_tokens: int = 900) -> PictureSource:
    """Build the source.

    Raises:
        ConfigError: no language model is configured, or the prompt does not exist.
    """
    if assets.model is None:
        raise ConfigError("showing the picture needs a language model: set llm, or --llm NAME")
    return PictureSource(assets.model, assets, Prompt.load(prompt), max_tokens)
