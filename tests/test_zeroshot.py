"""A world from an image-text model: a sentence a cell, and a head made of the sentences' embeddings."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest
from conftest import make_world

from geoagent.agent.core import GeoAgent
from geoagent.errors import ConfigError, WeightsError
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.geocells import Geocells
from geoagent.prompts import Prompt
from geoagent.types import Photo
from geoagent.worlds.world import Support, World

torch = pytest.importorskip("torch", reason="torch is not installed (pip install 'geoagent-photo[train]')")
if importlib.util.find_spec("open_clip") is None:
    pytest.skip("open_clip is not installed (pip install 'geoagent-photo[vision]')", allow_module_level=True)

from geoagent.worlds.lens import unit_rows  # noqa: E402
from geoagent.worlds.training.content_free import MOST_NATS, calibrate  # noqa: E402
from geoagent.worlds.training.zeroshot import (  # noqa: E402
    all_sentences,
    cell_names,
    make_zeroshot_world,
    sentence_rows,
    sentences,
)

TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
PHOTO = Photo(np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def starter() -> World:
    return World.load()


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    open_clip = pytest.importorskip("geoagent.evidence.encoders.open_clip").open_clip
    from safetensors.torch import save_file

    made = tmp_path_factory.mktemp("clip")
    (made / "tiny-text.json").write_text(json.dumps(TINY))
    open_clip.add_model_config(made / "tiny-text.json")
    torch.manual_seed(5)
    model = open_clip.create_model("tiny-text")
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, made / "open_clip_model.safetensors")
    (made / "tiny-text.json").unlink()
    (made / "open_clip_config.json").write_text(json.dumps({"model_cfg": TINY}))
    return made


@pytest.fixture(scope="module")
def few() -> World:
    """Five cells in four countries."""
    at = np.array([(48.14, 11.58), (52.52, 13.40), (35.68, 139.76), (-1.29, 36.82), (43.74, 7.42)], dtype=np.float32)
    code, admin1 = np.array(["DE", "DE", "JP", "KE", "MC"]), np.array(["DE.02", "DE.16", "JP.40", "KE.05", ""])
    cells = Geocells(at, code, admin1, np.full(5, 20.0))
    return World("few", cells, np.log([3.0, 2.0, 5.0, 1.0, 0.1]), Support.of_centroids(cells))


@pytest.fixture(scope="module")
def world(folder, few, gazetteer) -> World:
    return make_zeroshot_world(checkpoint=folder, base=few, gazetteer=gazetteer)


def test_every_cell_of_the_world_has_a_name(starter, gazetteer):
    names = cell_names(starter, gazetteer)
    assert len(names) == len(starter.cells)
    assert all("country" in known for known in names)
    assert np.mean(["city" in known for known in names]) > 0.9
    by_place = {}
    for place, want in (((48.137, 11.575), "Munich"), ((35.68, 139.76), "Tokyo"), ((-1.286, 36.817), "Nairobi")):
        cell = int(starter.cells.assign([place])[0])
        by_place[want] = names[cell]
    assert by_place["Tokyo"]["country"] == "Japan"
    assert by_place["Nairobi"]["country"] == "Kenya"
    assert by_place["Munich"]["region"] in ("Bavaria", "Bayern")


def test_the_first_line_that_fits_is_taken():
    prompt = Prompt("x.v1", "Near $city, $region, $country.\nIn $region, $country.\n\nIn $country.\n")
    known = [{"city": "Köln", "region": "NRW", "country": "Germany"}, {"region": "NRW", "country": "Germany"}]
    assert sentences(prompt, [*known, {"city": "Monaco", "country": "$Monaco"}]) == [
        "Near Köln, NRW, Germany.",
        "In NRW, Germany.",
        "In $Monaco.",
    ]
    with pytest.raises(ConfigError, match="no line for geocell 1"):
        sentences(Prompt("x.v1", "In $country."), [known[0], {"city": "Oslo"}])


def test_the_head_is_the_sentences_embeddings(folder, world, few, gazetteer):
    import open_clip

    model = open_clip.create_model(f"local-dir:{folder}").eval()
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    said = sentences(Prompt.load("zeroshot.v1"), cell_names(few, gazetteer))
    assert said[2] == "A photo I took close to the town of Tokyo in the region of Tokyo in Japan."
    some = [0, 1, 2, 3, 4]
    with torch.no_grad():
        want = model.encode_text(tokenizer([said[i] for i in some]), normalize=True).numpy()
        scale = float(model.logit_scale.exp())
    assert world.head is not None
    np.testing.assert_allclose(world.head.weight[some], want * scale, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(world.head.bias, few.log_prior, atol=1e-6)
    embedding = want[1]
    logits = world.head.weight.astype(float) @ embedding + few.log_prior
    np.testing.assert_allclose(world.head(embedding), logits - np.logaddexp.reduce(logits), atol=1e-4)
    assert world.card["prompt"] == "zeroshot.v1"
    assert world.card["example"] in said


def test_all_sentences_of_a_cell_are_averaged(folder, few, gazetteer):
    import open_clip

    from geoagent import plugs

    said = all_sentences(Prompt.load("zeroshot.v2"), cell_names(few, gazetteer))
    assert said[3][0] == "A photo taken in Kenya."
    assert [len(lines) for lines in said] == [4, 4, 4, 4, 3]
    many = [*said, *([f"A photo taken on street {i}."] for i in range(90))]
    encoder = plugs.build("encoders", "open_clip", None, checkpoint=folder)
    rows = sentence_rows(encoder, many, architecture=f"local-dir:{folder}")
    model = open_clip.create_model(f"local-dir:{folder}").eval()
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}", context_length=32)
    for cell in (0, 1, 2, 3, 4, 40):
        with torch.no_grad():
            want = model.encode_text(tokenizer(many[cell]), normalize=True).numpy().mean(axis=0)
        np.testing.assert_allclose(rows[cell], want / np.linalg.norm(want), atol=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_a_head_that_knows_nothing_moves_the_prior_little(seed):
    rng = np.random.default_rng(seed)
    prior = np.log(rng.dirichlet(np.ones(50)))
    rows, nothing, others = (unit_rows(rng.normal(size=(n, 24)).astype(np.float32)) for n in (50, 40, 200))
    mean, scale, moved = calibrate(rows, nothing, prior, most=100.0)
    assert moved <= MOST_NATS
    assert scale < 100
    logits = scale * (others - mean) @ rows.T + prior
    log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    assert (np.exp(log_p) * (log_p - prior)).sum(axis=1).mean() < 2 * MOST_NATS


def test_a_head_that_sees_the_same_in_all_nothing_keeps_the_models_scale():
    rng = np.random.default_rng(1)
    rows = unit_rows(rng.normal(size=(9, 8)).astype(np.float32))
    mean, scale, moved = calibrate(rows, np.repeat(rows[:1], 10, axis=0), np.log(np.full(9, 1 / 9)), most=40.0)
    assert (scale, round(moved, 9)) == (40.0, 0.0)
    np.testing.assert_allclose(mean, rows[0], atol=1e-6)


def test_the_prior_and_the_scale_can_be_set(folder, few, gazetteer):
    flat = make_zeroshot_world(checkpoint=folder, base=few, gazetteer=gazetteer, scale=2.0, prior_weight=0.0)
    assert flat.head is not None
    np.testing.assert_allclose(np.linalg.norm(flat.head.weight, axis=1), 2.0, atol=1e-4)
    assert not flat.head.bias.any()
    for wrong in ({"scale": 0.0}, {"prior_weight": -1.0}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            make_zeroshot_world(checkpoint=folder, base=few, gazetteer=gazetteer, **wrong)


def test_the_agent_uses_such_a_world_unchanged(world, tmp_path):
    agent = GeoAgent.load(world=str(world.save(tmp_path / "w")), ocr="nothing")
    answer = agent.locate(PHOTO)
    assert answer.best is not None
    assert not any("not judged" in warning for warning in answer.warnings)
    assert sum(c.p for c in answer.countries) == pytest.approx(1, abs=1e-3)


def test_a_world_without_known_countries_is_refused(folder, gazetteer):
    with pytest.raises(ConfigError, match="no line for geocell"):
        make_zeroshot_world(checkpoint=folder, base=make_world(), gazetteer=gazetteer)


def test_missing_weights_are_one_clear_line(tmp_path):
    with pytest.raises(WeightsError, match="no weights at"):
        make_zeroshot_world(checkpoint=tmp_path / "none.pt")
