"""The report: one file, without script, that shows what the answer discloses and no more."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import re
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from answers import ALL, HOSTILE, OUTLINES, country_only, error, fiji, full, hostile, no_cues, nowhere, photo
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from geoagent.agent.disclosure import disclose
from geoagent.answer import Answer, Comparison, LlmReport
from geoagent.errors import InputError
from geoagent.interfaces.cli import main
from geoagent.interfaces.render import shown
from geoagent.interfaces.render._chart import HEIGHT, WIDTH, Pin, chart
from geoagent.interfaces.render._html import markup
from geoagent.interfaces.render.report import report_html
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.geo import LatLon

KOELN = Path(__file__).resolve().parents[1] / "examples" / "photos" / "de_koeln.jpg"


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


def report(answer: Answer, **options: Any) -> str:
    return report_html(answer, **{"photo": None, "outlines": OUTLINES, "command": "geoagent locate x.jpg", **options})


class Page(html.parser.HTMLParser):
    """What a parser makes of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.style = self.text = ""
        self._in_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.style += data
        else:
            self.text += data


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_answer_is_one_page_that_runs_nothing_and_asks_nobody(name: str) -> None:
    page = Page(report(ALL[name](), photo=photo()))
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "iframe", "object", "embed", "link", "form", "base", "img", "foreignobject", "use"}
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "srcset")], tag
        assert "href" not in attributes or (tag == "image" and attributes["href"].startswith("data:image/jpeg;base64,"))
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv"))
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert policy is not None
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "url(" not in page.style
    assert "@import" not in page.style
    assert sum(tag == "h1" for tag, _ in page.tags) == 1


def test_what_a_stranger_wrote_stays_text() -> None:
    bad = hostile()
    page = Page(report(bad, photo=photo(), command=HOSTILE, card={HOSTILE: [HOSTILE]}, digest=HOSTILE))
    known = {tag for name in ("full", "partial", "nowhere") for tag, _ in Page(report(ALL[name](), photo=photo())).tags}
    assert {tag for tag, _ in page.tags} <= known
    assert page.text.count(shown(HOSTILE).split("{{")[0].strip()) >= 8
    assert "\u202e" not in page.text
    assert "{{" in page.text  # a placeholder of theirs is not filled


@given(st.text(max_size=60))
def test_any_text_survives_as_itself(text: str) -> None:
    cue = full().cues[0].model_copy(update={"value": text, "says": text})
    page = Page(report(full(cues=[cue], source=text, regions=[])))
    assert page.text.count(shown(text).strip()) >= 2 or not shown(text).strip()
    assert not [tag for tag, _ in page.tags if tag in ("script", "img")]


def test_an_editor_finds_everything(gazetteer: Gazetteer) -> None:
    text = Page(
        report(
            full(), photo=photo(), gazetteer=gazetteer, card={"figures": {"median_km": 12}}, digest="ab" * 32,
            command="geoagent locate 'my photo.jpg' --within DE", made=date(2026, 3, 9),
        )
    ).text  # fmt: skip
    for part in (
        "Stuttgart, Baden-Württemberg, Germany", "8.4 km", "46 km", "96 %", "48.776° N", "+49 711", "+4.2", "−0.6",
        "Calling code +49", "Without it: Linz, Oberösterreich, Austria", "Picture only", "Text only",
        "Picture and text", "210 km / 840 km", "Mannheim", "Zürich",
        "text below 12 px", "Bäckerei Müller", "48.7834° N", "860 m",
        "never evidence", "not a proof", "9f31c2d4", "rapidocr", "median_km", "ab" * 32, "9 March 2026",
        "geoagent locate 'my photo.jpg' --within DE", "Nuremberg",
    ):  # fmt: skip
        assert part in text, part


def test_an_error_and_an_answer_without_a_place_are_told_as_such() -> None:
    assert "truncated JPEG" in Page(report(error())).text
    assert "No place can be named" in Page(report(nowhere())).text
    assert "7,121" not in Page(report(nowhere())).text  # what hides the place hides how near it is


def test_a_capped_report_tells_no_more_than_the_answer(gazetteer: Gazetteer) -> None:
    capped = disclose(full(), "country", gazetteer)
    page = report(capped, gazetteer=gazetteer, outlines=gazetteer.outlines())
    words = "Stuttgart, Mannheim, Linz, Württemberg, +49 711, 70173, Brezeln, 48.7758, 9.1829, image/jpeg"
    for word in words.split(", "):
        assert word not in page, word
    assert "hidden by max_precision" in page
    assert "Coordinates are not shown" in Page(report(country_only())).text


def test_outlines_must_be_outlines() -> None:
    with pytest.raises(InputError, match="FeatureCollection"):
        report(full(), outlines={"type": "Polygon"})


def at(svg: str, kind: str) -> tuple[float, float]:
    x, y = re.search(rf'transform="translate\(([-\d.]+) ([-\d.]+)\)" class="pin {kind}"', svg).groups()
    return float(x), float(y)


@given(st.floats(-85, 85), st.floats(-180, 179.9), st.floats(0, 359), st.floats(20, 230))
def test_distances_from_the_place_are_true_anywhere(lat: float, lon: float, bearing: float, km: float) -> None:
    import math

    there = math.degrees(km / 6371.0088)
    lat2 = lat + there * math.cos(math.radians(bearing))
    lon2 = lon + there * math.sin(math.radians(bearing)) / max(0.05, math.cos(math.radians(lat)))
    if abs(lat2) > 89:
        return
    middle, other = LatLon(lat, lon), LatLon(lat2, (lon2 + 180) % 360 - 180)
    if middle.distance_km(other) > 240:
        return
    svg = markup(chart({"features": []}, [Pin("best", middle), Pin("file", other)], shares={}, radii_km=(50.0, 100.0)))
    per_km = float(re.search(r'class="r50" cx="[\d.]+" cy="[\d.]+" r="([\d.]+)"', svg).group(1)) / 50
    (x, y), (x2, y2) = at(svg, "best"), at(svg, "file")
    assert math.hypot(x2 - x, y2 - y) / per_km == pytest.approx(middle.distance_km(other), abs=1.0, rel=0.01)
    if abs(lat2 - lat) > 0.1:
        assert (y2 < y) == (lat2 > lat) or abs(lat) > 80


def paths(svg: str) -> list[list[tuple[float, float]]]:
    return [
        [tuple(map(float, point.split())) for point in path.rstrip("Z").lstrip("M").split("L")]
        for d in re.findall(r'class="land" d="([^"]+)"', svg)
        for path in d.split("Z")
        if path
    ]


def test_both_sides_of_the_date_line_are_one_map() -> None:
    svg = markup(chart(OUTLINES, [Pin("best", LatLon(-17.5, 179.9))], shares={"FJ": 0.9}, radii_km=(50.0, 150.0)))
    near = [p for path in paths(svg.split('class="globe"')[0]) for p in path]
    assert min(x for x, _ in near) < WIDTH / 2 < max(x for x, _ in near)


@pytest.mark.parametrize(
    "place", [(0.0, -140.0), (-38.0, -122.0), (40.0, -40.0), (-36.5, -57.0), (-89.0, 20.0), (89.5, 0.0)]
)
def test_no_country_is_turned_inside_out(place: tuple[float, float], gazetteer: Gazetteer) -> None:
    """A ring around the antipode would fill the map; at sea nothing may."""
    svg = markup(chart(gazetteer.outlines(), [Pin("best", LatLon(*place))], shares={}, radii_km=(5.0, 9.0)))
    for path in paths(svg.split('class="globe"')[0]):
        xs, ys = zip(*path, strict=True)
        covers = min(xs) < 0 and max(xs) > WIDTH and min(ys) < 0 and max(ys) > HEIGHT
        assert not covers or place[0] == -89.0  # that one stands in Antarctica


def run(*args: object) -> Any:
    return CliRunner().invoke(main, [str(a) for a in args])


def test_the_command_line_writes_a_report_with_a_command_that_is_right(tmp_path: Path) -> None:
    out = tmp_path / "sub" / "report.html"
    done = run("locate", KOELN, "--report", out, "--no-text", "--hint", "near Köln's cathedral", "--compare")
    assert done.exit_code == 0, done.output
    page = Page(out.read_text("utf-8"))
    assert str(KOELN.parent) not in page.text  # where it lies is nobody's business
    assert f"geoagent locate {KOELN.name} --hint 'near Köln'\"'\"'s cathedral' --no-text" in page.text
    assert hashlib.sha256(KOELN.read_bytes()).hexdigest() in page.text
    assert "the prior of where people and photos are" in page.text  # the world's card
    assert [p.name for p in out.parent.iterdir()] == ["report.html"]


def test_a_capped_report_hides_the_photo_and_what_the_user_said(tmp_path: Path) -> None:
    shutil.copy(KOELN, tmp_path / "a.jpg")
    out = tmp_path / "report.html"
    done = run("locate", tmp_path / "a.jpg", "--report", out, "--max-precision", "country", "--hint", "near Köln")
    assert done.exit_code == 0, done.output
    text = out.read_text("utf-8")
    for word in (
        "Köln",
        "image/jpeg",
        "Ehrenstra",
        "50672",
        "Westphalia",
        hashlib.sha256(KOELN.read_bytes()).hexdigest(),
    ):
        assert word not in text, word
    assert "--hint '…'" in Page(text).text


def test_a_report_is_about_one_photo(tmp_path: Path) -> None:
    assert run("locate", KOELN, KOELN.with_name("no_text.jpg"), "--report", tmp_path / "r.html").exit_code == 2
    (tmp_path / "bad.jpg").write_text("no photo")
    assert run("locate", tmp_path / "bad.jpg", "--report", tmp_path / "r.html").exit_code == 1
    assert not (tmp_path / "r.html").exists()


def test_colours_have_contrast() -> None:
    style = Page(report(full())).style
    ink = {name: value for name, value in re.findall(r"--(\w+): (#\w{6})", style)}

    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    def contrast(a: str, b: str) -> float:
        bright, dark = sorted((light(ink[a]), light(ink[b])), reverse=True)
        return (bright + 0.05) / (dark + 0.05)

    for front, back in (("ink", "soft"), ("muted", "soft"), ("warn", "warnbg"), ("town", "land"), ("town", "sea")):
        assert contrast(front, back) >= 4.5, (front, back)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_shows_every_report_without_a_complaint(browser: Any, width: int, tmp_path: Path) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda problem: said.append(str(problem)))
    page.on("request", lambda request: asked.append(request.url))
    for name in sorted(ALL):
        file = tmp_path / f"{name}.html"
        file.write_text(report(ALL[name](), photo=photo(), gazetteer=None), encoding="utf-8")
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert page.locator("h1").is_visible()
        assert page.evaluate("window.pwned") is None
        assert page.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor") == "rgb(255, 255, 255)"
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    page.close()


def test_a_printed_report_keeps_its_figures(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(report(full(), photo=photo()), encoding="utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())
    page.emulate_media(media="print")
    assert page.locator("figure svg.picture").is_visible()
    assert page.locator("figure svg.chart").is_visible()
    sheets = page.pdf(format="A4").count(b"/Type /Page\n")
    assert 1 < sheets < 8
    page.close()


def test_reports_of_answers_without_parts_are_whole() -> None:
    assert "No text cue contributed" in Page(report(no_cues())).text
    assert "90 % within" in Page(report(fiji())).text


def test_what_a_model_and_an_encoder_did_is_accounted_for() -> None:
    llm = LlmReport(
        model="qwen3", prompts=["constraints.v1"], calls=2, cached=1, repaired=0, failed=0, modes=["json"],
        input_tokens=1234, output_tokens=56, tokens_estimated=False, cost_usd=None, languages=[], observations=[],
        notes=[], dropped=3, redacted=4, withheld=1,
    )  # fmt: skip
    world = {"name": "mine", "cells": 2076, "encoder": "open_clip"}
    text = Page(report(full(llm=llm, world=world))).text
    for part in (
        "qwen3) was asked 2 times",
        "3 of its candidates",
        "4 stretches",
        "constraints.v1",
        "1,234 in, 56 out",
    ):
        assert part in text, part
    assert "An image encoder (open_clip)" in text
    assert "2,076 cells" in text
    assert "not judged" not in text
    assert "8 known places, the heaviest of them places/stuttgart-0 (30 %)" in text
    alone = Page(report(full())).text
    assert "language model" not in alone.lower()
    assert "The picture itself was not judged" in alone


def test_a_conflict_of_picture_and_text_is_told() -> None:
    told = Comparison(
        changed="country",
        moved_km=9000.0,
        divergence_nats=0.69,
        agreement_nats=-4.2,
        conflict=True,
        says="Picture and text disagree: two places explain them 67 times better than one.",
    )
    page = report(full().model_copy(update={"comparison": told}))
    assert "two places explain them 67 times better than one. (agreement −4.2 nats)" in page
    assert "disagree" not in report(full())
