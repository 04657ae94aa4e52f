"""An answer at the prompt, in a notebook, as GeoJSON and in a data frame."""

from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from answers import ALL, HOSTILE, full, nowhere
from rich.console import Console

import geoagent
from geoagent.answer import Answer, Best
from geoagent.errors import ResourceError
from geoagent.interfaces.outputs import row_of
from geoagent.interfaces.render import names, words

answers = pytest.mark.parametrize("make", ALL.values(), ids=ALL)


class Page(HTMLParser):
    """Tags with their attributes, and whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def svg_of(html: str) -> str:
    found = re.search(r"data:image/svg\+xml;base64,([^\"]+)", html)
    return base64.b64decode(found[1]).decode() if found else ""


@answers
def test_at_the_prompt_an_answer_is_three_lines(make: Any) -> None:
    shown = repr(make())
    assert shown.startswith("<Answer ")
    assert shown.endswith(">")
    assert len(shown.splitlines()) <= 3
    assert len(shown) < 900
    assert str(make()) == shown


def test_at_the_prompt_stands_the_place_how_sure_and_why() -> None:
    assert repr(full()).splitlines() == [
        "<Answer fotos/bäckerei-königstraße.jpg: Stuttgart, Baden-Württemberg, Germany (city)",
        "  96 % sure of Germany; 90 % within 46 km of 48.776° N, 9.183° E, 50 % within 8.4 km.",
        "  Why: the telephone number “+49 711” (+4.2 nats), the postcode “70173” (+2.6 nats) and the language of its "
        "text (+0.8 nats).>",
    ]


def test_an_answer_that_names_no_place_gives_no_reason_for_one() -> None:
    assert "Why:" not in repr(nowhere())
    assert "The evidence points nowhere clearly enough; the likeliest country" in repr(nowhere())


def test_countries_stand_in_sentences_with_their_article() -> None:
    assert [words.in_words(code) for code in ("NL", "FR", "US", "DO", "XX")] == [
        "the Netherlands",
        "France",
        "the United States",
        "the Dominican Republic",
        "XX",
    ]


def test_words_and_pages_do_without_a_gazetteer(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged() -> None:
        raise ResourceError("damaged")

    monkeypatch.setattr(names.Gazetteer, "load", damaged)
    names.gazetteer.cache_clear()
    names.country_name.cache_clear()
    try:
        assert "96 % sure of DE" in repr(full())
        assert "<img" not in full()._repr_html_()
    finally:
        names.gazetteer.cache_clear()
        names.country_name.cache_clear()


@answers
def test_a_notebook_gets_html_without_script_style_sheet_or_request(make: Any) -> None:
    html = make()._repr_html_()
    page = Page(html)
    assert not page.open
    assert {tag for tag, _ in page.seen} <= {
        "div", "p", "strong", "bdi", "img", "table", "thead", "tbody", "tr", "th", "td", "span",
    }  # fmt: skip
    for _, attributes in page.seen:
        assert set(attributes) <= {"class", "style", "src", "alt", "width", "scope"}
        assert (attributes.get("src") or "data:image/svg+xml;base64,").startswith("data:image/svg+xml;base64,")
        assert "url(" not in (attributes.get("style") or "")
    if svg := svg_of(html):
        tags = {node.tag.partition("}")[2] for node in ElementTree.fromstring(svg).iter()}
        assert tags <= {"svg", "style", "rect", "g", "path", "circle", "text"}
        assert "url(" not in svg
        assert "@import" not in svg
    assert len(html) < 400_000


def test_a_notebook_shows_the_map_and_the_cues() -> None:
    html = full()._repr_html_()
    svg = ElementTree.fromstring(svg_of(html))
    texts = {node.text for node in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert {"Stuttgart", "GERMANY"} <= texts
    assert html.count("<tr>") == 1 + len(full().cues)
    for cue in full().cues:
        assert cue.value in html
    assert "Linz, Oberösterreich, Austria" in html, "what the answer would be without the first cue"
    assert "Or else: " in html
    assert "Ring: picture only" in html


def test_a_hostile_answer_stays_text() -> None:
    best = Best(lat=48.0, lon=9.0, place=HOSTILE + "\ufffe", country="DE", precision="city")
    cues = [cue.model_copy(update={"value": HOSTILE, "says": HOSTILE, "kind": HOSTILE}) for cue in full().cues]
    answer = full(source=HOSTILE, best=best, cues=cues, warnings=[HOSTILE])
    html = answer._repr_html_()
    tags = [tag for tag, _ in Page(html).seen]
    assert tags.count("img") == 1
    assert "script" not in tags
    ElementTree.fromstring(svg_of(html))
    assert not re.search("[\u202e\u2066\u2028\x1b\ud800]", html + repr(answer))
    assert len(repr(answer).splitlines()) == 3
    Page(Answer.failed(HOSTILE, HOSTILE)._repr_html_())


def test_as_geojson_an_answer_is_one_feature() -> None:
    feature = full().to_geojson()
    assert feature["type"] == "Feature"
    assert feature["geometry"] == {"type": "Point", "coordinates": [9.1829, 48.7758]}
    assert feature["properties"]["estimate"] is True
    json.dumps(feature, allow_nan=False)
    assert nowhere().to_geojson()["geometry"] is None
    failed = Answer.failed("a.jpg", "no photo").to_geojson()
    assert (failed["geometry"], failed["properties"]["error"]) == (None, "no photo")
    assert "error" not in feature["properties"]


def test_answers_become_a_frame_of_points() -> None:
    pytest.importorskip("geopandas", reason="geopandas is not installed (pip install 'geoagent-photo[geo]')")
    made = [make() for make in ALL.values()]
    frame = geoagent.answers_to_frame(made)
    assert frame.crs == "OGC:CRS84"
    assert list(frame["source"]) == [row_of(answer).source for answer in made]
    for answer, row in zip(made, frame.itertuples(), strict=True):
        placed = row_of(answer)
        assert (row.geometry is None) == (placed.lat is None)
        if placed.lat is not None:
            assert (row.geometry.y, row.geometry.x) == (placed.lat, placed.lon) == (row.lat, row.lon)
        assert row.countries == dict(placed.countries)
        assert row.cues == placed.cues
    assert frame["lat"].dtype == "Float64"
    assert list(frame["status"]) == [answer.status for answer in made]
    assert len(geoagent.answers_to_frame([])) == 0


def test_answers_become_a_plain_frame() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed (pip install 'geoagent-photo[geo]')")
    frame = geoagent.answers_to_frame(iter([full(), nowhere()]), geometry=False)
    assert type(frame) is pandas.DataFrame
    assert "geometry" not in frame
    assert frame["lat"].isna().tolist() == [False, True]


def test_a_comparison_names_the_position_in_the_file() -> None:
    from geoagent.answer import ExifGps
    from geoagent.interfaces.render.text import comparison_text

    gps = ExifGps(lat=64.15, lon=-21.94, distance_km=2350.0, place="Reykjavík, Iceland")
    console = Console(width=80, file=io.StringIO())
    console.print(comparison_text(full(exif_gps=gps)))
    text = " ".join(console.file.getvalue().split())
    assert "The file says Reykjavík, Iceland (64.1500° N, 21.9400° W), 2,350 km from the answer: not used" in text
