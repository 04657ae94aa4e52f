"""Rendered scenes and the measuring of photos: seeded, complete, and without a truth where nothing tells it."""

from __future__ import annotations

import importlib
import io
import math
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import shared_data
from PIL import Image

from geoagent import GeoAgent
from geoagent.types import regions_from_lines
from geoagent.worlds.evaluation.generated import Signs

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
if not BENCHMARKS.is_dir():
    pytest.skip("this copy has no benchmarks", allow_module_level=True)
sys.path.append(str(BENCHMARKS))
scenes, drawing, photos, bench_photos = map(importlib.import_module, ("scenes", "_drawing", "_photos", "bench_photos"))

COUNT = 78  # two rounds of the 13 distractors and textures, three of the 8 kinds of evidence


@pytest.fixture(scope="module")
def signs(agent: GeoAgent) -> Signs:
    return Signs(agent.assets.gazetteer, agent.assets.facts, agent.assets.world.country_prior)


@pytest.fixture(scope="module")
def composed(signs: Signs) -> list[Any]:
    return scenes.compose(COUNT, signs, seed=3)


def test_a_seed_gives_the_same_scenes_and_more_of_them_begin_with_the_same(signs: Signs, composed: list[Any]):
    assert scenes.compose(COUNT // 2, signs, seed=3) == composed[: COUNT // 2]
    assert scenes.compose(COUNT, signs, seed=4) != composed


def test_every_kind_is_composed(composed: list[Any]):
    kinds = {part: {scene.kind for scene in composed if scene.part == part} for part in scenes.PARTS}
    assert kinds == {
        "evidence": set(scenes.EVIDENCE),
        "distractor": set(scenes.DISTRACTORS),
        "textless": set(scenes.TEXTURES),
    }
    assert len({scene.id for scene in composed}) == COUNT


def test_only_evidence_carries_a_country_and_only_textures_are_without_text(composed: list[Any]):
    for scene in composed:
        assert (scene.country is not None) == (scene.part == "evidence")
        assert bool(scene.lines) == (scene.part != "textless")
        assert all(scene.lines)


def test_photos_are_backgrounds_only_where_no_country_is_claimed(signs: Signs):
    found = scenes.compose(COUNT, signs, seed=3, photos=[Path("a.jpg")])
    parts = [scene.part for scene in found if scene.ground == "a.jpg"]
    assert set(parts) == {"distractor", "textless"}
    assert all(scene.kind == "photo" for scene in found if scene.ground == "a.jpg" and scene.part == "textless")


def test_plates_have_a_form_and_a_colour_of_their_country(agent: GeoAgent, composed: list[Any]):
    for scene in (scene for scene in composed if scene.kind == "plate"):
        known, (board, *_) = agent.assets.facts.plates[scene.country], scene.boards
        assert board.paper in known.colours
        # Separators may differ from those of the strict form.
        bare = re.sub(r"\W", "", board.lines[0])
        assert any(re.fullmatch(loose, bare) or re.fullmatch(loose, board.lines[0]) for _, loose, _ in known.patterns)


needs_fonts = pytest.mark.skipif(bool(drawing.missing()), reason=drawing.missing() or "fonts are there")


@needs_fonts
def test_every_scene_is_drawn_and_a_scene_always_alike(composed: list[Any]):
    for scene in composed:
        with Image.open(io.BytesIO(drawing.render(scene))) as image:
            assert 640 <= max(image.size) <= 1000
            assert np.asarray(image.convert("L")).std() > 1
    assert drawing.render(composed[0]) == drawing.render(composed[0])


@needs_fonts
@pytest.mark.parametrize("line", ["Köln", "Київ", "القاهرة", "ไทย", "東京", "서울", "தமிழ்", "ኢትዮጵያ", "საქართველო"])
def test_a_line_is_drawn_with_a_font_that_has_its_letters(line: str):
    unknown = drawing.flat("\uffff", drawing._PLAIN[0], "", (0, 0, 0))
    drawn = drawing.flat(line[0], drawing._PLAIN[0], "", (0, 0, 0))
    assert drawn.tobytes() != unknown.tobytes()
    assert drawing.flat(line, drawing._PLAIN[0], "", (0, 0, 0)).width > drawn.width


def judged(confidence: float, right: float, country: str | None, first: str = "DE") -> Any:
    sample = photos.Sample("x", Path("x.jpg"), "", country, ("group",))
    return photos.Judged(photos.Seen(sample, (), (9, 9)), first, confidence, right, loss=1.0, gain=0.5)


def test_figures_by_hand():
    rows = [judged(0.95, 1.0, "DE"), judged(0.75, 0.0, "FR"), judged(0.6, 0.1, None), judged(0.2, 1.0, "DE")]
    found = photos.figures(rows)
    assert (found.count, found.loss, found.gain) == (4, 1.0, 0.5)
    assert found.named == (0.75, 0.5, 0.25, 0.25)
    assert found.precision == pytest.approx((1.1 / 3, 0.5, 1.0, 1.0))
    assert found.ece == pytest.approx((0.05 + 0.75 + 0.5 + 0.8) / 4)
    assert all(math.isnan(share) for share in photos.figures(rows[3:]).precision)
    assert [row.confident_error for row in rows] == [False, True, False, False]
    assert judged(0.7, 0.1, None).confident_error


def test_totals_alone_show_no_group(capsys: pytest.CaptureFixture[str]):
    photos.print_figures([judged(0.95, 1.0, "DE")], by_group=False)
    assert "group" not in capsys.readouterr().out
    photos.print_figures([judged(0.95, 1.0, "DE")])
    assert "group" in capsys.readouterr().out


def test_without_text_nothing_is_better_than_the_prior(agent: GeoAgent):
    prior = agent.assets.world.country_prior
    sample = photos.Sample("x", Path("x.jpg"), "", None, ("group",))
    silent = photos.judge(photos.Seen(sample, (), (9, 9)), agent)
    assert silent.right == pytest.approx(silent.confidence) == pytest.approx(max(prior.values()))
    assert silent.gain == pytest.approx(0)
    misled = photos.judge(photos.Seen(sample, regions_from_lines(["50667 Köln", "Rathaus"]), (9, 9)), agent)
    assert misled.first == "DE"
    assert misled.gain < -0.5
    known = photos.Sample("x", Path("x.jpg"), "", "DE", ("group",))
    right = photos.judge(photos.Seen(known, misled.seen.regions, (9, 9)), agent)
    assert right.loss == pytest.approx(-math.log(misled.confidence))
    assert right.right == 1.0


def test_a_cache_is_used_until_the_picture_changes(tmp_path: Path, agent: GeoAgent, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "grey.png"
    Image.new("RGB", (64, 48), "grey").save(path)
    monkeypatch.setattr(photos, "_agent", lambda ocr: agent)
    sample = photos.Sample("set/grey", path, photos.key_of(path.read_bytes()), "DE", ("set",))
    photos._read(sample, tmp_path / "cache", "nothing")
    [seen] = photos.read([sample], tmp_path / "cache")
    assert seen.size_px == (64, 48)
    changed = photos.Sample("set/grey", path, photos.key_of(b"other"), "DE", ("set",))
    assert photos._cached(changed, tmp_path / "cache") is None


def test_three_in_ten_sources_are_frozen():
    frozen = [bench_photos.is_frozen(f"owner/name{i}") for i in range(2000)]
    assert 0.27 < sum(frozen) / len(frozen) < 0.33


def test_photos_without_a_sure_country_are_left_out_and_a_table_may_freeze_its_rows(tmp_path: Path):
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    table = tmp_path / "labels.csv"
    table.write_text("file,country,source,text\na.jpg,DE,s,Köln\nb.jpg,EG?,s,\nc.jpg,,s,\nd.jpg,FR,s,\n", "utf-8")
    [(sample, frozen)] = bench_photos.samples(table, "more")
    assert (sample.id, sample.country, sample.says, sample.groups) == ("more/a", "DE", "Köln", ("more",))
    assert frozen == bench_photos.is_frozen("s")
    table.write_text("file,country,source,kind,part\na.jpg,DE,s,sign,frozen\nb.jpg,EG,s,plate,dev\n", "utf-8")
    found = list(bench_photos.samples(table, "more"))
    assert [frozen for _, frozen in found] == [True, False]
    assert [sample.groups for sample, _ in found] == [("more", "more sign"), ("more", "more plate")]


def test_backgrounds_are_none_of_the_frozen_photos():
    table = shared_data("photos", "photos.csv")
    listed = set((BENCHMARKS / "textless_photos.txt").read_text("utf-8").split())
    rows = list(bench_photos.samples(table, "photos", source="source_repo"))
    assert listed <= {sample.picture.name for sample, frozen in rows if not frozen}
