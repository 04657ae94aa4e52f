"""Positions that files hold: whole, incomplete, doubtful, copied over a folder; and where sidecars go."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from answers import STUTTGART, full
from click.testing import CliRunner, Result
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from geoagent.evidence.copied import copied_over
from geoagent.evidence.exif import Said
from geoagent.evidence.gps import read_gps
from geoagent.evidence.photos import open_photo, what_it_says
from geoagent.interfaces.cli import main
from geoagent.interfaces.outputs import row_of, xmp
from geoagent.places.geo import LatLon

REPORTS = Path(__file__).resolve().parents[2] / "shared" / "data" / "reports"
NAN = IFDRational(0, 0)
OSLO = {1: "N", 2: (59.0, 54.0, 36.0), 3: "E", 4: (10.0, 45.0, 0.0)}
LIMA = {1: "S", 2: (12.0, 3.0, 0.0), 3: "W", 4: (77.0, 2.0, 24.0)}


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in args])


def photo(path: Path, gps: Mapping[int, Any] | None = None, taken: datetime | None = None, **options: Any) -> Path:
    exif = Image.Exif()
    if gps is not None:
        exif.get_ifd(0x8825).update(gps)
        if path.suffix == ".png":
            exif[0x8825] = dict(gps)  # Pillow's PNG writer asks for both
    if taken is not None:
        exif.get_ifd(0x8769)[0x9003] = taken.strftime("%Y:%m:%d %H:%M:%S")
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), "grey").save(path, exif=exif, **options)
    return path


INCOMPLETE = {
    "no letters": ({2: OSLO[2], 4: OSLO[4]}, "without hemisphere: 59.9100, 10.7500"),
    "empty letters": ({**OSLO, 1: "", 3: ""}, "without hemisphere: 59.9100, 10.7500"),
    "a letter that is none": ({**OSLO, 1: "\x01", 3: "\x00"}, "without hemisphere: 59.9100, 10.7500"),
    "one letter": ({1: "S", 2: LIMA[2], 4: LIMA[4]}, "without hemisphere: 12.0500 S, 77.0400"),
    "letters of the other axis": ({**LIMA, 1: "W"}, "without hemisphere: 12.0500, 77.0400 W"),
    "latitude alone": ({1: "N", 2: OSLO[2]}, "a latitude without longitude: 59.9100 N"),
    "longitude alone": ({3: "W", 4: LIMA[4]}, "a longitude without latitude: 77.0400 W"),
    "longitude of nothing": ({**OSLO, 4: (NAN, NAN, NAN)}, "a latitude without longitude: 59.9100 N"),
    "seconds of nothing": ({**OSLO, 2: (59.0, 54.6, NAN), 4: (10.0, 45.0, NAN)}, "seconds: 59° 54.6′ N, 10° 45′ E"),
    "one number": ({**OSLO, 2: (59.91,)}, "seconds: 59.91° N, 10.7500 E"),
    "void": ({**OSLO, 9: "V"}, "as void (status V): 59.9100 N, 10.7500 E"),
    "beyond the pole": ({**OSLO, 2: (95.0, 0.0, 0.0)}, "impossible position: 95° 0′ 0″ N, 10.7500 E"),
    "minutes beyond 60": ({**OSLO, 4: (10.0, 75.0, 0.0)}, "impossible position: 59.9100 N, 10° 75′ 0″ E"),
}
NOTHING = {
    "altitude": {5: b"\0", 6: 120.0},
    "time": {7: (12.0, 30.0, 0.0), 29: "2021:05:01"},
    "version": {0: b"\2\3\0\0"},
    "letters": {1: "N", 3: "E"},
    "status": {9: "V"},
    "zero by zero": {1: "N", 2: (NAN, NAN, NAN), 3: "E", 4: (NAN, NAN, NAN)},
}
DOUBTFUL = {
    "null": ({1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)}, "0, 0"),
    "south of null": ({1: "S", 2: (0.0, 0.0, 0.0), 3: "W", 4: (0.0, 0.0, 0.1)}, "0, 0"),
    "future": ({**OSLO, 29: "2107:08:06"}, "2107-08-06, lies in the future"),
    "receiver without a date": ({**LIMA, 29: "1980:01:06"}, "1980-01-06"),
    "dilution": ({**OSLO, 11: 99.9}, "dilution of precision is 99.9"),
    "error": ({**LIMA, 31: 5000.0}, "stated error is 5 km"),
}


class TestWhatAFileHolds:
    @pytest.mark.parametrize("name", INCOMPLETE)
    def test_what_is_incomplete_is_shown_as_far_as_it_goes(self, name: str, tmp_path: Path) -> None:
        gps, shown = INCOMPLETE[name]
        path = photo(tmp_path / "a.jpg", gps)
        said, opened = what_it_says(path), open_photo(path)
        assert (said.state, said.position, said.latlon) == ("incomplete", "its EXIF data", None)
        assert said.says.startswith("its EXIF data hold ")
        assert shown in said.says
        assert opened.exif_gps is None
        assert opened.exif_partial in said.says
        assert any("incomplete" in warning for warning in opened.warnings)
        numbers = re.findall(r"\d+\.\d+", shown)
        assert not any(number in warning for number in numbers for warning in opened.warnings)

    @pytest.mark.parametrize("name", NOTHING)
    def test_what_is_no_position_is_missing(self, name: str, tmp_path: Path) -> None:
        path = photo(tmp_path / "a.jpg", NOTHING[name])
        said = what_it_says(path)
        assert (said.state, said.position, said.says) == ("none", None, "")
        assert open_photo(path).exif_partial == ""

    @pytest.mark.parametrize("name", DOUBTFUL)
    def test_what_is_doubtful_is_told(self, name: str, tmp_path: Path) -> None:
        gps, why = DOUBTFUL[name]
        path = photo(tmp_path / "a.jpg", gps)
        said = what_it_says(path)
        assert said.state == "doubtful"
        assert why in said.says
        assert any("doubtful" in warning and why in warning for warning in open_photo(path).warnings)

    @pytest.mark.parametrize(
        "gps", [OSLO, LIMA, {**OSLO, 9: "A"}, {**OSLO, 11: 2.5, 31: 12.0}, {**LIMA, 29: "2019:02:03"}]
    )
    def test_a_whole_position_is_one(self, gps: dict[int, Any], tmp_path: Path) -> None:
        path = photo(tmp_path / "a.jpg", gps)
        assert what_it_says(path).state == "whole"
        assert open_photo(path).exif_gps is not None
        assert open_photo(path).warnings == ()

    def test_tomorrow_is_not_the_future_everywhere(self) -> None:
        assert read_gps({**OSLO, 29: "2024:05:02"}, date(2024, 5, 1)).doubts == ()
        assert read_gps({**OSLO, 29: "2024:05:03"}, date(2024, 5, 1)).doubts != ()

    @pytest.mark.parametrize(
        ("packet", "state", "shown"),
        [
            ('exif:GPSLatitude="59,54.6N"', "incomplete", "only GPSLatitude is there: 59.9100"),
            ('exif:GPSLongitude="10,45.0E"', "incomplete", "only GPSLongitude is there: 10.7500"),
            ('exif:GPSLatitude="" exif:GPSLongitude=""', "incomplete", "impossible"),
            ('exif:GPSLatitude="0,0.0N" exif:GPSLongitude="0,0.0E"', "doubtful", "0, 0"),
            ('exif:GPSLatitude="59,54.6N" exif:GPSLongitude="10,45.0E"', "whole", "has a position"),
            ('exif:GPSAltitude="12/1"', "none", ""),
        ],
    )
    @pytest.mark.parametrize("where", ["file", "photo.jpg.xmp", "photo.xmp"])
    def test_xmp_is_read_alike(self, packet: str, state: str, shown: str, where: str, tmp_path: Path) -> None:
        packet = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description {packet}/></x:xmpmeta>'
        path = photo(tmp_path / "photo.jpg", **({"xmp": packet.encode()} if where == "file" else {}))
        if where != "file":
            (tmp_path / where).write_text(packet)
        said = what_it_says(path)
        assert said.state == state
        assert shown in said.says
        assert state == "none" or (where if where != "file" else "XMP") in said.says

    def test_a_whole_position_counts_before_a_part(self, tmp_path: Path) -> None:
        path = photo(tmp_path / "a.jpg", {1: "N", 2: OSLO[2]})
        (tmp_path / "a.xmp").write_text('<x exif:GPSLatitude="59,54.6N" exif:GPSLongitude="10,45.0E"/>')
        said = what_it_says(path)
        assert (said.state, said.position) == ("whole", "the sidecar a.xmp")
        assert said.latlon == LatLon(59.91, 10.75)

    @pytest.mark.parametrize("name", ["emptyrefs", "norefs", "ref01", "sec00"])
    def test_files_that_were_reported(self, name: str, tmp_path: Path) -> None:
        path = REPORTS / f"exif_{name}.jpg"
        if not path.exists():
            pytest.skip("the reported files are not on this machine (../shared/data/reports)")
        assert what_it_says(path).state == "incomplete"
        shutil.copy(path, tmp_path / "a.jpg")
        assert xmp.write(row_of(full(source=str(tmp_path / "a.jpg")))).sidecar is None


class TestChoosingPhotos:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        photo(tmp_path / "in" / "whole.jpg", OSLO)
        photo(tmp_path / "in" / "half.jpg", {2: LIMA[2], 4: LIMA[4]})
        photo(tmp_path / "in" / "null.jpg", DOUBTFUL["null"][0])
        photo(tmp_path / "in" / "height.jpg", NOTHING["altitude"])
        photo(tmp_path / "in" / "none.jpg")
        return tmp_path / "in"

    @pytest.mark.parametrize(
        ("where", "names", "said"),
        [
            ("missing-gps", ["height.jpg", "none.jpg"], "3 of 5 photos left out"),
            ("incomplete-gps", ["half.jpg"], "4 of 5 photos left out"),
            ("doubtful-gps", ["null.jpg"], "4 of 5 photos left out"),
        ],
    )
    def test_by_what_they_hold(self, folder: Path, where: str, names: list[str], said: str, tmp_path: Path) -> None:
        out = tmp_path / "a.jsonl"
        done = run("locate", folder, "--where", where, "--out", out, "--no-text")
        assert done.exit_code == 0, done.output
        assert said in done.stderr
        rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        assert [Path(row["source"]).name for row in rows] == names
        assert ("12.0500, 77.0400" in done.stderr) == (where != "doubtful-gps")
        if where == "incomplete-gps":
            assert rows[0]["exif_partial"] == "a position without hemisphere: 12.0500, 77.0400"
            assert rows[0]["exif_gps"] is None

    def test_one_photo_shows_it_and_a_cap_hides_it(self, folder: Path) -> None:
        shown = run("locate", folder / "half.jpg", "--no-text")
        assert "12.0500, 77.0400" in shown.stdout.replace("\n", " ")
        capped = run("locate", folder / "half.jpg", "--no-text", "--max-precision", "country", "--json")
        assert "77.04" not in capped.output
        assert "incomplete" in capped.output

    def test_no_estimate_is_written_beside_it_unless_told(self, folder: Path, tmp_path: Path) -> None:
        rows = tmp_path / "rows.jsonl"
        rows.write_text("\n".join(full(source=f"{name}.jpg").to_json() for name in ("half", "null", "none")), "utf-8")
        done = run("export", rows, "--xmp", "--photos", folder)
        assert done.exit_code == 0
        assert [path.name for path in folder.glob("*.xmp")] == ["none.jpg.xmp"]
        assert "half.jpg: its EXIF data hold a position without hemisphere: 12.0500, 77.0400" in done.stderr
        assert "null.jpg: its EXIF data has a position, which is doubtful" in done.stderr
        run("export", rows, "--xmp", "--photos", folder, "--even-with-gps")
        assert len(list(folder.glob("*.xmp"))) == 3

    def test_a_claim_of_an_incomplete_position_is_refused(self, folder: Path) -> None:
        done = run("verify", folder / "half.jpg", "--claim", "exif", "--no-text")
        assert done.exit_code == 1
        assert "not whole" in done.stderr


START = datetime(2022, 7, 3, 9, 0, 0)


class TestCopiedOver:
    def said(self, hours: list[float], places: list[LatLon | None]) -> dict[Path, Said]:
        return {
            Path("in") / f"{i}.jpg": Said("its EXIF data", False, "whole", "", place, START + timedelta(hours=hour))
            for i, (hour, place) in enumerate(zip(hours, places, strict=True))
        }

    def test_one_position_for_days_is_doubtful(self) -> None:
        here = LatLon(59.91, 10.75)
        found = copied_over(self.said([0, 20, 45, 71], [here] * 4))
        assert len(found) == 4
        assert all("over 3 days" in why and "4 of the 4" in why for why in found.values())
        assert all("59.9" not in why for why in found.values())

    @pytest.mark.parametrize(
        ("hours", "places"),
        [
            ([0, 0.5, 1], [LatLon(1, 2)] * 3),
            ([0, 30], [LatLon(1, 2)] * 2),
            ([0, 10, 20], [LatLon(1, 2), LatLon(1, 2.0000001), LatLon(1, 2)]),
            ([0, 10, 20, 30, 40, 50], [LatLon(1, 2)] * 3 + [LatLon(3, 4)] * 3),
            ([0, 10, 20], [None] * 3),
        ],
    )
    def test_what_may_be_measured_is_not(self, hours: list[float], places: list[LatLon | None]) -> None:
        assert copied_over(self.said(hours, places)) == {}

    def test_folders_are_looked_at_one_by_one_and_times_are_needed(self) -> None:
        there = self.said([0, 10, 20], [LatLon(1, 2)] * 3)
        apart = {Path(f"d{i}") / path.name: each for i, (path, each) in enumerate(there.items())}
        assert copied_over(apart) == {}
        timeless = {path: Said("its EXIF data", False, "whole", "", LatLon(1, 2)) for path in there}
        assert copied_over(timeless) == {}

    @pytest.mark.parametrize("command", ["locate", "compare"])
    def test_a_run_over_a_folder_tells_it(self, command: str, tmp_path: Path) -> None:
        for i in range(4):
            photo(tmp_path / "in" / f"{i}.jpg", OSLO, START + timedelta(hours=9 * i))
        photo(tmp_path / "in" / "other.jpg")
        photo(tmp_path / "in" / "half.jpg", {1: "N", 2: OSLO[2]})
        out = tmp_path / "a.jsonl"
        done = run(command, tmp_path / "in", "--out", out, "--no-text")
        assert done.exit_code == 0, done.output
        assert "4 of the 4 photos of its folder" in done.stderr
        assert "incomplete in 1 of 6 photos: half.jpg" in done.stderr
        told = {}
        for line in out.read_text("utf-8").splitlines():
            row = json.loads(line)
            told[Path(row["source"]).name] = any("every digit" in warning for warning in row["warnings"])
        assert told == {**{f"{i}.jpg": True for i in range(4)}, "other.jpg": False, "half.jpg": False}
        exported = run("export", out, "--xmp")
        assert "every digit" in exported.stderr
        assert [path.name for path in (tmp_path / "in").glob("*.xmp")] in ([], ["other.jpg.xmp"])


class TestSidecarNames:
    def answers(self, folder: Path, *names: str, **changes: Any) -> Path:
        rows = folder / "rows.jsonl"
        rows.write_text("\n".join(full(source=name, **changes).to_json() for name in names), "utf-8")
        for name in names:
            if not (folder / name).exists():
                photo(folder / name, format="JPEG")
        return rows

    def sides(self, folder: Path) -> list[str]:
        return sorted(path.name for path in folder.glob("*.xmp"))

    @pytest.mark.parametrize(
        ("style", "name"),
        [("darktable", "a.jpg.xmp"), ("lightroom", "a.xmp"), ("auto", "a.jpg.xmp"), (None, "a.jpg.xmp")],
    )
    def test_a_choice_of_names(self, style: str | None, name: str, tmp_path: Path) -> None:
        rows = self.answers(tmp_path, "a.jpg")
        done = run("export", rows, "--xmp", "--photos", tmp_path, *(() if style is None else ("--sidecar", style)))
        assert done.exit_code == 0, done.output
        assert self.sides(tmp_path) == [name]
        assert what_it_says(tmp_path / "a.jpg").state == "none"

    @pytest.mark.parametrize(
        ("there", "name"),
        [(["b.xmp"], "a.xmp"), (["b.jpg.xmp"], "a.jpg.xmp"), (["b.xmp", "c.xmp", "b.jpg.xmp"], "a.xmp"),
         (["b.xmp", "c.jpg.xmp"], "a.jpg.xmp"), (["nothing.xmp"], "a.jpg.xmp"), (["b.XMP"], "a.xmp")],
    )  # fmt: skip
    def test_auto_follows_the_folder(self, there: list[str], name: str, tmp_path: Path) -> None:
        for other in ("b.jpg", "c.jpg"):
            photo(tmp_path / other)
        for side in there:
            (tmp_path / side).write_text("theirs")
        run("export", self.answers(tmp_path, "a.jpg"), "--xmp", "--photos", tmp_path)
        assert (tmp_path / name).exists()
        assert all((tmp_path / side).read_text() == "theirs" for side in there)

    @pytest.mark.parametrize("style", ["darktable", "lightroom", "auto"])
    @pytest.mark.parametrize("there", ["a.jpg.xmp", "a.xmp", "a.jpg.XMP"])
    def test_what_exists_of_either_is_left(self, style: str, there: str, tmp_path: Path) -> None:
        rows = self.answers(tmp_path, "a.jpg")
        (tmp_path / there).write_text("theirs")
        done = run("export", rows, "--xmp", "--photos", tmp_path, "--sidecar", style, "--even-with-gps")
        assert f"{there} exists and is left as it is" in done.stderr
        assert [path.read_text() for path in tmp_path.glob("*.[xX][mM][pP]")] == ["theirs"]

    def test_raw_and_jpeg_share_one(self, tmp_path: Path) -> None:
        rows = self.answers(tmp_path, "a.jpg", "a.dng")
        done = run("export", rows, "--xmp", "--photos", tmp_path, "--sidecar", "lightroom")
        assert done.exit_code == 0, done.output
        assert self.sides(tmp_path) == ["a.xmp"]
        assert "a.dng: it has the same sidecar a.xmp as a.jpg" in done.stderr
        run("export", rows, "--xmp", "--photos", tmp_path, "--sidecar", "darktable")
        assert self.sides(tmp_path) == ["a.xmp"]  # which speaks for both

    def test_two_estimates_do_not_go_into_one(self, tmp_path: Path) -> None:
        rows = self.answers(tmp_path, "a.jpg")
        far = STUTTGART.model_copy(update={"lat": 53.5, "lon": 10.0, "place": "Hamburg"})
        photo(tmp_path / "a.png")
        rows.write_text(rows.read_text("utf-8") + "\n" + full(source="a.png", best=far).to_json(), "utf-8")
        done = run("export", rows, "--xmp", "--photos", tmp_path, "--sidecar", "lightroom")
        assert self.sides(tmp_path) == []
        assert "different estimates" in done.stderr
        run("export", rows, "--xmp", "--photos", tmp_path, "--sidecar", "darktable")
        assert self.sides(tmp_path) == ["a.jpg.xmp", "a.png.xmp"]

    def test_a_position_of_the_other_file_is_not_hidden(self, tmp_path: Path) -> None:
        rows = self.answers(tmp_path, "a.jpg", "b.jpg", "b.png")
        photo(tmp_path / "a.png", OSLO)
        photo(tmp_path / "b.png", LIMA)
        (tmp_path / "a.mov").write_bytes(b"no photo")
        done = run("export", rows, "--xmp", "--photos", tmp_path, "--sidecar", "lightroom")
        assert self.sides(tmp_path) == []
        assert "a.png, which has the same sidecar a.xmp, has a position" in done.stderr
        assert "b.png: its EXIF data has a position" in done.stderr
        run("export", rows, "--xmp", "--photos", tmp_path, "--sidecar", "lightroom", "--even-with-gps")
        assert self.sides(tmp_path) == ["a.xmp", "b.xmp"]

    def test_it_goes_with_xmp(self, tmp_path: Path) -> None:
        rows = self.answers(tmp_path, "a.jpg")
        assert run("export", rows, "--csv", tmp_path / "a.csv", "--sidecar", "lightroom").exit_code == 2
        assert run("export", rows, "--xmp", "--sidecar", "acdsee").exit_code == 2


@pytest.mark.skipif(
    shutil.which("exiftool") is None, reason="ExifTool is not installed (apt-get install libimage-exiftool-perl)"
)
class TestExifTool:
    def tool(self, *args: object) -> str:
        done = subprocess.run(
            ["exiftool", "-q", "-m", *map(str, args)], capture_output=True, check=True, text=True, timeout=60
        )
        return done.stdout

    def test_what_it_writes_is_read(self, tmp_path: Path) -> None:
        path = photo(tmp_path / "a.jpg")
        self.tool("-GPSLatitude=59.91", "-GPSLatitudeRef=N", "-overwrite_original", path)
        assert what_it_says(path).says == "its EXIF data hold a latitude without longitude: 59.9100 N"
        self.tool("-GPSLongitude=10.75", "-GPSLongitudeRef=E", "-overwrite_original", path)
        assert what_it_says(path).state == "whole"
        self.tool("-GPSLatitudeRef=", "-GPSLongitudeRef=", "-overwrite_original", path)
        assert "without hemisphere: 59.9100, 10.7500" in what_it_says(path).says

    @pytest.mark.parametrize("name", ["a.xmp", "a.jpg.xmp"])
    def test_its_sidecars_count_and_ours_are_read(self, name: str, tmp_path: Path) -> None:
        path = photo(tmp_path / "a.jpg")
        self.tool("-XMP-exif:GPSLatitude=59.91", "-XMP-exif:GPSLongitude=10.75", tmp_path / name)
        said = what_it_says(path)
        assert (said.state, said.position) == ("whole", f"the sidecar {name}")
        assert said.latlon is not None
        assert tuple(said.latlon) == pytest.approx((59.91, 10.75), abs=1e-6)
        (tmp_path / name).unlink()
        style: xmp.Style = "lightroom" if name == "a.xmp" else "darktable"
        xmp.write(row_of(full(source=str(path))), names=xmp.SidecarNames(style))
        found = json.loads(self.tool("-j", "-n", tmp_path / name))[0]
        assert (found["GPSLatitude"], found["GPSLongitude"]) == pytest.approx((48.7758, 9.1829), abs=1e-6)

    @pytest.mark.parametrize("copy", [["-all:all"], ["-gps:all<xmp-exif:all"], ["-exif:all<xmp-exif:all", "-all:all"]])
    def test_an_estimate_that_it_copies_into_a_photo_stays_one(self, copy: list[str], tmp_path: Path) -> None:
        path = photo(tmp_path / "a.jpg")
        xmp.write(row_of(full(source=str(path))))
        self.tool("-tagsfromfile", tmp_path / "a.jpg.xmp", *copy, "-o", tmp_path / "b.jpg", path)
        assert "48 deg" in self.tool("-GPSLatitude", tmp_path / "b.jpg")
        assert what_it_says(tmp_path / "b.jpg").state == "none"
        position = ("-GPSLatitude=59.91", "-GPSLatitudeRef=N", "-GPSLongitude=10.75", "-GPSLongitudeRef=E")
        other = ("-GPSProcessingMethod=", "-XMP:GPSProcessingMethod=", "-GPSHPositioningError=")
        self.tool(*position, *other, "-overwrite_original", tmp_path / "b.jpg")
        assert what_it_says(tmp_path / "b.jpg").state == "whole"

    @pytest.mark.parametrize("form", ["", "%.6f", "%d %d %.4f", "%+.6f", "%d %.5f"])
    def test_positions_as_it_prints_them_are_read(self, form: str, tmp_path: Path) -> None:
        from geoagent.places.coordinates import read_coordinates

        path = photo(tmp_path / "a.jpg", LIMA)
        options = ["-c", form] if form else []
        printed = self.tool("-s3", "-GPSPosition", *options, path).strip()
        found = read_coordinates(printed)
        assert found is not None, printed
        assert tuple(found.position) == pytest.approx((-12.05, -77.04), abs=1e-5)
