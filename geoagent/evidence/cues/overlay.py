"""Text that was laid over the photo, not photographed: watermarks, credits, dates and captions.

It names agencies, photographers and sites, which say nothing about the place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from rapidfuzz import fuzz

from geoagent.places.gazetteer.normalise import normalise
from geoagent.types import TextRegion

_AGENCIES = (
    "shutterstock", "bigstock", "bigstockphoto", "gettyimages", "getty", "alamy", "istock", "istockphoto",
    "depositphotos", "dreamstime", "123rf", "adobestock", "fotolia", "freepik", "pixabay", "unsplash", "pexels",
    "flickr", "fotosearch", "canstockphoto", "agefotostock", "masterfile", "corbis", "reuters", "associatedpress",
    "gettyimagesbank", "vectorstock", "pngtree", "stocksy", "eyeem", "photobucket", "visualchinagroup", "imagechina",
    "pixta", "netcarshow", "wikimedia",
)  # fmt: skip
"""Picture agencies and sites whose names are printed over photos, as one word."""
_ALIKE = 84.0  # rapidfuzz ratio from which a misread name is that of an agency
_CREDIT = re.compile(
    r"©|\(c\)\s|℗|\bcopyright\b|\ball rights reserved\b"
    r"|\b(?:photo|image|picture|foto|bild|fotograf[íi]a)\s*(?:by|:|©|credit)"
    r"|\bphoto(?:graph)?(?:s|y|er)?\s+by\b|\bphotography\b|\bphotographer\b|\b(?:image|stock|photo)\s*id\b"
    r"|\bcourtesy of\b|\bcreative commons\b|\bcc[- ]by\b|\bshot on\b|\bsample\s+(?:image|photo)\b|\bwatermark\b",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"['’]?\d{2,4}\s*[./: -]\s*\d{1,2}\s*[./: -]\s*\d{1,4}(?:[ T]+\d{1,2}[:.]\d{2}(?:[:.]\d{2})?)?\s*(?:AM|PM)?"
    r"|\d{1,2}[:.]\d{2}[:.]\d{2}",
    re.IGNORECASE,
)
_SITE = re.compile(r"(?:https?://|www\.)?[\w-]+(?:\.[\w-]+)*\.[a-z]{2,6}(?:/\S*)?", re.IGNORECASE)
_SMALL = 0.045
"""Height of a caption's letters, at most, as a share of the photo's."""
_REPEATED = 3
_LEAST_LETTERS = 3


def laid_over(regions: Sequence[TextRegion]) -> set[int]:
    """Return the indices of the regions that were laid over the photo.

    Known by what they say (an agency, "©", "photo by"), by repetition over the photo, as a date with nothing else, and
    as a site's name in small letters along an edge. Without positions, what they say decides alone.

    Args:
        regions: the lines of one photo.
    """
    keys = [normalise(region.text).replace(" ", "") for region in regions]
    marks = {i for i, region in enumerate(regions) if _CREDIT.search(region.text) or _of_agency(keys[i])}
    marks |= {i for i, region in enumerate(regions) if len(region.polygon_px) and _captions(region)}
    repeated = {key for key, count in Counter(keys).items() if count >= _REPEATED and _scattered(regions, keys, key)}
    stamped = [keys[i] for i in marks if _of_agency(keys[i])] + list(repeated)
    for i, key in enumerate(keys):
        if key in repeated or (len(key) >= _LEAST_LETTERS and any(key in other for other in stamped)):
            marks.add(i)  # the "STOCK" of a "BIGSTOCK" that was read in two parts
    return marks


def _of_agency(key: str) -> bool:
    """Whether a key without spaces is or contains an agency's name, with an error or two in a long one."""
    return any(
        (name in key and len(name) >= 5) or (len(name) >= 7 and len(key) >= 6 and fuzz.ratio(name, key) >= _ALIKE)
        for name in _AGENCIES
    )


def _captions(region: TextRegion) -> bool:
    """Whether a line is a date and nothing else, or a site's name in small letters along the edge."""
    text = region.text.strip(" ._-|")
    if _DATE.fullmatch(text):
        return True
    return region.at_edge and 0.0 < region.height <= _SMALL and bool(_SITE.fullmatch(text.replace(" ", "")))


def _scattered(regions: Sequence[TextRegion], keys: Sequence[str], key: str) -> bool:
    """Whether copies of a text stand in rows and columns over the photo, as watermarks do and signs seldom."""
    if sum(c.isalpha() for c in key) < 4:
        return False
    boxes = [regions[i].polygon_px for i, other in enumerate(keys) if other == key and len(regions[i].polygon_px) == 4]
    if len(boxes) < _REPEATED:
        return False
    tall = max(float(box[:, 1].max() - box[:, 1].min()) for box in boxes)
    middles = [float(box[:, 1].mean()) for box in boxes]
    return max(middles) - min(middles) > 3.0 * tall
