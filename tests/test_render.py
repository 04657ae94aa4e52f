"""Answers as map page, marked photo and terminal text."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import io
import json
import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from answers import (
    ALL,
    HOSTILE,
    OUTLINES,
    country_only,
    error,
    fiji,
    full,
    hostile,
    no_cues,
    nowhere,
    partial,
    photo,
)
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console

import geoagent.interfaces.render.annotate as annotate_module
from geoagent.answer import Answer, UnreadReport
from geoagent.errors import InputError
from geoagent.interfaces.render import coordinates_text, cue_colours, km_text, nats_text, percent_text, shown
from geoagent.interfaces.render.annotate import annotate, drawable
from geoagent.interfaces.render.map import answer_view, map_html
from geoagent.interfaces.render.report import report_html
from geoagent.interfaces.render.text import answer_text
from geoagent.types import Photo


class Page(html.parser.HTMLParser):
    """What a parser makes of the page: elements, their attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[str, dict[str, str | None], str]] = []
        self.open: tuple[str, dict[str, str | None]] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open = (tag, dict(attrs)) if tag in ("script", "style") else None

    def handle_data(self, data: str) -> None:
        if self.open:
            self.raw.append((*self.open, data))
            self.open = None

    @property
    def data(self) -> Any:
        return json.loads(next(text for _, attrs, text in self.raw if attrs.get("id") == "data"))

    @property
    def policy(self) -> str:
        return next(a["content"] or "" for t, a in self.tags if a.get("http-equiv") == "Content-Security-Policy")


def page(answer: Answer | list[Answer], **options: Any) -> Page:
    return Page(map_html(answer, outlines=OUTLINES, **options))


# --- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("km", "text"),
    [
        (0.0, "<10 m"),
        (0.12, "120 m"),
        (0.999, "1.0 km"),
        (8.44, "8.4 km"),
        (46.0, "46 km"),
        (1240.3, "1,240 km"),
        (None, "–"),
    ],
)
def test_distances_read_as_people_say_them(km: float | None, text: str) -> None:
    assert km_text(km) == text


def test_probabilities_never_claim_certainty() -> None:
    assert [percent_text(p) for p in (0.9999, 0.5, 0.0001, 0.0, None, float("nan"))] == [
        ">99 %",
        "50 %",
        "<1 %",
        "0 %",
        "–",
        "–",
    ]


def test_coordinates_have_no_more_digits_than_the_radius_deserves() -> None:
    assert coordinates_text(-33.91234, 18.61234, 310) == "33.9° S, 18.6° E"
    assert coordinates_text(-33.91234, 18.61234, 0.2) == "33.9123° S, 18.6123° E"
    assert coordinates_text(None, None, 1) == ""


def test_nats_carry_their_sign() -> None:
    assert [nats_text(n) for n in (4.21, -0.55, 0.02, -0.02)] == ["+4.2", "−0.6", "0.0", "0.0"]


@given(st.text())
def test_shown_text_has_no_control_or_direction_marks_and_is_one_line(text: str) -> None:
    seen = shown(text)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]", seen)
    seen.encode()
    assert shown(seen) == seen


def test_joiners_that_scripts_need_are_kept() -> None:
    assert shown("می\u200cخواهم 👩\u200d🌾") == "می\u200cخواهم 👩\u200d🌾"


def test_cues_that_favour_one_place_share_a_colour() -> None:
    phone, language, company, postcode = cue_colours(full().cues)
    assert phone == postcode
    assert len({phone, language, company}) == 3


# --- the map page ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ALL))
def test_page_names_its_own_script_and_style_and_nothing_else(name: str) -> None:
    got = page(ALL[name]())
    scripts = [text for tag, attrs, text in got.raw if tag == "script" and "type" not in attrs]
    styles = [text for tag, _, text in got.raw if tag == "style"]
    assert len(scripts) == len(styles) == 1
    for directive, text in (("script-src", scripts[0]), ("style-src", styles[0])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in got.policy
    assert got.policy.startswith("default-src 'none';")
    assert "unsafe" not in got.policy
    assert not [attrs for tag, attrs in got.tags if tag in ("link", "iframe", "object", "embed", "form")]
    assert not [attrs for _, attrs in got.tags if any(key.startswith("on") or key == "style" for key in attrs)]
    assert not [attrs for tag, attrs in got.tags if "src" in attrs]


def test_no_string_of_an_answer_becomes_markup() -> None:
    plain, attacked = page(full()), page(hostile())
    assert [tag for tag, _ in attacked.tags] == [tag for tag, _ in plain.tags]
    assert attacked.data["answers"][0]["cues"][0]["value"] == shown(HOSTILE)
    text = map_html(hostile(), outlines=OUTLINES)
    assert "\u2028" not in text
    assert "<img" not in text
    text.encode()


@given(st.text(alphabet=st.sampled_from("<>&\"'/!-{}$\\\u2028\u2029scriptdata \u0000"), max_size=60))
def test_the_data_block_survives_any_text(text: str) -> None:
    got = page(full(source=text, explanation=text, warnings=[text]))
    assert got.data["answers"][0]["source"] == shown(text)
    assert [tag for tag, _ in got.tags].count("script") == 2


@pytest.mark.slow
def test_page_is_small_with_a_photo_and_busy_outlines() -> None:
    rng = np.random.default_rng(1)
    angle = np.linspace(0, 2 * np.pi, 20_000)
    radius = 20 + rng.normal(0, 0.3, angle.size)
    ring = np.column_stack([10 + radius * np.cos(angle), 30 + radius * np.sin(angle)])
    feature = {
        "type": "Feature",
        "properties": {"country": "DE"},
        "geometry": {"type": "Polygon", "coordinates": [ring.tolist()]},
    }
    busy = {"type": "FeatureCollection", "features": [feature] * 8}
    noise = Photo(rng.integers(0, 255, (1600, 1200, 3), dtype=np.uint8))
    text = map_html(full(), outlines=busy, photo=noise)
    assert len(text.encode()) <= 1_200_000
    assert len(Page(text).data["countries"]) == 8


def test_embedded_photo_is_small_and_says_nothing_but_its_pixels() -> None:
    seen = page(full(), photo=photo(1800, 1200, scale=0.5)).data["answers"][0]["photo"]
    image = Image.open(io.BytesIO(base64.b64decode(seen["src"].removeprefix("data:image/jpeg;base64,"))))
    assert max(image.size) == 900
    assert not image.getexif()
    assert (seen["width"], seen["height"]) == (900, 600)  # upright original, in which the regions are measured


def test_what_the_precision_hides_is_not_in_the_page() -> None:
    best = page(country_only()).data["answers"][0]["best"]
    assert best["lat"] is best["lon"] is best["r50"] is best["r90"] is None
    assert best["coordinates"] == ""
    assert best["country"] == "DE"


def test_several_answers_share_one_page() -> None:
    got = page([full(), error(), fiji()], photo=[photo(), None, None]).data
    assert [a["status"] for a in got["answers"]] == ["ok", "error", "ok"]
    assert [a["photo"] is None for a in got["answers"]] == [False, True, True]


def test_outlines_decode_to_what_was_given() -> None:
    countries = dict(map(tuple, page(full()).data["countries"]))
    assert set(countries) == {"DE", "AT", "CH", "FJ", "TD", "AQ", "NZ"}
    assert len(countries["NZ"]) == 2
    assert decode(countries["CH"][0]) == [(6.0, 46.2), (9.0, 46.0), (10.4, 46.9), (8.5, 47.7), (6.0, 46.2)]


def test_a_ring_that_jumps_over_the_date_line_runs_past_it() -> None:
    east = [lon for lon, _ in decode(dict(map(tuple, page(fiji()).data["countries"]))["FJ"][0])]
    assert max(abs(b - a) for a, b in pairwise(east)) < 10
    assert max(east) == 180.5


def test_a_ring_around_the_pole_stays_as_it_is() -> None:
    assert len(decode(dict(map(tuple, page(fiji()).data["countries"]))["AQ"][0])) == 6
    assert {lon for lon, _ in decode(dict(map(tuple, page(fiji()).data["countries"]))["AQ"][0])} == {-180.0, 0.0, 180.0}


def test_cells_are_kept_by_probability() -> None:
    square = [[(9, 48), (10, 48), (10, 49), (9, 49), (9, 48)]]
    cells = page(full(), cells=[(square, 0.2), (square, 0.7), (square, 1e-9)]).data["cells"]
    assert [p for p, _ in cells] == [0.7, 0.2]


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InputError, match="at least one answer"):
        map_html([], outlines=OUTLINES)
    with pytest.raises(InputError, match="2 answers and 1 photos"):
        map_html([full(), fiji()], outlines=OUTLINES, photo=photo())
    with pytest.raises(InputError, match="cells belong to one answer"):
        map_html([full(), fiji()], outlines=OUTLINES, cells=[])
    with pytest.raises(InputError, match="FeatureCollection"):
        map_html(full(), outlines={"type": "Point"})


def decode(text: str) -> list[tuple[float, float]]:
    """The published inverse of the encoded polyline, written apart from the code under test."""
    values, value, shift = [], 0, 0
    for sign in text:
        bits = ord(sign) - 63
        value |= (bits & 31) << shift
        shift += 5
        if bits < 32:
            values.append(~(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    steps = np.array(values).reshape(-1, 2).cumsum(axis=0) / 100
    return [(float(x), float(y)) for x, y in steps]


@pytest.mark.parametrize("scheme", [0, 1])
def test_words_stand_out_from_what_is_behind_them(scheme: int) -> None:
    """WCAG 2 contrast of at least 4.5 : 1, by day and by night."""
    style = next(text for tag, _, text in page(full()).raw if tag == "style")
    block = re.findall(r":root \{(.*?)\}", style, re.S)[scheme]
    colours = dict(re.findall(r"--(\w+): (#\w{6})", block))

    def light(name: str) -> float:
        channels = [int(colours[name][i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for front, back in (
        ("ink", "bg"), ("muted", "bg"), ("muted", "soft"), ("warn", "warnbg"), ("label", "land"), ("best", "bg"),
        ("vision", "bg"), ("text", "bg"), ("file", "bg"), ("ink", "sea"),
    ):  # fmt: skip
        high, low = sorted((light(front), light(back)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, (front, back)


# --- the marked photo ------------------------------------------------------------------------------------------------


def near(image: Image.Image, colour: str, box: tuple[int, int, int, int]) -> int:
    """How many pixels of `box` have nearly this colour."""
    want = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    part = np.asarray(image.crop(box)).astype(int)
    return int((np.abs(part - want).max(axis=2) < 12).sum())


def test_only_regions_that_counted_are_marked() -> None:
    answer, shot = full(), photo()
    marked = annotate(shot, answer)
    zoom = marked.width / shot.width_px
    assert marked.width == 900
    colours = cue_colours(answer.cues)
    for index, cue in ((1, 0), (0, 1), (3, 2)):
        (x0, y0), _, (x1, y1), _ = answer.regions[index].polygon_px
        box = tuple(round(v * zoom) for v in (x0 - 4, y0 - 4, x1 + 4, y1 + 4))
        assert near(marked, colours[cue], box) > 500  # type: ignore[arg-type]
    (x0, y0), _, (x1, y1), _ = answer.regions[4].polygon_px
    silent = tuple(round(v * zoom) for v in (x0 - 4, y0 - 4, x1 + 4, y1 + 4))
    assert sum(near(marked, colour, silent) for colour in colours) == 0  # type: ignore[arg-type]


def test_text_that_could_not_be_read_is_boxed_everywhere() -> None:
    corners = [(400.0, 20.0), (600.0, 20.0), (600.0, 60.0), (400.0, 60.0)]
    answer = full(unread=[UnreadReport(polygon_px=corners)], warnings=["1 place with text could not be read"])
    marked, plain = annotate(photo(), answer), annotate(photo(), full())
    zoom = marked.width / 640
    edge = (round(400 * zoom), round(20 * zoom) - 2, round(600 * zoom), round(20 * zoom) + 3)
    assert near(marked, "#ffffff", edge) > 100 > near(plain, "#ffffff", edge)
    assert marked.height > plain.height  # the legend explains it
    assert answer_view(answer)["unread"] == [[[x, y] for x, y in corners]]
    document = report_html(answer, photo=photo(), outlines=OUTLINES, command="")
    assert document.count('class="unread"') == 1
    assert document.count("text that could not be read") == 2
    assert 'class="unread"' not in report_html(full(), photo=photo(), outlines=OUTLINES, command="")
    console = Console(width=100, file=io.StringIO())
    console.print(answer_text(answer))
    assert "1 place with text could not be read" in console.file.getvalue()


def test_polygons_are_scaled_from_the_upright_original() -> None:
    whole, reduced = annotate(photo(), full()), annotate(photo(320, 240, scale=2.0), full())
    colour = cue_colours(full().cues)[0]
    box = (90, 190, 640, 275)
    assert near(whole, colour, box) == pytest.approx(near(reduced, colour, box), rel=0.05)


@pytest.mark.parametrize("name", sorted(ALL))
@pytest.mark.parametrize("size", [(640, 480), (48, 64), (1200, 90)])
def test_every_answer_can_be_marked(name: str, size: tuple[int, int]) -> None:
    marked = annotate(Photo(np.zeros((size[1], size[0], 3), dtype=np.uint8)), ALL[name]())
    assert marked.mode == "RGB"
    assert max(marked.width, round(marked.width * size[1] / size[0])) >= 900
    assert marked.height > marked.width * size[1] / size[0]  # there is a legend


@pytest.mark.parametrize("word", ["Москва", "Αθήνα", "武汉市", "서울", "القاهرة", "กรุงเทพ", "தமிழ்", "አዲስ"])
def test_no_script_becomes_boxes(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, font = drawable(word, 24)
    missing = bytes(font.getmask("\U0010fffe"))
    assert all(bytes(font.getmask(sign)) != missing for sign in text)
    monkeypatch.setattr(annotate_module, "_font_files", lambda: ())
    latin, font = drawable(word, 24)
    assert latin.isascii()
    assert latin.strip()


# --- the terminal ----------------------------------------------------------------------------------------------------


def printed(answer: Answer, columns: int = 80, **options: Any) -> str:
    console = Console(width=columns, file=io.StringIO(), color_system=None, legacy_windows=False)
    console.print(answer_text(answer, **options))
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


@pytest.mark.parametrize("name", sorted(ALL))
@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    text = printed(ALL[name](), width, compare=True)
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text


def test_headline_cues_and_checks_are_there() -> None:
    text = printed(full(), 160)
    for part in (
        "Stuttgart, Baden-Württemberg, Germany", "90 % within 46 km of 48.776° N, 9.183° E, 50 % within 8.4 km",
        "96 % sure of Germany", "Why: the telephone number “+49 711”", "+4.2", "−0.6",
        "Without it: Linz, Oberösterreich, Austria.",
        "The picture alone says Linz, Austria; with the text it is Stuttgart, Germany.", "Mannheim",
        "860 m from the answer: not used", "text below 12 px was not read",
    ):  # fmt: skip
        assert part in text


def test_comparison_is_shown_when_asked_for() -> None:
    assert "text only" not in printed(full())
    text = printed(full(), compare=True)
    assert re.search(r"picture only +Linz, Oberösterreich, Austria +31 % +210 km +840 km", text)
    assert re.search(r"text only +Stuttgart", text)
    assert re.search(r"picture only +not available", printed(partial(), compare=True))


def test_markup_in_a_sign_is_text() -> None:
    text = printed(hostile(), 200)
    assert "[bold]x[/bold]" in text
    assert "\u202e" not in text


def test_error_partial_and_wordless_answers_say_so() -> None:
    assert "no answer: broken.jpg: not a photo" in printed(error())
    assert "partial" in printed(partial())
    assert "No text cue contributed" in printed(no_cues())
    wordy = no_cues().model_copy(update={"regions": full().regions})
    assert "Bäckerei Müller" in printed(wordy)


def test_hidden_radii_are_not_printed() -> None:
    text = printed(country_only(), compare=True)
    assert "within" not in text
    assert "<10 m" not in text


def test_an_answer_that_names_no_place_gives_none() -> None:
    text = printed(nowhere(), compare=True)
    assert "No place can be named" in text
    assert "the likeliest country, the United States, has 9 %" in " ".join(text.split())
    assert "40.7" not in text
    best = page(nowhere()).data["answers"][0]["best"]
    assert best["lat"] is best["r50"] is None
    assert best["place"] == best["coordinates"] == ""


def test_width_is_obeyed() -> None:
    assert max(map(len, printed(full(), 120, width=60).rstrip().splitlines())) <= 60
