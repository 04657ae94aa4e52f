"""From one photo to its evidence: look at the picture, read its text, understand the text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from geoagent.belief.explanation import NOT_JUDGED
from geoagent.errors import GeoAgentError, WorldError
from geoagent.evidence.cues import Finder, find_cues, instructs
from geoagent.evidence.cues.overlay import laid_over
from geoagent.evidence.cues.panel import with_appearance
from geoagent.evidence.observation import Observation, with_unique_ids
from geoagent.evidence.untrusted import instructing
from geoagent.protocols import Assets, ConstraintSource, Encoder, OcrEngine
from geoagent.types import Constraint, Photo, TextEvidence, TextRegion, VisionEvidence
from geoagent.worlds.world import World


def look(
    photos: Sequence[Photo], world: World, encoder: Encoder | None, *, silent: bool = False
) -> list[VisionEvidence]:
    """Judge pictures alone; the world's prior stands in where there is no encoder, or it fails.

    Args:
        photos: the encoder gets them at once.
        world: its head turns an embedding into log probabilities over geocells.
        encoder: the picture half, or None.
        silent: do not warn that there is no encoder, since another warning says why.

    Raises:
        GeoAgentError: the encoder refuses several photos; which of them it was shows one by one.
    """
    log_prior, cells = world.log_prior, world.cells.fingerprint
    if encoder is None or (head := world.head) is None:
        return [VisionEvidence(log_prior, cells, warnings=() if silent else (NOT_JUDGED,)) for _ in photos]
    try:
        return [VisionEvidence(head(row), cells, row, encoder.name) for row in encoder(photos)]
    except GeoAgentError as error:
        if len(photos) > 1:
            raise
        return [VisionEvidence(log_prior, cells, warnings=(f"picture not judged: {error}",))]


def read_regions(photo: Photo, ocr: OcrEngine) -> tuple[tuple[TextRegion, ...], tuple[str, ...]]:
    """Read the lines of text in a photo, with the colours that they stand on, and say in a warning if that fails."""
    try:
        return with_appearance(photo, ocr(photo)), ()
    except GeoAgentError as error:
        return (), (f"text not read: {error}",)


def again(
    observed: Observation, world: World, understand: Callable[[Sequence[TextRegion]], TextEvidence]
) -> Observation:
    """Judge and understand what was seen before by a world and rules, without the photo.

    Args:
        observed: what was seen; of its evidence the embedding and the lines count.
        world: its head judges the embedding.
        understand: finds cues and constraints of lines.

    Raises:
        WorldError: the picture was embedded by another encoder than the world's head was trained for.
    """
    before, head = observed.vision, world.head
    of_photo = observed.warnings[len(before.warnings) : len(observed.warnings) - len(observed.text.warnings)]
    if before.embedding is not None and head is not None:
        if before.encoder != head.encoder:
            raise WorldError(
                f"{observed.source}: the picture was seen by the encoder {before.encoder}, the world {world.name!r} "
                f"wants {head.encoder}; look at the photos again"
            )
        vision = VisionEvidence(head(before.embedding), world.cells.fingerprint, before.embedding, head.encoder)
    else:
        warnings = before.warnings or ((NOT_JUDGED,) if before.embedding is not None or head is not None else ())
        vision = VisionEvidence(world.log_prior, world.cells.fingerprint, before.embedding, warnings=warnings)
    text = understand((*observed.text.regions, *observed.text.unread))
    notes = (*vision.warnings, *of_photo, *text.warnings)
    return replace(observed, vision=vision, text=text, warnings=notes, album=())


def understand(
    regions: Sequence[TextRegion],
    assets: Assets,
    sources: Sequence[ConstraintSource],
    finders: Sequence[Finder] = (),
) -> TextEvidence:
    """Find the cues and constraints of text that has been read; a source that fails is a warning.

    Lines that try to instruct a program, and those laid over the photo, are left out. Where a language model is asked,
    the wider rules that hold for it hide the former from the cues too: neither reader is given what the other is not.
    Regions that could not be read are kept apart, with a warning: nothing reads them.
    """
    unread = tuple(region for region in regions if region.unread)
    regions = tuple(region for region in regions if not region.unread)
    asked = assets.model is not None
    hostile = (
        instructing([region.text for region in regions])
        if asked
        else {i for i, region in enumerate(regions) if instructs(region.text)}
    )
    readable = tuple(replace(r, text="") if asked and i in hostile else r for i, r in enumerate(regions))
    foreign = laid_over(readable)
    readable = tuple(replace(r, text="") if i in foreign else r for i, r in enumerate(readable))
    cues = find_cues(readable, assets.gazetteer, assets.facts, assets.world.country_prior, more=finders)
    constraints: list[Constraint] = []
    left_out = ", ".join(map(str, sorted(hostile)))
    warnings = [unread_text(len(unread))] if unread else []
    warnings += [f"text that tries to instruct a program was left out: region {left_out}"] if hostile else []
    if foreign:
        where = ", ".join(map(str, sorted(foreign)))
        warnings.append(f"text laid over the photo (a watermark, a credit, a date) is no evidence: region {where}")
    if any(region.mirrored for region in regions):
        warnings.append(mirrored_text(regions))
    for source in sources:
        try:
            constraints += source(regions, cues)
        except GeoAgentError as error:
            warnings.append(f"constraints from {source.name} are missing: {error}")
    return TextEvidence(regions, cues, with_unique_ids(constraints), tuple(warnings), unread)


def unread_text(count: int) -> str:
    """Say at how many places there is text that could not be read."""
    return f"{count} {'place' if count == 1 else 'places'} with text could not be read"


def mirrored_text(regions: Sequence[TextRegion]) -> str:
    """Say which text stands mirrored in the photo."""
    over = [str(i) for i, region in enumerate(regions) if region.mirrored]
    if len(over) == len(regions):
        return "the text is mirrored in the photo and was read mirrored"
    return f"some text is mirrored in the photo and was read mirrored: region {', '.join(over)}"
