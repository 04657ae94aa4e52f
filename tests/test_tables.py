"""Tables as people and their programs write them: read, or refused with the row and column."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from geoagent import GeoAgent
from geoagent.agent import batch
from geoagent.errors import InputError
from geoagent.interfaces.cli import main
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.country_codes import country_code
from geoagent.tables import json_lines, number, plain, read_rows, read_sheet
from geoagent.worlds.evaluation.cases import load_photos, read_labelled
from geoagent.worlds.evaluation.changes import read_truth, truth_of
from geoagent.worlds.evaluation.cues import read_texts
from geoagent.worlds.training.table import read_table

pytestmark = pytest.mark.quick
PLACES = {"Łódź": (51.7592, 19.456), "São Paulo": (-23.5505, -46.6333), "東京": (35.6764, 139.65)}


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


@pytest.fixture(scope="module")
def agent() -> GeoAgent:
    return GeoAgent.load(ocr="nothing")


def rows_of(path, text, encoding="utf-8", newline="\n"):
    path.write_bytes(text.replace("\n", newline).encode(encoding))
    return read_rows(path)


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_encoding_and_end_of_line_is_read(tmp_path, encoding, newline):
    text = "file,lat,lon\n" + "".join(f"{name}.jpg,{lat},{lon}\n" for name, (lat, lon) in PLACES.items())
    found = rows_of(tmp_path / "t.csv", text, encoding, newline)
    assert [row.get(("file",)) for row in found] == [f"{name}.jpg" for name in PLACES]
    assert [tuple(row.place()) for row in found] == [pytest.approx(place) for place in PLACES.values()]
    assert [row.number for row in found] == [2, 3, 4]


@pytest.mark.parametrize("mark", ["\ufeff", ""])
def test_utf_16_with_its_mark_in_either_order(tmp_path, mark):
    for encoding in ("utf-16-le", "utf-16-be"):
        found = rows_of(tmp_path / "t.csv", f"{mark}file;lat\nÅ.jpg;59,9\n", encoding)
        assert found[0].get(("file",)) == "Å.jpg"


@pytest.mark.parametrize(
    "text",
    [
        "file;country;lat;lon\nb.jpg;NO;59,9139;10,7522\n",
        "sep=;\nfile;country;lat;lon\nb.jpg;NO;59,9139;10,7522\n",
        "file\tcountry\tlat\tlon\nb.jpg\tNO\t59,9139\t10,7522\n",
        'file,country,lat,lon\nb.jpg,NO,"59,9139","10,7522"\n',
        "file,country,lat,lon\nb.jpg,NO,59.9139,10.7522\n",
        "\n\nfile,country,lat,lon,,\nb.jpg,NO,59.9139,10.7522,,\n,,,,,\n\n",
        ' "file" | Country | LAT |Lon\nb.jpg|NO| 59.9139°|+10,7522\n'.replace(' "file" ', "file"),
        "Image Path;Country Code;Latitude (°);LONGITUDE\nb.jpg;NO;59.9139;10.7522\n",
        'File_Name,ISO,gps-latitude,Lng,notes\n"b.jpg","NO",59.9139,10.7522,"a, b\nand ""c"""\n',
        "photo,iso2,y,x\nb.jpg,NO,59.9139,10.7522\n",
    ],
)
def test_tables_of_every_sort_say_the_same(tmp_path, text):
    path = tmp_path / "truth.csv"
    path.write_text(text, "utf-8")
    ((key, truth),) = read_truth(path).items()
    assert (key, truth.country) == ("b.jpg", "NO")
    assert tuple(truth.latlon) == pytest.approx((59.9139, 10.7522))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,country,lat,lon\na,SE,59.3,18.0\nb,SE,59.9x,18\n", "row 3, column lat: '59.9x' is no number"),
        ("file;country;lat;lon\na;SE;59,3;18\nb;SE;59,9;east\n", "row 3, column lon: 'east' is no number"),
        ("file,country,lat,lon\na,SE,59,3293,18,0686\n", "row 2: expected 4 columns, got 6; write numbers with"),
        ("file,country,Lat,Lon\na,SE,159.3,18\n", "row 2, column Lat: latitude 159.3 is beyond"),
        ("file,country,lat,lon\na,SE,59.3,418\n", "row 2, column lon: longitude 418 is beyond"),
        ("file,country,lat,lon\na,SE,59.3,\n", "row 2: a latitude without a longitude"),
        ("file,country,lat,lon\na,SE,,18.1\n", "row 2: a longitude without a latitude"),
        (
            "file,country,lat,lon\na,SE,59,18\n\nb,SE,18.1,59.3\n",
            "row 4: .* in SE with latitude and longitude swapped",
        ),
        ("file,country\na,SE\nb,Swedn?\nc,Swedenn\n", r"row 4, column country: 'Swedenn' is no .*Sweden \(SE\)"),
        ("file,country\na,FI\na,NO\n", "row 3: 'a' has another place in an earlier row"),
        ("file,land\na,SE\n", "row 2: expected a country, or a latitude and a longitude; found file, land"),
        ("where,country\na,SE\n", "row 2: expected one of id, source, file"),
        ("file,country,country\na,SE,NO\n", "row 1: two columns are named 'country'"),
        ('file,country\na,"SE\nb,NO\n', "row 2: is a quotation mark left open"),
        ("", "is empty"),
        ("file;country;lat;lon\na;SE;59°20';18°3'\n", "row 2, column lat: .* is no number"),
        ("file,country,lat,lon\na,SE,true,18\n", "row 2, column lat: 'true' is no number"),
    ],
)
def test_what_cannot_be_read_is_named_by_row_and_column(tmp_path, text, message):
    path = tmp_path / "truth.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=message) as told:
        read_truth(path)
    assert str(path) in str(told.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("file,country\na,SE\nMalmö,SE\n".encode("latin-1"), "row 3: byte 0xf6 is no UTF-8; save the file as UTF-8"),
        ("file,country\nŁ,PL\n".encode("cp1250"), "row 2: byte 0xa3 is no UTF-8"),
        ("file,country\r\nа,RU\r\n".encode("cp1251"), "row 2: byte 0xe0 is no UTF-8"),
        (b"\xff\xfef\x00i\x00\n\x00\x00\xd8", "row 2: byte .* is no UTF-16-LE"),
        (b"PK\x03\x04rest of a workbook", "is a workbook or an archive, not text; save the table as CSV"),
        (b"\xd0\xcf\x11\xe0old workbook", "is a workbook, not text"),
        (b"\x1f\x8bzip", "is gzip, not text"),
    ],
)
def test_bytes_that_are_no_text_are_named_by_row(tmp_path, data, message):
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_truth(path)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_lines_in_every_encoding(tmp_path, encoding):
    path = tmp_path / "t.jsonl"
    text = '{"id": 4, "lines": ["Wrocław\u2028Rynek"]}\r\n\r\n{"id": "b", "lines": ["札幌市"]}\r\n'
    path.write_bytes(text.encode(encoding))
    assert batch.read_texts(path) == [("4", ["Wrocław\u2028Rynek"]), ("b", ["札幌市"])]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"id": 1, "lines": []}\n{"id": 2, lines: []}\n', "line 2: no JSON"),
        (b'{"id": 1, "lines": []}\n\n{"id": 1, "lines": []}\n', "line 3: the id 1 stands there twice"),
        ('{"id": 1, "lines": ["Málaga"]}\n'.encode("latin-1"), "line 1: byte 0xe1 is no UTF-8"),
        ('{"id": 1}\n{"id": 2, "lines": "Oslo"}\n'.encode("utf-16"), "line 1: expected"),
        (b'[{"id": 1, "lines": []}]\n', "line 1: expected"),
        (b'{\n "id": 1\n}\n', "line 1: no JSON"),
    ],
)
def test_a_bad_line_is_named_by_its_number(tmp_path, data, message):
    path = tmp_path / "t.jsonl"
    path.write_bytes(data)
    with pytest.raises(InputError, match=message):
        batch.read_texts(path)


def test_files_that_were_joined_keep_their_marks(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_bytes('{"a": 1}\n'.encode("utf-8-sig") * 3)
    assert [value for _, value in json_lines(path)] == [{"a": 1}] * 3


def test_json_lines_of_truths_are_read_like_tables(tmp_path):
    path = tmp_path / "t.jsonl"
    lines = [{"Image": "a.jpg", "ISO3": "KEN", "latitude": "-1,286", "Lng": 36.817}, {"file": "b", "country": None}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-16")
    ((key, truth),) = read_truth(path).items()
    assert (key, truth.country, tuple(truth.latlon)) == ("a.jpg", "KE", pytest.approx((-1.286, 36.817)))
    for bad, message in [
        ({"file": "a", "country": 49}, "line 1, country: '49'|line 1, country: expected the name"),
        ({"file": "a", "country": "KE", "lat": True, "lon": 3}, "line 1, lat: True is no number"),
        ({"file": "a", "country": "KE", "lat": [1], "lon": 3}, "line 1, lat"),
        ({"file": "a", "country": "KE", "lat": float("nan"), "lon": 3}, "line 1, lat: nan is no number"),
        ({"file": "a", "country": ["KE"]}, "line 1, country"),
    ]:
        path.write_text(json.dumps(bad), "utf-8")
        with pytest.raises(InputError, match=message):
            read_truth(path)


@pytest.mark.parametrize(
    ("cell", "value"),
    [("−12,5", -12.5), (" 7.25° ", 7.25), ("1e2", 100), (",5", 0.5), ("n/a", None), ("NaN", None), ("", None), (3, 3)],
)
def test_numbers(cell, value):
    assert number(cell) == value


@pytest.mark.parametrize("cell", ["1.234,5", "12 34", "1°30", "5 W", "0x1f", "1_000", True, float("inf"), [1]])
def test_what_is_no_number(cell):
    assert number(cell) != number(cell)  # NaN


def test_names_of_columns_are_compared_without_case_and_signs():
    assert len({plain(name) for name in ("GPS Latitude", "gps_latitude", "GPS-Latitude", "gpsLatitude [deg]")}) == 1
    assert plain("№") != plain("°")


COUNTRIES = {
    "Sweden": "SE", "sverige": "SE", "Schweden": "SE", "SWE": "SE", "S": "SE", "Côte d’Ivoire": "CI",
    "Ελβετία": "CH", "CH": "CH", "SUI": "CH", "che": "CH", "대한민국": "KR", "Republic of Korea": "KR", "ROK": "KR",
    "Korea, Republic of": "KR", "Korea (Democratic People's Republic of)": "KP", "South Korea": "KR",
    "Україна": "UA", "مصر": "EG", "भारत": "IN", "日本": "JP", "ประเทศไทย": "TH", "საქართველო": "GE", "Georgia": "GE",
    "UK": "GB", "U.K.": "GB", "Wales": "GB", "SCO": "GB", "England": "GB", "EL": "GR", "GRE": "GR", "USA": "US",
    "U.S.A.": "US",
    "the Netherlands": "NL", "Netherlands (the)": "NL", "NED": "NL", "Holland": "NL", "GER": "DE", "D": "DE",
    "UAE": "AE",
    "POR": "PT", "CRO": "HR", "DEN": "DK", "RSA": "ZA", "CDN": "CA", "KSA": "SA", "Viet Nam": "VN", "Türkiye": "TR",
    "Iran (Islamic Republic of)": "IR", "Tanzania, United Republic of": "TZ", "Kosovo": "XK", "KOS": "XK",
    "Burma": "MM",
    "Congo-Brazzaville": "CG", "Congo, the Democratic Republic of the": "CD", "Dominican Rep.": "DO", "Dominica": "DM",
    "Niger": "NE", "Guinea": "GN", "Guinea-Bissau": "GW", "Denmark (DK)": "DK", "FI – Finland": "FI", "  norge ": "NO",
}  # fmt: skip


@pytest.mark.parametrize("stated", COUNTRIES)
def test_countries_are_understood(gazetteer, stated):
    assert country_code(stated, gazetteer) == COUNTRIES[stated]


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ("CHI", r"may be CL \(Chile\) or CN \(China\); write the ISO code"),
        ("Congo", "may be CD .* or CG"),
        ("NIG", "may be NE .* or NG"),
        ("Virgin Islands", "may be VG .* or VI"),
        ("Denmark (DE)", "may be DK .* or DE"),
        ("SLO", "may be SI .* or SK"),
        ("Portugl", r"did you mean Portugal \(PT\)\?"),
        ("Elfenbeinküste", r"did you mean Côte d’Ivoire \(CI\)\?"),
        ("Tuscany", "is no country"),
        ("Europe", "is no country"),
        ("Spain/France", "is no country"),
        ("XQ", "is no country"),
        ("Czechoslovakia", "is no country"),
        ("Barcelona, Spain", "is no country"),
    ],
)
def test_what_may_be_two_countries_or_none_is_refused(gazetteer, stated, message):
    with pytest.raises(InputError, match=message):
        country_code(stated, gazetteer)


def test_a_truth_is_found_by_the_end_of_the_path_or_by_id(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("id,file,country\n7,trip\\day 1\\a.jpg,Peru\n8,./b.jpg,Chile\n", "utf-8")
    known = read_truth(path)
    for id, source, code in [
        ("7", "x", "PE"),
        (None, "/home/me/trip/day 1/a.jpg", "PE"),
        (None, "C:\\trip\\day 1\\a.jpg", "PE"),
        (None, "b.jpg", "CL"),
        (None, "deep/er/b.jpg", "CL"),
    ]:
        assert truth_of(id, source, known).country == code
    assert truth_of(None, "other/a.jpg", known) is None


def test_a_truth_without_a_country_is_that_of_its_position(tmp_path):
    path = tmp_path / "truth.csv"
    rows = ["a.jpg,48.85,2.35", "sea.jpg,0.5,-30", "none.jpg,,", "b.jpg,-33.87,151.2"]
    path.write_text("\n".join(["SourceFile,GPSLatitude,GPSLongitude", *rows]), "utf-8")
    known = read_truth(path)
    assert {key: truth.country for key, truth in known.items()} == {"a.jpg": "FR", "b.jpg": "AU"}
    assert tuple(known["a.jpg"].latlon) == (48.85, 2.35)
    path.write_text("path,country,lat,lon\na.jpg,,48.85,2.35\nb.jpg,Egypt?,48.85,2.35\nc.jpg,Peru,,\n", "utf-8")
    assert {key: truth.country for key, truth in read_truth(path).items()} == {"a.jpg": "FR", "c.jpg": "PE"}
    (tmp_path / "t.jsonl").write_text('{"id": 7, "latitude": 48.85, "longitude": 2.35}\n', "utf-8")
    assert read_truth(tmp_path / "t.jsonl")["7"].country == "FR"


def test_a_truth_with_swapped_coordinates_is_corrected_or_named(tmp_path):
    path, notes = tmp_path / "truth.csv", []
    path.write_text("file,lat,lon\nde_koeln.jpg,6.96,50.94\nsea.jpg,0.5,-30\nfr.jpg,48.85,2.35\n", "utf-8")
    known = read_truth(path, notes)
    assert {key: truth.country for key, truth in known.items()} == {"de_koeln.jpg": "DE", "fr.jpg": "FR"}
    assert tuple(known["de_koeln.jpg"].latlon) == (50.94, 6.96)
    assert len(notes) == 2
    assert "row 2: 6.96000, 50.94000 lies in the sea, but in Germany with latitude and longitude swapped" in notes[0]
    assert "row 3: 0.50000, -30.00000 lies in the sea: no country is known, and the row is left out" in notes[1]


def test_labelled_texts_are_understood_or_refused(tmp_path, agent):
    path = tmp_path / "t.jsonl"
    rows = [
        {"id": 1, "lines": ["Bäckerei"], "country": "Austria", "also": ["Germany", "SUI"]},
        {"id": 2, "lines": ["x"], "country": None},
        {"id": 3, "lines": ["y"], "country": "EG?"},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8-sig")
    assert [(text.id, text.allowed) for text in read_texts([path], agent)] == [("1", ("AT", "DE", "CH")), ("2", ())]
    assert {key: text.country for key, text in read_labelled(path).items()} == {"1": "AT", "2": None}
    for row, message in [
        ({"id": 1, "lines": ["x"], "country": "CHI"}, "line 1, country: 'CHI' may be"),
        ({"id": 1, "lines": ["x"], "country": "AT", "also": ["Bavaria"]}, "line 1, also: 'Bavaria' is no country"),
        ({"id": 1, "lines": ["x"]}, "line 1: expected a country"),
        ({"id": 1, "lines": "x", "country": "AT"}, "line 1: expected"),
    ]:
        path.write_text(json.dumps(row), "utf-8")
        with pytest.raises(InputError, match=message):
            read_texts([path], agent)


def test_a_table_of_signs_from_a_spreadsheet(tmp_path, agent):
    path = tmp_path / "signs.csv"
    path.write_text("sep=;\nFile;Country;Text Lines\na;Autriche;Apotheke | Wien\nb;EG?;x\nc;;EXIT\n", "utf-16")
    (text,) = read_texts([path], agent)
    assert text.allowed == ("AT",)
    assert [region.text for region in text.regions] == ["Apotheke", "Wien"]


def test_photos_of_a_table_are_refused_before_any_is_read(tmp_path, agent):
    path = tmp_path / "truth.csv"
    path.write_text("file;country;lat;lon\na.jpg;Chile;-33,4;-70,6\nb.jpg;CHI;;\n", "utf-8")
    with pytest.raises(InputError, match="row 3, column country: 'CHI' may be"):
        load_photos(path, agent)
    path.write_text("file;country\nmissing.jpg;Chile\n", "utf-8")
    with pytest.raises(InputError, match="can be opened"):
        load_photos(path, agent)


def test_places_for_training_from_a_spreadsheet(tmp_path):
    path = tmp_path / "places.csv"
    path.write_text(
        "Image Name;Latitude;Longitude;E0;E1\na;59,91;10,75;0,5;1\nb;;;1;2\nc;60,39;5,32;1,5;−2\n", "utf-16"
    )
    table = read_table(path)
    assert table.latlon.tolist() == [[59.91, 10.75], [60.39, 5.32]]
    assert table.views.tolist() == [[[0.5, 1]], [[1.5, -2]]]
    for text, message in [
        ("img;lat;lon;e0;e1\na;1;2;0,5;q\n", "row 2, column e1: 'q' is no number"),
        ("img;lat;lon\na;1;2\n\nb;1;2;3\n", "row 4: expected 3 columns, got 4"),
        ("img;lat;lon\na;1;2\nb;91;200\n", "row 3 has latitude 91"),
        ("img;lat;lon\n;;\na;1;500\n", "row 3: longitude 500 is beyond"),
        ("img;lat;lon\na;1;2\nb;1,2,3;2\n", "row 3, column lat: '1,2,3' is no number"),
    ]:
        path.write_text(text, "utf-8")
        with pytest.raises(InputError, match=message):
            read_table(path)


def test_pairs_from_a_spreadsheet(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("sep=;\ntext_id;panorama;km_from_city\na;3;12,5\n", "utf-8-sig")
    assert batch.read_pairs(path, {"a"}, 4) == [("a", 3)]
    assert read_sheet(path).row(0).number_in(("km_from_city",)) == 12.5


def test_answers_that_a_shell_wrote_in_utf_16_are_read(tmp_path, agent):
    answer = agent.locate_text(["50667 Köln"], id="a").to_json() + "\n"
    truth = tmp_path / "truth.csv"
    truth.write_text("id;country\na;Deutschland\n", "utf-8")
    for encoding in ("utf-16", "utf-8-sig"):
        path = tmp_path / f"{encoding}.jsonl"
        path.write_text(answer, encoding)
        run = CliRunner().invoke(main, ["compare", "--answers", str(path), "--truth", str(truth), "--json"])
        assert run.exit_code == 0, run.output
        assert json.loads(run.stdout.splitlines()[-1])["strata"][0]["text_aware"] == 1.0
        out = tmp_path / f"{encoding}.csv"
        assert CliRunner().invoke(main, ["export", str(path), "--csv", str(out)]).exit_code == 0
        assert "DE" in out.read_text("utf-8")


def test_a_country_that_is_not_understood_is_never_counted_as_wrong(tmp_path, agent):
    path, truth = tmp_path / "answers.jsonl", tmp_path / "truth.csv"
    path.write_text(agent.locate_text(["00-950 Warszawa"], id="a").to_json() + "\n", "utf-8")
    for country, right in [("Poland", 1.0), ("Polska", 1.0), ("POL", 1.0), ("pl", 1.0), ("Germany", 0.0)]:
        truth.write_text(f"id,country\na,{country}\n", "utf-8")
        run = CliRunner().invoke(main, ["compare", "--answers", str(path), "--truth", str(truth), "--json"])
        assert json.loads(run.stdout.splitlines()[-1])["strata"][0]["text_aware"] == right
    truth.write_text("id,country\na,Polnad\n", "utf-8")
    run = CliRunner().invoke(main, ["compare", "--answers", str(path), "--truth", str(truth)])
    assert run.exit_code == 1
    assert "row 2, column country: 'Polnad' is no country that is known; did you mean Poland (PL)?" in run.stderr
