"""Links of maps: the pin they hold, else the centre of the map that they show.

Which parameter means what is known for each service; some put longitude first. Of an unknown site only parameters that
are named latitude and longitude are read. No link is followed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, parse_qs, unquote, unquote_plus, urlsplit

from geoagent.errors import CoordinateError
from geoagent.places.coordinates._codes import WHAT3WORDS
from geoagent.places.coordinates._structured import LON_FIRST, same_datum
from geoagent.places.coordinates._text import from_text
from geoagent.places.coordinates._value import Coordinates, checked

_FLOAT = r"[+-]?\d{1,3}(?:\.\d+)?"
_PAIR = re.compile(rf"(?:loc:|ll\.)?({_FLOAT})\s*[,~;]\s*({_FLOAT})(?![\d.])")
_LINK = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://|geo:|www\.|(?:[a-z0-9-]+\.)+(?:com|org|net|ru|de|at|ch|io|gl|co|me|fr|uk|app)/)\S*", re.I
)
_INSIDE = re.compile(r"https?://\S+", re.I)
_SHORT = re.compile(
    r"(goo\.gl|(maps\.)?app\.goo\.gl|g\.co|bit\.ly|t\.co|tinyurl\.com|binged\.it|is\.gd|ow\.ly|g\.page|apple\.co|maps\.apple"
    r"|omaps\.app|ge0\.me|her\.is)/|yandex\.\w+/maps/-/|maps\.apple\.com/p/|(wego\.)?here\.com/p/|2gis\.\w+/go/"
    r"|(osm\.org|openstreetmap\.org)/go/"
)
_APPS = {"comgooglemaps": "google.com", "waze": "waze.com", "maps": "maps.apple.com"}
_CENTRE = "the link has no pin: the centre of its map was taken"

Finder = Callable[["_Link"], Coordinates | None]


class _Link:
    """The parts of a link that services put coordinates in."""

    def __init__(self, parts: SplitResult) -> None:
        self.host = (parts.hostname or "").removeprefix("www.")
        self.path = unquote_plus(parts.path)
        self.fragment = unquote(parts.fragment)
        query = parse_qs(parts.query, keep_blank_values=True)
        self.query: Mapping[str, str] = {key.casefold(): values[0] for key, values in query.items()}
        inner = parse_qs(self.fragment.partition("?")[2] or self.fragment.lstrip("#/?"))
        self.inner: Mapping[str, str] = {key.casefold(): values[0] for key, values in inner.items()}

    def pair(self, *names: str, lon_first: str = "", centre: bool = False) -> Coordinates | None:
        """The first of the parameters that begins with two numbers."""
        for name in names:
            value = self.query.get(name, self.inner.get(name, ""))
            if found := _PAIR.match(value):
                first, second = float(found[1]), float(found[2])
                notes = [LON_FIRST.format(lon_first)] if lon_first else []
                lat, lon = (second, first) if lon_first else (first, second)
                return checked(lat, lon, None, *notes, *([_CENTRE] if centre else []))
        return None

    def text(self, *names: str) -> Coordinates | None:
        """The first of the parameters, which may also hold an address, that is coordinates; a label may follow."""
        for name in names:
            value = self.query.get(name, "").removeprefix("loc:")
            if found := _quietly(re.sub(r"(?<=\d)\s*\(.*\)$", "", value)):
                return found
        return None

    def named(self, lat: str, lon: str, *, centre: bool = False) -> Coordinates | None:
        """Two parameters of one number each."""
        for values in (self.query, self.inner):
            if re.fullmatch(_FLOAT, values.get(lat, "")) and re.fullmatch(_FLOAT, values.get(lon, "")):
                return checked(float(values[lat]), float(values[lon]), None, *([_CENTRE] if centre else []))
        return None

    def hash_map(self) -> Coordinates | None:
        """#map=ZOOM/LAT/LON, or #ZOOM/LAT/LON."""
        found = re.search(rf"(?:^|map=)\d{{1,2}}(?:\.\d+)?/({_FLOAT})/({_FLOAT})(?![\d.])", self.fragment)
        return None if found is None else checked(float(found[1]), float(found[2]), None, _CENTRE)


def from_link(text: str) -> Coordinates | None:
    """Read a geo: URI or a link of a map; None for what is no link.

    Raises:
        CoordinateError: a link without coordinates, one that only a server can resolve, or one with several places.
    """
    said = text.strip().strip("<>")
    if not _LINK.fullmatch(said):
        inside = _INSIDE.findall(said)  # as phones share them: a name, and the link under it
        if len(inside) != 1:
            return None
        said = inside[0].rstrip(".,;)>")
    if said[:4].casefold() == "geo:":
        return _geo_uri(said)
    try:
        link = _Link(urlsplit(said if "://" in said else f"https://{said}"))
    except ValueError as error:
        raise CoordinateError(f"{said[:80]}: no link ({error})") from error
    link.host = _APPS.get(said.partition("://")[0].casefold(), link.host)
    if _SHORT.match(link.host + link.path + "/"):
        raise CoordinateError(
            f"{said[:80]}: a short link cannot be followed here; open it and copy the long link, or the coordinates"
        )
    if re.search(r"(^|\.)(what3words\.com|w3w\.co)$", link.host):
        raise CoordinateError(f"{said[:80]}: {WHAT3WORDS}")
    for host, service in _SERVICES:
        if re.search(rf"(^|\.){host}", link.host):
            found = service(link) or _any(link)
            break
    else:
        found = _any(link)
    if found is None:
        raise CoordinateError(f"{said[:80]}: this link holds no coordinates; copy them from the map itself")
    return found


def _geo_uri(said: str) -> Coordinates:
    """A geo URI (RFC 5870), with the ?q= that Android adds."""
    found = re.fullmatch(
        rf"geo:({_FLOAT}),({_FLOAT})(?:,{_FLOAT})?((?:;[\w-]+(?:=[^;?]*)?)*)(?:\?(.*))?", said, re.I | re.S
    )
    if found is None:
        raise CoordinateError(f"{said[:80]}: expected geo:LAT,LON[;u=METRES]")
    settings = dict(part.partition("=")[::2] for part in found[3].casefold().split(";") if part)
    if "crs" in settings and not same_datum(settings["crs"]):
        raise CoordinateError(f"{said[:80]}: the reference system {settings['crs']} is not supported; use WGS 84")
    lat, lon = float(found[1]), float(found[2])
    asked = parse_qs(found[4] or "").get("q", [""])[0]
    if pin := _quietly(re.sub(r"(?<=\d)\s*\(.*\)$", "", asked)):
        return pin
    if lat == lon == 0 and asked:
        raise CoordinateError(f"{said[:80]}: this link searches for {asked!r} and holds no coordinates")
    radius = None
    if "u" in settings:
        if not re.fullmatch(r"\d+(?:\.\d+)?", settings["u"]):
            raise CoordinateError(f"{said[:80]}: the uncertainty u= is a number of metres")
        radius = float(settings["u"]) / 1000
    return checked(lat, lon, radius or None)


def _google(link: _Link) -> Coordinates | None:
    data = link.path + " " + " ".join(link.query.values())
    pins = {(float(a), float(b)) for a, b in re.findall(rf"!3d({_FLOAT})!4d({_FLOAT})", data)}
    stops = {(float(a), float(b)) for b, a in re.findall(rf"!1d({_FLOAT})!2d({_FLOAT})(?!\.?\d)(?!!3d)", data)}
    found = pins or stops
    if len(found) > 1:
        raise CoordinateError(_several(found))
    if found:
        return checked(*found.pop())
    if asked := link.text("q", "query", "destination", "daddr") or link.pair("cbll", "viewpoint"):
        return asked
    steps = [part for part in link.path.split("/") if part[:1] != "@" and "!" not in part]
    places = {place.position: place for part in steps if (place := _quietly(part))}
    if len(places) > 1:
        raise CoordinateError(_several({(p.lat, p.lon) for p in places}))
    if places:
        return next(iter(places.values()))
    if view := re.search(rf"@({_FLOAT}),({_FLOAT})(?:,|$)", link.path):
        street = re.search(rf"@{_FLOAT},{_FLOAT},\d+a,", link.path) is not None and "y," in link.path
        return checked(float(view[1]), float(view[2]), None, *([] if street else [_CENTRE]))
    if embedded := re.search(rf"!2d({_FLOAT})!3d({_FLOAT})", data):
        return checked(float(embedded[2]), float(embedded[1]), None, _CENTRE)
    return link.pair("ll", "center", "sll", centre=True)


def _quietly(value: str) -> Coordinates | None:
    """Coordinates in a part of a link; None where that part is something else, such as an address."""
    try:
        return from_text(value)
    except CoordinateError:
        return None


def _several(places: set[tuple[float, float]]) -> str:
    named = "; ".join(f"{lat:g}, {lon:g}" for lat, lon in sorted(places)[:4])
    return f"this link holds {len(places)} places ({named}); give one of them"


def _osm(link: _Link) -> Coordinates | None:
    return link.named("mlat", "mlon") or link.text("query") or link.hash_map() or link.named("lat", "lon", centre=True)


def _apple(link: _Link) -> Coordinates | None:
    return link.pair("coordinate", "ll") or link.text("q", "daddr") or link.pair("center", "sll", "near", centre=True)


def _bing(link: _Link) -> Coordinates | None:
    pins = re.findall(rf"point\.({_FLOAT})_({_FLOAT})(?![\d.])", link.query.get("sp", ""))
    places = {(float(a), float(b)) for a, b in pins}
    if len(places) > 1:
        raise CoordinateError(_several(places))
    return checked(*places.pop()) if places else link.text("where1", "q") or link.pair("cp", centre=True)


def _yandex(link: _Link) -> Coordinates | None:
    if "~" in link.query.get("pt", ""):
        raise CoordinateError("this link holds several places; give one of them")
    pin = link.pair("pt", "whatshere[point]", "poi[point]", lon_first="Yandex")
    return pin or link.text("text") or _with_note(link.pair("ll", lon_first="Yandex"))


def _with_note(found: Coordinates | None) -> Coordinates | None:
    return None if found is None else Coordinates(found.position, found.radius_km, (*found.notes, _CENTRE))


def _2gis(link: _Link) -> Coordinates | None:
    if place := re.search(rf"/({_FLOAT}),({_FLOAT})(?![\d.,])", link.path):
        return checked(float(place[2]), float(place[1]), None, LON_FIRST.format("2GIS"))
    return _with_note(link.pair("m", "center", lon_first="2GIS"))


def _geohack(link: _Link) -> Coordinates | None:
    """Wikimedia's parameters: D_M_S_N_D_M_S_E, D.D_N_D.D_E or D.D;D.D."""
    said = link.query.get("params", "")
    found = re.match(r"((?:[\d.]+_){1,3}[NS])_((?:[\d.]+_){1,3}[EW])(?:_|$)", said, re.I)
    if found:
        return from_text(f"{found[1]}, {found[2]}".replace("_", " "))
    return link.pair("params")


def _waze(link: _Link) -> Coordinates | None:
    return link.pair("ll", "latlng", "to")


def _here(link: _Link) -> Coordinates | None:
    stops = re.findall(rf"/({_FLOAT}),({_FLOAT})(?![\d.])", link.path)
    places = {(float(lat), float(lon)) for lat, lon in stops}
    if len(places) > 1:
        raise CoordinateError(_several(places))
    return checked(*places.pop()) if places else link.pair("map", centre=True)


def _shifted(link: _Link) -> Coordinates | None:
    raise CoordinateError(
        f"{link.host}: maps in China shift positions by hundreds of metres (GCJ-02, BD-09); give them in WGS 84"
    )


def _any(link: _Link) -> Coordinates | None:
    """What needs no knowledge of the site: named parameters, and the hash of usual map libraries."""
    for lat in ("mlat", "lat", "latitude"):
        for lon in ("mlon", "lon", "lng", "long", "longitude"):
            if found := link.named(lat, lon):
                return found
    return link.hash_map()


_SERVICES: tuple[tuple[str, Finder], ...] = (
    (r"google\.", _google),
    (r"openstreetmap\.|osm\.org", _osm),
    (r"maps\.apple\.com", _apple),
    (r"bing\.com", _bing),
    (r"yandex\.", _yandex),
    (r"2gis\.", _2gis),
    (r"geohack\.|tools\.wmflabs\.org", _geohack),
    (r"waze\.com", _waze),
    (r"here\.com", _here),
    (r"baidu\.com|amap\.com|gaode\.com|map\.qq\.com", _shifted),
)
