"""Answers as CSV, GeoJSON, GeoParquet and XMP: written so that other programs read the same, and nothing is lost."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sqlite3
import subprocess
import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import shapely
from answers import ALL, HOSTILE, STUTTGART, country_only, error, fiji, full, nowhere
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from geoagent.answer import CuePlace
from geoagent.errors import InputError, MissingDependency
from geoagent.evidence.photos import what_it_says
from geoagent.interfaces import outputs
from geoagent.interfaces.outputs import Row, exiftool, geojson, row_of, xmp
from geoagent.interfaces.outputs import csv as csv_format
from geoagent.interfaces.outputs._row import plain

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    " =1+1",
    '=HYPERLINK("http://x","y")',
    "'=1",
]
lats, lons = st.floats(-90, 90), st.floats(-180, 180)
texts = st.text(max_size=30)
rows = st.builds(
    Row,
    source=texts.map(plain), lat=lats, lon=lons, place=texts.map(plain), admin1=st.none() | texts.map(plain),
    country=st.sampled_from(["DE", "FJ"]), precision=st.sampled_from(["region", "city", "full"]),
    radius_50_km=st.floats(0.1, 9000), radius_90_km=st.floats(0.1, 20000), confidence=st.floats(0, 1),
    cues=st.lists(texts.map(plain), max_size=3).map(tuple), warnings=st.lists(texts.map(plain), max_size=3).map(tuple),
)  # fmt: skip


@pytest.mark.parametrize("name", outputs.FORMATS)
def test_a_format_replaces_its_file_whole_and_says_what_it_cannot_write(name: str, tmp_path: Path) -> None:
    if name == "geoparquet":
        pytest.importorskip("geopandas", reason="geopandas is not installed (pip install 'geoagent-photo[geo]')")
    target = tmp_path / "new" / f"a.{name}"
    table = [row_of(make()) for make in ALL.values()]
    assert outputs.write(name, table, target) == len(table) - {"csv": 0, "gpx": 3, "kml": 3}.get(name, 1)
    first = target.read_bytes()
    outputs.write(name, table[:1], target)
    assert target.read_bytes() != first
    assert [p.name for p in target.parent.iterdir()] == [target.name]
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        outputs.write(name, table, tmp_path / "file" / "a")
    outputs.write(name, [], target)  # no answers, but a file that can be read


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="csv, geojson, geoparquet"):
        outputs.write("shp", [], tmp_path / "a.shp")


def test_a_row_holds_what_the_answer_discloses() -> None:
    row = row_of(full())
    assert (row.lat, row.lon, row.place, row.country, row.precision) == (48.7758, 9.1829, "Stuttgart", "DE", "city")
    assert row.countries[0] == ("DE", 0.958)
    assert row.world_fingerprint == "9f31c2d4"
    assert row.version == "0.1.0"
    blank = row_of(nowhere())
    assert blank.precision == "none"
    assert (blank.lat, blank.place, blank.country, blank.radius_50_km) == (None, None, None, None)
    assert row_of(country_only()).radius_50_km is None
    assert row_of(error()).error is not None


@pytest.mark.parametrize(("lat", "lon"), [(float("nan"), 1.0), (91.0, 0.0), (0.0, 181.0), (float("inf"), 0.0)])
def test_an_impossible_position_is_none(lat: float, lon: float) -> None:
    answer = full()
    row = row_of(answer.model_copy(update={"best": answer.best.model_copy(update={"lat": lat, "lon": lon})}))
    assert (row.lat, row.lon, row.radius_50_km) == (None, None, None)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding=csv_format.ENCODING, newline="") as file:
        return list(csv.DictReader(file))


@given(texts)
def test_a_guarded_cell_begins_no_formula_and_can_be_unguarded(text: str) -> None:
    cell = csv_format.guarded(text)
    assert csv_format.unguarded(cell) == text
    assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    assert not cell.startswith(("\t", "\r", "\n"))


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_are_guarded_wherever_a_stranger_writes(text: str, tmp_path: Path) -> None:
    row = Row(text, place=text, admin1=text, cues=(text,), warnings=(text,), explanation=text, lat=-33.5, lon=-0.25)
    csv_format.write([row, replace(row, status="error", error=text)], tmp_path / "a.csv")
    good, bad = read_csv(tmp_path / "a.csv")
    for column in ("source", "place", "admin1", "cues", "warnings", "explanation"):
        assert good[column] == f"'{text}"
    assert bad["error"] == f"'{text}"
    assert (float(good["lat"]), float(good["lon"])) == (-33.5, -0.25)  # a minus of a number is none


@given(st.lists(rows, max_size=4))
def test_csv_reads_back(table: list[Row]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        csv_format.write(table, Path(folder) / "a.csv")
        found = read_csv(Path(folder) / "a.csv")
    assert len(found) == len(table)
    for row, cells in zip(table, found, strict=True):
        assert csv_format.unguarded(cells["source"]) == row.source
        assert csv_format.unguarded(cells["place"]) == row.place
        assert csv_format.unguarded(cells["admin1"]) == (row.admin1 or "")
        assert float(cells["lat"]) == row.lat
        assert float(cells["radius_90_km"]) == row.radius_90_km
        assert csv_format.unguarded(cells["cues"]) == "; ".join(row.cues)


def test_csv_keeps_errors_and_begins_with_a_mark(tmp_path: Path) -> None:
    csv_format.write([row_of(error()), row_of(fiji())], tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbfsource,id,status")
    bad, good = read_csv(tmp_path / "a.csv")
    assert "truncated" in bad["error"]
    assert bad["lat"] == ""
    assert good["place"] == "Labasa"


@given(st.lists(rows, max_size=4))
def test_geojson_reads_back_lon_first(table: list[Row]) -> None:
    read = json.loads(json.dumps(geojson.feature_collection(table), allow_nan=False))
    assert read["type"] == "FeatureCollection"
    for row, feature in zip(table, read["features"], strict=True):
        assert feature["geometry"] == {"type": "Point", "coordinates": [row.lon, row.lat]}
        assert feature["properties"]["radius_50_km"] == row.radius_50_km
        assert feature["properties"]["estimate"] is True
        assert feature["properties"]["place"] == row.place


def test_geojson_has_no_errors_and_no_place_for_what_names_none() -> None:
    read = geojson.feature_collection([error(), nowhere(), country_only(), full()])
    assert [f["geometry"] for f in read["features"][:2]] == [None, None]
    assert read["features"][2]["geometry"]["coordinates"] == [9.1829, 48.7758]
    assert read["features"][2]["properties"]["countries"]["DE"] == 0.958
    assert read["geoagent"]["version"]


def test_gis_programs_read_our_geojson(tmp_path: Path) -> None:
    geopandas = pytest.importorskip(
        "geopandas", reason="geopandas is not installed (pip install 'geoagent-photo[geo]')"
    )
    assert geojson.write([row_of(make()) for make in ALL.values()], tmp_path / "a.geojson") == len(ALL) - 1
    frame = geopandas.read_file(tmp_path / "a.geojson")
    assert frame.crs.to_epsg() == 4326
    there = frame[frame["place"] == "Labasa"].iloc[0]
    assert (there.geometry.x, there.geometry.y) == (179.6, -16.8)


def test_geoparquet_reads_back(tmp_path: Path) -> None:
    geopandas = pytest.importorskip(
        "geopandas", reason="geopandas is not installed (pip install 'geoagent-photo[geo]')"
    )
    table = [row_of(make()) for make in ALL.values()]
    assert outputs.write("geoparquet", table, tmp_path / "a.parquet") == len(table) - 1
    frame = geopandas.read_parquet(tmp_path / "a.parquet")
    kept = [row for row in table if row.status != "error"]
    assert list(frame["source"]) == [row.source for row in kept]
    assert frame.crs == "OGC:CRS84"
    for row, point, cues in zip(kept, frame.geometry, frame["cues"], strict=True):
        assert (point is None) == (row.lat is None)
        assert point is None or (point.x, point.y) == (row.lon, row.lat)
        assert json.loads(cues) == list(row.cues)
    assert frame["radius_90_km"].dtype == "Float64"
    outputs.write("geoparquet", [], tmp_path / "none.parquet")
    assert len(geopandas.read_parquet(tmp_path / "none.parquet")) == 0


def features(path: Path) -> list[dict[str, Any]]:
    """Features of a GeoPackage, as the standard says that they are to be read."""
    with closing(sqlite3.connect(path)) as file:
        file.row_factory = sqlite3.Row
        assert file.execute("PRAGMA application_id").fetchone()[0] == 0x47504B47
        assert file.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert not file.execute("PRAGMA foreign_key_check").fetchall()
        ((table, column, kind, system),) = file.execute(
            "SELECT table_name, column_name, geometry_type_name, srs_id FROM gpkg_geometry_columns"
        ).fetchall()
        assert (table, column, kind, system) == ("photos", "geom", "POINT", 4326)
        return [dict(row) for row in file.execute(f"SELECT * FROM {table} ORDER BY fid")]


@given(st.lists(rows, max_size=4))
def test_geopackage_reads_back_lon_first(table: list[Row]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        assert outputs.write("gpkg", table, Path(folder) / "a.gpkg") == len(table)
        found = features(Path(folder) / "a.gpkg")
    for row, feature in zip(table, found, strict=True):
        assert feature["geom"][:8] == b"GP\x00\x01\xe6\x10\x00\x00"
        point = shapely.from_wkb(feature["geom"][8:])
        assert (point.x, point.y) == (row.lon, row.lat)
        assert (feature["source"], feature["place"], feature["estimate"]) == (row.source, row.place, 1)
        assert json.loads(feature["cues"]) == list(row.cues)


def test_geopackage_tells_its_extent_and_no_place_for_what_names_none(tmp_path: Path) -> None:
    table = [row_of(make()) for make in (error, nowhere, full, fiji)]
    assert outputs.write("gpkg", table, tmp_path / "a.gpkg") == 3
    assert [feature["geom"] is None for feature in features(tmp_path / "a.gpkg")] == [True, False, False]
    with closing(sqlite3.connect(tmp_path / "a.gpkg")) as file:
        box = file.execute("SELECT min_x, min_y, max_x, max_y FROM gpkg_contents").fetchone()
    assert box == (9.1829, -16.8, 179.6, 48.7758)
    outputs.write("gpkg", [], tmp_path / "none.gpkg")
    assert features(tmp_path / "none.gpkg") == []


@pytest.mark.parametrize("name", ["gpkg", "kml"])
def test_gis_programs_read_geopackage_and_kml(name: str, tmp_path: Path) -> None:
    geopandas = pytest.importorskip(
        "geopandas", reason="geopandas is not installed (pip install 'geoagent-photo[geo]')"
    )
    table = [row_of(full()), row_of(fiji())]
    assert outputs.write(name, table, tmp_path / f"a.{name}") == 2
    frame = geopandas.read_file(tmp_path / f"a.{name}")
    assert frame.crs.to_epsg() == 4326
    assert [(point.x, point.y) for point in frame.geometry] == [(9.1829, 48.7758), (179.6, -16.8)]


def test_kml_marks_every_place_as_an_estimate(tmp_path: Path) -> None:
    table = [row_of(make()) for make in ALL.values()]
    count = outputs.write("kml", table, tmp_path / "a.kml")
    space = "{http://www.opengis.net/kml/2.2}"
    marks = list(ElementTree.parse(tmp_path / "a.kml").getroot().iter(f"{space}Placemark"))
    assert len(marks) == count == sum(row.lat is not None for row in table)
    order = ["name", "description", "TimeStamp", "ExtendedData", "Point"]  # as the schema has them
    for mark in marks:
        tags = [node.tag.removeprefix(space) for node in mark]
        assert tags == [tag for tag in order if tag in tags]
        assert str(mark.findtext(f"{space}description")).startswith("estimate: ")
        data = {node.get("name"): node.findtext(f"{space}value") for node in mark.iter(f"{space}Data")}
        assert data["estimate"] == "true"
    assert marks[0].findtext(f"{space}Point/{space}coordinates") == "9.18290,48.77580"


def properties(text: str) -> dict[str, str]:
    """An XMP packet's simple properties by prefix and name."""
    names = {address: prefix for prefix, address in xmp.NAMESPACES.items()}
    root = ElementTree.fromstring(text.strip())
    found = {}
    for node in root.iter(xmp._name("rdf:Description")):
        for child in node:
            address, _, local = child.tag[1:].partition("}")
            found[f"{names[address]}:{local}"] = child.text or ""
    return found


def degrees(text: str) -> float:
    whole, minutes = text[:-1].split(",")
    return (-1 if text[-1] in "SW" else 1) * (int(whole) + float(minutes) / 60)


@given(lats, lons)
def test_positions_in_xmp_are_true_to_two_millimetres(lat: float, lon: float) -> None:
    north, east = xmp.gps_text(lat, "NS"), xmp.gps_text(lon, "EW")
    assert degrees(north) == pytest.approx(lat, abs=1e-8)
    assert degrees(east) == pytest.approx(lon, abs=1e-8)
    assert float(north[:-1].split(",")[1]) < 60
    assert float(east[:-1].split(",")[1]) < 60


@given(rows)
def test_a_sidecar_reads_back(row: Row) -> None:
    found = properties(xmp.sidecar(row, country_name="Land"))
    if row.radius_90_km < xmp.NEAR_KM:
        assert degrees(found["exif:GPSLatitude"]) == pytest.approx(row.lat, abs=1e-8)
        assert degrees(found["exif:GPSLongitude"]) == pytest.approx(row.lon, abs=1e-8)
    else:
        assert not [name for name in found if "itude" in name], "programs would show it as a point"
    assert found["Iptc4xmpCore:CountryCode"] == row.country
    assert found["photoshop:Country"] == "Land"
    if row.precision == "region":
        assert "photoshop:City" not in found
    elif row.place:
        assert found["photoshop:City"].split() == row.place.split()  # XML makes every line end a line feed
    assert found["geoagent:estimate"] == "True"
    assert float(found["geoagent:radius_50_km"]) == pytest.approx(row.radius_50_km)
    assert "ESTIMATED" in found["photoshop:Instructions"]


def photo(folder: Path, name: str = "photo.jpg", *, gps: bool = False, **options: Any) -> Path:
    image, exif = Image.new("RGB", (32, 24), "grey"), Image.Exif()
    exif[0x010F] = "Maker"
    if gps:
        d = [IFDRational(48), IFDRational(30), IFDRational(0)]
        block = exif.get_ifd(0x8825)
        block.update({1: "N", 2: tuple(d), 3: "E", 4: tuple(d)})
        exif[0x8825] = dict(block)  # Pillow's TIFF writer asks for both
    image.save(folder / name, exif=exif, **options)
    return folder / name


def test_a_sidecar_stands_beside_an_untouched_photo(tmp_path: Path) -> None:
    before = photo(tmp_path).read_bytes()
    done = xmp.write(
        row_of(full(source="photo.jpg")), folder=tmp_path, country_name=lambda code: {"DE": "Germany"}[code]
    )
    assert done.sidecar == tmp_path / "photo.jpg.xmp"
    assert (tmp_path / "photo.jpg").read_bytes() == before
    found = properties(done.sidecar.read_text("utf-8"))
    assert found["photoshop:City"] == "Stuttgart"
    assert found["photoshop:Country"] == "Germany"
    assert found["geoagent:world"] == "toy"
    assert found["geoagent:version"] == "0.1.0"
    assert found["geoagent:confidence"] == "0.958"
    assert found["exif:GPSHPositioningError"] == "46000/1"


@pytest.mark.parametrize("name", ["photo.jpg.xmp", "photo.xmp", "photo.jpg.XMP"])
def test_a_sidecar_that_exists_is_left_as_it_is(name: str, tmp_path: Path) -> None:
    row = row_of(full(source=str(photo(tmp_path))))
    (tmp_path / name).write_text("mine")
    done = xmp.write(row, over_gps=True)
    assert done.sidecar is None
    assert name in done.reason
    assert (tmp_path / name).read_text() == "mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["photo.jpg", name])


def test_a_link_that_leads_nowhere_is_a_sidecar_too(tmp_path: Path) -> None:
    row = row_of(full(source=str(photo(tmp_path))))
    (tmp_path / "photo.jpg.xmp").symlink_to(tmp_path / "elsewhere")
    assert xmp.write(row).sidecar is None
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png", "photo.webp", "photo.tif"])
def test_no_sidecar_where_the_photo_has_a_position_unless_told(name: str, tmp_path: Path) -> None:
    row = row_of(full(source=str(photo(tmp_path, name, gps=True)), exif_gps=None))  # as a capped answer hides it
    assert "EXIF" in xmp.write(row).reason
    assert xmp.write(row, over_gps=True).sidecar is not None


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("kind", ["eXIf", "iTXt", "none"])
def test_a_png_may_say_it_after_its_pixels(kind: str, compressed: bool, tmp_path: Path) -> None:
    """Where ExifTool puts it."""
    early = photo(tmp_path, "early.png", gps=True).read_bytes()
    at = early.index(b"eXIf") - 4
    exif = early[at : at + 12 + int.from_bytes(early[at : at + 4], "big")]
    words = b"<exif:GPSLatitude>1,2N</exif:GPSLatitude>"
    text = (b"\1\0\0\0" + zlib.compress(words)) if compressed else (b"\0\0\0\0" + words)
    late = {
        "eXIf": exif,
        "iTXt": chunk(b"iTXt", b"XML:com.adobe.xmp\0" + text),
        "none": chunk(b"iTXt", b"Title\0\0\0\0\0x"),
    }
    plain_png = photo(tmp_path, "late.png").read_bytes()
    (tmp_path / "late.png").write_bytes(plain_png[:-12] + late[kind] + plain_png[-12:])
    said = what_it_says(tmp_path / "late.png").position
    assert said == {"eXIf": "its EXIF data", "iTXt": "its XMP data", "none": None}[kind]


def test_a_position_in_embedded_xmp_counts(tmp_path: Path) -> None:
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><exif:GPSLatitude>1,2N</exif:GPSLatitude></x:xmpmeta>'
    path = photo(tmp_path, xmp=packet)
    assert "XMP" in xmp.write(row_of(full(source=str(path)))).reason
    assert what_it_says(path).position == "its XMP data"


def test_the_words_of_a_sidecar_say_what_it_was_estimated_from() -> None:
    def words(**changes: Any) -> str:
        return properties(xmp.sidecar(row_of(full(**changes))))["photoshop:Instructions"]

    def cue(source: str) -> Any:
        return full().cues[0].model_copy(update={"source": source})

    unseen = ["the picture itself was not judged (no encoder): the prior of where photos are taken stands in for it"]
    assert "from the picture and its text, not measured" in words()
    assert "from the picture, not measured" in words(cues=[])
    assert "from the text in the picture, not measured" in words(warnings=unseen)
    assert "from the picture and its text, not measured" in words(warnings=unseen, cues=[cue("llm-picture"), cue("x")])
    assert "from where photos are usually taken and what the user said, not measured" in words(
        warnings=unseen, cues=[cue("user")]
    )


OURS = xmp.sidecar(row_of(full()))


@pytest.mark.parametrize(
    ("packet", "counts"),
    [
        (OURS, False),
        (OURS.replace("exif:GPSLatitude>48,46.548000N", "exif:GPSLatitude>48,46.548N"), False),  # as others write it
        (re.sub(r"<geoagent:l(at|ong)itude>.*?</geoagent:l(at|ong)itude>", "", OURS), False),  # as we wrote it before
        (OURS.replace("exif:GPSLatitude>48,46.548000N", "exif:GPSLatitude>48,46.6N"), True),
        (OURS.replace("exif:GPSLongitude>9", "exif:GPSLongitude>8"), True),
        (OURS.replace("exif:GPSLatitude>48,46.548000N", "exif:GPSLatitude>north"), True),
        (OURS.replace("geoagent:estimate>True", "geoagent:estimate>False"), True),
        (xmp.sidecar(row_of(full(best=STUTTGART.model_copy(update={"precision": "country"})))), False),
        (
            xmp.sidecar(row_of(full(best=STUTTGART.model_copy(update={"precision": "country"})))).replace(
                "<geoagent:estimate>", "<exif:GPSLatitude>48,46.5N</exif:GPSLatitude><geoagent:estimate>"
            ),
            True,
        ),
        ('<rdf:Description exif:GPSLatitude="48,46.5N" exif:GPSLongitude="9,10.9E"/>', True),
        (
            f'<rdf:Description xmlns:g="{xmp.NAMESPACE}" g:estimate="True" g:latitude="48,46.5S" g:longitude="9,10.9E"'
            ' exif:GPSLatitude="48,46,30S" exif:GPSLongitude="9,10,54E"/>',
            False,
        ),
    ],
)
@pytest.mark.parametrize("where", ["sidecar", "file"])
def test_an_estimate_of_ours_is_no_position(packet: str, counts: bool, where: str, tmp_path: Path) -> None:
    path = photo(tmp_path, **({"xmp": packet.encode()} if where == "file" else {}))
    if where == "sidecar":
        path.with_name("photo.jpg.xmp").write_text(packet, "utf-8")
    assert (what_it_says(path).position is not None) == counts


def test_an_estimate_that_was_copied_into_a_file_is_no_position_either(tmp_path: Path) -> None:
    exif, d = Image.Exif(), (IFDRational(48), IFDRational(30), IFDRational(0))
    exif.get_ifd(0x8825).update({1: "N", 2: d, 3: "E", 4: d, 27: b"ASCII\0\0\0geoagent estimate"})
    Image.new("RGB", (32, 24)).save(tmp_path / "a.jpg", exif=exif)
    assert what_it_says(tmp_path / "a.jpg").position is None


def test_names_that_the_photo_has_are_kept(tmp_path: Path) -> None:
    path = photo(tmp_path, xmp=b"<photoshop:City>Bonn</photoshop:City>")
    done = xmp.write(row_of(full(source=str(path))))
    found = properties(done.sidecar.read_text("utf-8"))
    assert "photoshop:City" not in found
    assert "exif:GPSLatitude" in found


def test_a_heic_photo_says_what_it_says(tmp_path: Path) -> None:
    heif = pytest.importorskip(
        "pillow_heif", reason="pillow-heif is not installed (pip install 'geoagent-photo[heic]')"
    )
    source = Image.open(photo(tmp_path, gps=True))
    heif.from_pillow(source).save(tmp_path / "a.heic")
    heif.from_pillow(Image.new("RGB", (32, 32))).save(tmp_path / "b.heic")
    assert what_it_says(tmp_path / "a.heic").position == "its EXIF data"
    assert what_it_says(tmp_path / "b.heic").position is None


def test_a_country_has_no_position_in_any_format(tmp_path: Path) -> None:
    china = STUTTGART.model_copy(
        update={"lat": 39.90741, "lon": 116.3998, "precision": "country", "place": "China", "admin1": None}
    )
    row = row_of(full(source=str(photo(tmp_path)), best=china, radius_50_km=1078.4, radius_90_km=2100))
    assert row.place == "China"
    assert row.exif_lat is not None
    assert (row.lat, row.lon, row.radius_50_km, row.radius_90_km, row.exif_distance_km) == (None,) * 5
    for name in outputs.FORMATS:
        if name == "geoparquet":
            continue  # of the same rows; needs an extra
        left = outputs.write(name, [row], tmp_path / f"a.{name}")
        assert left == (0 if name in ("gpx", "kml") else 1)
        assert b"39.907" not in (tmp_path / f"a.{name}").read_bytes()
    assert geojson.feature(row)["geometry"] is None
    with closing(sqlite3.connect(tmp_path / "a.gpkg")) as file:
        assert file.execute("SELECT geom, lat, radius_50_km, place FROM photos").fetchone() == (
            None,
            None,
            None,
            "China",
        )


def test_a_sidecar_speaks_as_people_do(tmp_path: Path) -> None:
    row = replace(row_of(full()), radius_50_km=1078.4, radius_90_km=2100.0)
    words = properties(xmp.sidecar(row, country_name="Germany"))["photoshop:Instructions"]
    assert "Half of the probability lies within 1,078 km. 96 % sure of Germany." in words
    assert xmp.unfit(row, 0.97).reason == "its country is 96 % sure, less than the 97 % of --min-confidence"


def test_a_landmark_is_no_city(tmp_path: Path) -> None:
    louvre = STUTTGART.model_copy(update={"place": "Palais du Louvre"})
    cue = (
        full()
        .cues[0]
        .model_copy(update={"kind": "landmark", "places": [CuePlace(code="FR", name="Palais du Louvre", p=1.0)]})
    )
    row = row_of(full(source=str(photo(tmp_path)), best=louvre, cues=[cue]))
    found = properties(xmp.sidecar(row))
    assert found["Iptc4xmpCore:Location"] == "Palais du Louvre"
    assert "photoshop:City" not in found
    exiftool.write([row], tmp_path / "args.txt")
    arguments = (tmp_path / "args.txt").read_text("utf-8")
    assert "-XMP-iptcCore:Location=Palais du Louvre\n" in arguments
    assert "photoshop:City" not in arguments


def test_what_is_no_place_gets_no_position(tmp_path: Path) -> None:
    source = str(photo(tmp_path))
    for answer in (nowhere(), error(), full(id="row 1")):
        done = xmp.write(row_of(answer.model_copy(update={"source": source})))
        assert done.sidecar is None
        assert done.reason
    whole = full()
    state = whole.best.model_copy(update={"precision": "country", "place": "Germany", "admin1": None})
    done = xmp.write(row_of(full(source=source, best=state)))
    found = properties(done.sidecar.read_text("utf-8"))
    assert "exif:GPSLatitude" not in found
    assert found["Iptc4xmpCore:CountryCode"] == "DE"
    assert not {"photoshop:City", "photoshop:State"} & set(found)


def test_a_photo_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text("root:x:0:0")
    for source in (tmp_path / "gone.jpg", tmp_path / "passwd"):
        done = xmp.write(row_of(full(source=str(source))))
        assert done.failed
        assert done.sidecar is None
    assert [p.name for p in tmp_path.iterdir()] == ["passwd"]


def test_a_stranger_writes_no_markup_into_a_sidecar(tmp_path: Path) -> None:
    whole = full()
    best = whole.best.model_copy(update={"place": HOSTILE, "admin1": "</rdf:Description>]]>&\x00\ufffe"})
    done = xmp.write(row_of(full(source=str(photo(tmp_path)), best=best, world={"name": HOSTILE})))
    found = properties(done.sidecar.read_text("utf-8"))
    assert found["photoshop:City"].startswith("</script>")
    assert found["photoshop:State"] == "</rdf:Description>]]>&\ufffd\ufffd"


@pytest.mark.skipif(
    shutil.which("exiftool") is None, reason="ExifTool is not installed (apt-get install libimage-exiftool-perl)"
)
def test_exiftool_reads_our_sidecar(tmp_path: Path) -> None:
    near = fiji().model_copy(update={"source": str(photo(tmp_path)), "radius_50_km": 20.0, "radius_90_km": 80.0})
    done = xmp.write(row_of(near), country_name=lambda _: "Fiji")
    told = subprocess.run(
        ["exiftool", "-j", "-n", "-G1", str(done.sidecar)], capture_output=True, check=True, text=True, timeout=60
    )
    found = json.load(io.StringIO(told.stdout))[0]
    assert "ExifTool:Warning" not in found
    assert found["XMP-exif:GPSLatitude"] == pytest.approx(-16.8)
    assert found["XMP-exif:GPSLongitude"] == pytest.approx(179.6)
    assert found["XMP-exif:GPSHPositioningError"] == 80000
    assert found["XMP-photoshop:State"] == "Northern"
    assert found["XMP-photoshop:Country"] == "Fiji"
    assert found["XMP-iptcCore:CountryCode"] == "FJ"
    assert found["XMP-geoagent:Estimate"] in ("True", True)
    assert float(found["XMP-geoagent:Radius_50_km"]) == 20


def test_every_column_and_property_is_described() -> None:
    text = (Path(__file__).resolve().parents[1] / "docs" / "outputs.md").read_text("utf-8")
    row = row_of(full())
    feature = geojson.feature_collection([row])["features"][0]["properties"]
    names = {*csv_format.COLUMNS, *feature, *properties(xmp.sidecar(row, country_name="Germany"))}
    for name in names - {"exif:GPSVersionID", "exif:GPSMapDatum", "estimate"}:
        assert f"`{name}`" in text, name
    assert xmp.NAMESPACE in text


def test_a_pipe_is_written_to_and_a_link_is_followed(tmp_path: Path) -> None:
    import os
    import threading

    pipe, found = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    outputs.write("csv", [row_of(fiji())], pipe)
    reader.join(10)
    assert b"Labasa" in found[0]
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    outputs.write("csv", [row_of(fiji())], tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert "Labasa" in (tmp_path / "real.csv").read_text("utf-8")


def test_an_interrupted_sidecar_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(xmp, "sidecar", interrupt)
    with pytest.raises(KeyboardInterrupt):
        xmp.write(row_of(full(source=str(photo(tmp_path)))))
    assert [p.name for p in tmp_path.iterdir()] == ["photo.jpg"]


def test_a_sidecar_that_another_program_writes_meanwhile_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = row_of(full(source=str(photo(tmp_path))))
    (tmp_path / "photo.jpg.xmp").write_text("theirs")
    monkeypatch.setattr(xmp, "sidecars", lambda _: [])  # as if it had come after we looked
    done = xmp.write(row)
    assert done.sidecar is None
    assert "exists" in done.reason
    assert (tmp_path / "photo.jpg.xmp").read_text() == "theirs"


def test_geoparquet_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "geopandas", None)
    with pytest.raises(MissingDependency, match=r"geoagent-photo\[geo\]"):
        outputs.write("geoparquet", [row_of(full())], tmp_path / "a.parquet")
    assert not list(tmp_path.iterdir())
