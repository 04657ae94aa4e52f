"""The page and its files. Nothing in them comes from a photo."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

from geoagent.errors import ResourceError
from geoagent.interfaces.web.guard import Refused
from geoagent.optional import needs
from geoagent.resources import data_dir

with needs("web", "fastapi", "starlette"):
    from fastapi import APIRouter, Request
    from starlette.responses import Response

FILES = {
    "/": ("geoagent.interfaces.web", "page/index.html", "text/html"),
    "/page/page.css": ("geoagent.interfaces.web", "page/page.css", "text/css"),
    "/page/page.js": ("geoagent.interfaces.web", "page/page.js", "text/javascript"),
    "/page/send.js": ("geoagent.interfaces.web", "page/send.js", "text/javascript"),
    "/page/album.js": ("geoagent.interfaces.web", "page/album.js", "text/javascript"),
    "/page/photo.js": ("geoagent.interfaces.web", "page/photo.js", "text/javascript"),
    "/page/files.js": ("geoagent.interfaces.web", "page/files.js", "text/javascript"),
    "/page/answer.js": ("geoagent.interfaces.web", "page/answer.js", "text/javascript"),
    "/page/icon.svg": ("geoagent.interfaces.web", "page/icon.svg", "image/svg+xml"),
    "/page/map.css": ("geoagent.interfaces.render", "map.css", "text/css"),
    "/page/geometry.js": ("geoagent.interfaces.render", "geometry.js", "text/javascript"),
    "/page/map.js": ("geoagent.interfaces.render", "map.js", "text/javascript"),
    "/page/tiles.js": ("geoagent.interfaces.render", "tiles.js", "text/javascript"),
    "/page/dom.js": ("geoagent.interfaces.render", "dom.js", "text/javascript"),
    "/page/trip.js": ("geoagent.interfaces.render", "trip.js", "text/javascript"),
    "/page/parts.js": ("geoagent.interfaces.render", "parts.js", "text/javascript"),
}
EXAMPLES = {
    "de_koeln": "Bakery, Germany",
    "jp_shinjuku": "No parking, Japan",
    "br_curitiba": "Bakery, Brazil",
    "pl_krakow": "Pharmacy, Poland",
    "us_woodstock": "Town line, USA",
    "no_text": "Nothing written",
    "gb_poole": "Photograph: a bus, England",
    "kr_haeundae": "Photograph: a station, South Korea",
    "de_hammoor": "Photograph: a street sign, Germany",
    "fr_paris": "Photograph: a tower, Paris",
}


def pages() -> APIRouter:
    """Routes of the page, its files and the example photos."""
    routes = APIRouter(include_in_schema=False)

    async def file(request: Request) -> Response:
        content, tag, kind = _file(request.url.path)
        headers = {"etag": tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=kind, headers=headers)

    for path in FILES:
        routes.add_api_route(path, file, methods=["GET"])

    @routes.get("/examples.json")
    async def examples() -> list[dict[str, str]]:
        """List the example photos."""
        return [{"name": name, "says": says} for name, says in EXAMPLES.items() if _example(name) is not None]

    @routes.get("/examples/{name}.jpg")
    async def example(name: str) -> Response:
        """Return an example photo."""
        content = _example(name)
        if content is None:
            raise Refused(404, "no such example")
        return Response(content, media_type="image/jpeg", headers={"cache-control": "max-age=3600"})

    return routes


@cache
def _file(path: str) -> tuple[bytes, str, str]:
    package, name, kind = FILES[path]
    content = resources.files(package).joinpath(name).read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:24]}"', kind


@cache
def _example(name: str) -> bytes | None:
    if name not in EXAMPLES:  # an allow list, so that no requested name reaches the file system
        return None
    try:
        return (data_dir("examples") / "photos" / f"{name}.jpg").read_bytes()
    except (OSError, ResourceError):
        return None
