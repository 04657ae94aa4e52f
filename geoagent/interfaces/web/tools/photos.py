"""Tools about photos: where one was taken, what is written in it, and what of a claim."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

from pydantic import AliasChoices, Field

from geoagent.agent.album_clocks import stated_clock
from geoagent.agent.album_run import answer_of
from geoagent.agent.albums import Album, AlbumPhoto, AlbumSettings
from geoagent.agent.closer import enlarged, moved
from geoagent.agent.comparing import MOST, ClaimsCompared, compare_claims
from geoagent.agent.disclosure import may_read, permit_said
from geoagent.agent.reading import read_regions
from geoagent.agent.verification import Verification
from geoagent.errors import InputError
from geoagent.interfaces.render import shown
from geoagent.interfaces.web.forms import areas_of
from geoagent.interfaces.web.schemas import Reading
from geoagent.interfaces.web.tools.desk import ALBUM, Desk
from geoagent.interfaces.web.tools.replies import AlbumLocated, Crop, Line, Located, PhotoList
from geoagent.places.coordinates import NOTATIONS

_CLOSER, _CROP_PX = 4.0, 2400  # how much a part is enlarged, and up to which longest side

PhotoPath = Annotated[
    str,
    Field(
        description="path of the photo, relative to the user's folder",
        validation_alias=AliasChoices("photo", "path", "file", "image"),
    ),
]
PhotoPaths = Annotated[
    list[str],
    Field(
        description="paths of the photos of one trip or folder",
        min_length=1,
        max_length=ALBUM,
        validation_alias=AliasChoices("photos", "paths", "files", "images"),
    ),
]
Hint = Annotated[str, Field(description='what the user believes, in words: "near Lyon"', max_length=500)]
Areas = Annotated[str, Field(description="only these countries or areas, by commas: FR,BE or Balkans", max_length=500)]
ClaimSaid = Annotated[str, Field(description=f'"Kyiv, Ukraine", "exif", or coordinates: {NOTATIONS}', max_length=2000)]
Claims = Annotated[
    list[Annotated[str, Field(max_length=2000)]],
    Field(description='claims as verify_claim takes them: ["Lyon", "Geneva"]', min_length=2, max_length=MOST),
]
Box = Annotated[
    list[float],
    Field(
        description="left, top, right, bottom: in pixels of the upright photo, as in read_signs; or, where none is "
        "above 1, as fractions of its width and height",
        min_length=4,
        max_length=4,
    ),
]


def photo_tools(desk: Desk) -> tuple[Callable[..., Any], ...]:
    """The tools, in the order in which they are listed.

    Args:
        desk: agent and folder.
    """

    async def locate_photo(photo: PhotoPath, hint: Hint = "", within: Areas = "") -> Located:
        """Say where a photo was taken: place, radii that hold 50 % and 90 %, probability, and the reasons.

        Example: {"photo": "trip/shop.jpg", "hint": "near Lyon"}
        """

        def act() -> Located:
            observed = desk.observed(photo)
            said = {"hint": hint, "within": areas_of(within)}
            agent = desk.agent.using(**{name: value for name, value in said.items() if value})
            permit_said(agent.builder.user_constraints if any(said.values()) else (), agent.config.max_precision)
            answer = agent.answer(observed)
            return Located.of(answer.model_copy(update={"source": shown(photo)}))

        return await desk.do(act)

    async def locate_album(
        photos: PhotoPaths,
        tracks: Annotated[
            list[str],
            Field(description="paths of GPX, KML or Google location history: where the user was", max_length=20),
        ] = [],  # noqa: B006
        together: Annotated[bool, Field(description="whether all cameras were together all the time")] = False,
        same_place: Annotated[
            bool, Field(description="whether all photos show one place, whatever their times")
        ] = False,
        clocks: Annotated[list[str], Field(description='clocks ahead of UTC: "Canon*=+2h"', max_length=20)] = [],  # noqa: B006
    ) -> AlbumLocated:
        """Say where two photos or more of a trip, or one and a track, were taken: each is evidence for the others.

        Example: {"photos": ["a.jpg", "b.jpg"], "tracks": ["walk.gpx"]}
        """

        def act() -> AlbumLocated:
            if len(photos) < 2 and not tracks:
                raise InputError("an album needs two photos or more, or a track")
            settings = AlbumSettings(tuple(map(stated_clock, clocks)), together, same_place)
            known = [desk.track(path) for path in tracks]
            parts = [
                AlbumPhoto(replace(desk.observed(path), source=shown(path)), desk.capture(path)) for path in photos
            ]
            if len({part.key for part in parts}) < len(parts):
                raise InputError("a photo was named twice")
            album = Album(parts, desk.agent.assets, desk.agent.fusion, known, settings)
            told = [Located.of(answer_of(desk.agent, album, part.key)) for part in parts]
            notes = [shown(note) for track in known for note in track.notes]
            return AlbumLocated(
                photos=[each.model_copy(update={"warnings": [*each.warnings, *notes]}) for each in told]
            )

        return await desk.do(act)

    async def verify_claim(photo: PhotoPath, claim: ClaimSaid) -> Verification:
        """Weigh a claim about where a photo was taken, cue by cue, and tell what photos from there would show.

        Example: {"photo": "shop.jpg", "claim": "Kyiv, Ukraine"}
        """

        def act() -> Verification:
            found = desk.agent.verify(desk.observed(photo), claim)
            return found.model_copy(update={"source": shown(photo)})

        return await desk.do(act)

    async def compare_claims_(photo: PhotoPath, claims: Claims) -> ClaimsCompared:
        """Weigh several claims about where a photo was taken against each other: posterior odds, likeliest first.

        A claim that contains another is the likelier one. Example: {"photo": "shop.jpg", "claims": ["Lyon", "Geneva"]}
        """

        def act() -> ClaimsCompared:
            found = compare_claims(desk.agent, desk.observed(photo), claims)
            return found.model_copy(update={"source": shown(photo)})

        return await desk.do(act)

    async def read_signs(photo: PhotoPath) -> Reading:
        """Read the text in a photo: lines with script, and cues that point to places.

        Example: {"photo": "shop.jpg"}
        """

        def act() -> Reading:
            may_read(desk.agent.config)
            return Reading.of(desk.observed(photo), "").model_copy(update={"source": shown(photo)})

        return await desk.do(act)

    async def read_crop(photo: PhotoPath, box: Box) -> Crop:
        """Cut a part out of a photo, enlarge it and read it again: for text that is small or was misread.

        Example: {"photo": "shop.jpg", "box": [0.5, 0.1, 0.9, 0.3]}
        """

        def act() -> Crop:
            may_read(desk.agent.config)
            return _crop(desk, photo, box)

        return await desk.do(act)

    async def list_photos() -> PhotoList:
        """List the photos in the user's folder, as paths for the other tools.

        Example: {}
        """
        return await desk.do(desk.photos)

    compare_claims_.__name__ = "compare_claims"
    return locate_photo, locate_album, verify_claim, compare_claims_, read_signs, read_crop, list_photos


def _crop(desk: Desk, path: str, box: list[float]) -> Crop:
    """What is read in a part of a photo.

    Raises:
        InputError: the box is empty, or lies outside the photo.
    """
    photo = desk.whole(path)
    width, height = photo.original_px
    left, top, right, bottom = box
    if not (0 <= left < right and 0 <= top < bottom):
        raise InputError(f"box {box}: give left, top, right, bottom, with left < right and top < bottom")
    if max(box) <= 1:
        left, top, right, bottom = left * width, top * height, right * width, bottom * height
    inside = (int(left), int(top), min(width, round(right)), min(height, round(bottom)))
    part = enlarged(
        photo,
        (inside[0] / photo.scale, inside[1] / photo.scale, inside[2] / photo.scale, inside[3] / photo.scale),
        times=_CLOSER,
        most_px=_CROP_PX,
    )
    if part is None:
        raise InputError(f"box {box}: no part of the photo, which has {width} x {height} pixels")
    regions, warnings = read_regions(part, desk.agent.ocr)
    text = desk.agent.understand([moved(region, inside[0], inside[1]) for region in regions])
    return Crop(
        source=shown(path),
        box_px=inside,
        enlarged=round(photo.scale / part.scale, 2),
        lines=[Line.of(region) for region in text.regions],
        cues=[shown(cue.says) for cue in text.cues],
        warnings=list(dict.fromkeys((*warnings, *text.warnings))),
    )
