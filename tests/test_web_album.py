"""Albums over the HTTP API: photos that were looked at, weighed together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import Image
from stand_in.engine import KOELN, NOTHING, picture

pytest.importorskip("fastapi", reason="FastAPI or MCP is not installed (pip install 'geoagent-photo[web]')")
pytest.importorskip("uvicorn", reason="FastAPI or MCP is not installed (pip install 'geoagent-photo[web]')")

from web_server import SMALL, Running, running

LIMITS = replace(SMALL, photos_a_job=10)


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(LIMITS) as here:
        yield here


def taken(when: str, text: int = NOTHING, model: str = "Pixel 7") -> bytes:
    """A photo of a phone at a time of one day."""
    exif = Image.Exif()
    exif[0x10F], exif[0x110] = "Google", model
    exif.get_ifd(0x8769).update({0x9003: f"2023:07:04 {when}:00", 0x9011: "+02:00"})
    return picture(text, exif=exif)


def seen(server: Running, *photos: tuple[str, bytes]) -> list[str]:
    """Ids of photos that were looked at."""
    job = server.post("/api/jobs", [("photos", name, content) for name, content in photos]).json
    return [item["observation"] for item in server.job(job["id"])["items"]]


@pytest.fixture(scope="module")
def trip(server: Running) -> list[str]:
    return seen(
        server,
        ("before.png", taken("10:00")),
        ("sign.png", taken("10:12", KOELN)),
        ("after.png", taken("10:50")),
        ("Screenshot_1.png", picture()),
    )


def test_photos_place_one_another(server: Running, trip: list[str]) -> None:
    reply = server.post("/api/album", observations=trip)
    assert reply.status == 200, reply.json
    items = reply.json["items"]
    assert [item["answer"]["source"] for item in items] == ["before.png", "sign.png", "after.png", "Screenshot_1.png"]
    for item in (items[0], items[2]):
        assert item["answer"]["best"]["place"] == "Köln"
        assert item["answer"]["cues"][0]["kind"] == "album"
        assert item["answer"]["album"]["witnesses"][0]["source"] == "sign.png"
    assert items[0]["answer"]["album"]["taken"] == "2023-07-04T08:00:00Z"
    assert items[3]["answer"]["album"]["part"] is False
    assert server.post("/api/locate", observation=trip[0]).json["best"]["precision"] == "none"


def test_what_the_album_tells_can_be_asked_about(server: Running, trip: list[str]) -> None:
    told = server.post("/api/album", observations=trip).json["items"][0]["observation"]
    claim = server.post("/api/verify", observation=told, claim="Lisbon, Portugal").json
    assert claim["verdict"] == "contradicted"
    assert any("minutes after it a photo of the same camera" in each["says"] for each in claim["evidence"])
    view = server.post("/api/view", observation=told).json
    assert view["keys"][0] == "album"
    without = server.post("/api/locate", observation=told, without="album").json
    assert without["best"]["precision"] == "none"


def test_what_is_asked_later_still_tells_the_album(server: Running, trip: list[str]) -> None:
    item = server.post("/api/album", observations=trip).json["items"][2]
    told = item["observation"]
    assert server.post("/api/locate", observation=told).json["album"] == item["answer"]["album"]
    assert server.post("/api/view", observation=told).json["exact"]["album"]["taken"] == "2023-07-04T08:50:00Z"
    (feature,) = server.post("/api/geojson", observation=told).json["features"]
    assert feature["properties"]["taken"] == "2023-07-04T08:50:00Z"
    assert "sign.png" in feature["properties"]["witnesses"][0]
    assert server.post("/api/locate", observation=trip[2]).json["album"] is None
    capped = server.post("/api/locate", observation=told, max_precision="country").json
    assert capped["album"]["taken"] is None
    assert capped["album"]["witnesses"] == []


def test_the_report_of_a_photo_in_an_album_gives_no_command_for_it_alone(server: Running, trip: list[str]) -> None:
    told = server.post("/api/album", observations=trip).json["items"][0]["observation"]
    report = server.post("/api/report", observation=told).body.decode()
    assert "geoagent locate" not in report
    assert "2023-07-04 08:00 UTC" in report
    assert "geoagent locate" in server.post("/api/report", observation=trip[0]).body.decode()


def test_leaving_the_album_out(server: Running, trip: list[str]) -> None:
    items = server.post("/api/album", observations=trip, without="album").json["items"]
    assert items[0]["answer"]["best"]["precision"] == "none"
    assert items[1]["answer"]["best"]["place"] == "Köln"


def test_a_cap_hides_the_album(server: Running, trip: list[str]) -> None:
    reply = server.post("/api/album", observations=trip, max_precision="country")
    assert "Köln" not in reply.body.decode()
    assert reply.json["items"][0]["answer"]["best"]["place"] == "Germany"


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"observations": ["no-such-id"]}, 404, "not remembered"),
        ({}, 422, "observations"),
        ({"clocks": ["Canon"]}, 400, "a camera and hours"),
        ({"hint": "Qwxzatl"}, 400, "Qwxzatl"),
        ({"same_place": "perhaps"}, 422, "same_place"),
    ],
)
def test_what_is_wrong_is_said(
    server: Running, trip: list[str], fields: dict[str, str | list[str]], status: int, says: str
) -> None:
    given = fields if not fields or "observations" in fields else {"observations": trip, **fields}
    reply = server.post("/api/album", **given)
    assert reply.status == status
    assert says in reply.json["error"]


def test_one_photo_twice_is_refused(server: Running, trip: list[str]) -> None:
    reply = server.post("/api/album", observations=[trip[0], trip[0]])
    assert reply.status == 400
    assert "twice" in reply.json["error"]


def walk(*times: str, degrees: float = 50.94) -> bytes:
    """A track north of Köln, a point at each time of the day."""
    points = "".join(
        f'<trkpt lat="{degrees + 0.002 * i}" lon="6.96"><time>2023-07-04T{when}:00Z</time></trkpt>'
        for i, when in enumerate(times)
    )
    return f'<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{points}</trkseg></trk></gpx>'.encode()


def test_a_track_places_photos(server: Running, trip: list[str]) -> None:
    files = [("tracks", "walk.gpx", walk("07:50", "08:00", "08:20", "09:00"))]
    reply = server.post("/api/album", files, observations=[trip[0], trip[2]])
    assert reply.status == 200, reply.json
    first = reply.json["items"][0]
    assert first["answer"]["best"]["place"] == "Köln"
    assert first["answer"]["album"]["witnesses"][0]["rests_on"] == "track"
    assert reply.json["tracks"] == [
        {"name": "walk.gpx", "lines": [[[50.94, 6.96], [50.942, 6.96], [50.944, 6.96], [50.946, 6.96]]]}
    ]


def test_a_track_that_is_remembered_counts_until_it_is_forgotten(server: Running, trip: list[str]) -> None:
    content = walk("08:00", "09:00").replace(b"</trkseg>", b'<trkpt lat="1" lon="1"/></trkseg>')
    (read,) = server.post("/api/tracks", [("tracks", "walk.gpx", content)]).json
    assert (read["name"], read["points"], read["begin"]) == ("walk.gpx", 2, "2023-07-04T08:00:00Z")
    assert "1 without a time" in read["notes"][0]
    reply = server.post("/api/album", observations=trip[:1], track_ids=read["id"])
    assert reply.json["items"][0]["answer"]["best"]["place"] == "Köln"
    assert read["notes"][0] in reply.json["notes"]
    capped = server.post("/api/album", observations=trip[:1], track_ids=read["id"], max_precision="country").json
    assert (capped["tracks"], capped["notes"]) == ([], [])
    assert server.ask("DELETE", f"/api/tracks/{read['id']}").status == 204
    gone = server.post("/api/album", observations=trip[:1], track_ids=read["id"])
    assert gone.status == 404
    assert "a track is not remembered" in gone.json["error"]


def test_what_a_track_draws_is_of_the_days_of_the_photos(server: Running, trip: list[str]) -> None:
    long_ago = walk("08:00", degrees=10).replace(b"2023-07-04", b"2013-07-04")
    files = [("tracks", "walk.gpx", walk("08:00", "08:30")), ("tracks", "old.gpx", long_ago)]
    drawn = server.post("/api/album", files, observations=trip[:1]).json["tracks"]
    assert [(track["name"], len(track["lines"])) for track in drawn] == [("walk.gpx", 1), ("old.gpx", 0)]


@pytest.mark.parametrize(
    ("content", "says"), [(b"not a track", "walk.gpx"), (b"<gpx/>", "no points"), (b"PK\x03\x04 broken", "damaged")]
)
def test_a_track_that_is_none_is_refused(server: Running, trip: list[str], content: bytes, says: str) -> None:
    for path, fields in (("/api/tracks", {}), ("/api/album", {"observations": trip})):
        reply = server.post(path, [("tracks", "walk.gpx", content)], **fields)
        assert reply.status == 400, reply.json
        assert says in reply.json["error"]


def test_a_clock_that_is_stated(server: Running, trip: list[str]) -> None:
    reply = server.post("/api/album", observations=trip, clocks=["Google*=-3h", "Canon=1h"]).json
    told = reply["items"][0]["answer"]["album"]
    assert told["taken"] == "2023-07-04T08:00:00Z"  # what the file says
    assert told["clock"] == "you said that the clock of Google Pixel 7 is 3 hours behind UTC"
    assert told["clock"] in reply["notes"]


def test_what_the_album_told_stays_with_a_photo(server: Running, trip: list[str]) -> None:
    told = server.post("/api/album", observations=trip).json["items"][0]["observation"]
    view = server.post("/api/view", observation=told).json["answer"]["told"]
    assert view["witnesses"][0]["source"] == "sign.png"
    capped = server.post("/api/locate", observation=told, max_precision="country").json
    assert capped["album"]["witnesses"] == []
    assert capped["album"]["taken"] is None


def test_an_album_of_many_photos() -> None:
    limits = replace(SMALL, photos_a_job=55, waiting=55, remembered=110)
    with running(limits) as here:
        photos = [(f"{i}.png", taken(f"10:{i:02}", KOELN if i == 3 else NOTHING)) for i in range(55)]
        ids = seen(here, *photos)
        for _ in range(3):  # what an album tells takes the place of what it told before, never that of the photos
            reply = here.post("/api/album", observations=ids)
            assert reply.status == 200, reply.json
            assert {item["answer"]["best"]["place"] for item in reply.json["items"]} == {"Köln"}
        more = here.post("/api/album", observations=[*ids, "one-more"])
        assert more.status == 400
        assert "at most 55" in more.json["error"]


def test_one_place(server: Running, trip: list[str]) -> None:
    items = server.post("/api/album", observations=trip[:3], same_place="true").json["items"]
    assert {item["answer"]["best"]["place"] for item in items} == {"Köln"}
