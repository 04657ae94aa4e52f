"""Configuration: unknown keys are refused, variants are files."""

from __future__ import annotations

import pytest

from geoagent.config import Config
from geoagent.errors import ConfigError


def test_a_bare_name_is_a_plug():
    config = Config.make({"ocr": "nothing", "constraints": "lexicon", "refiner": {"name": "mode", "bandwidth_km": 9}})
    assert config.ocr.name == "nothing"
    assert config.refiner.options == {"bandwidth_km": 9}
    assert [c.name for c in config.constraints] == ["lexicon"]


def test_files_are_read_and_overridden(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('within = ["de", "at"]\nmax_precision = "city"\nocr = { name = "rapidocr", max_side_px = 1600 }\n')
    config = Config.load(path, max_precision="region")
    assert config.within == ("DE", "AT")
    assert config.max_precision == "region"
    assert config.ocr.options == {"max_side_px": 1600}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"refiners": "mode"}, "did you mean 'refiner'"),
        ({"max_precision": "street"}, "max_precision"),
        ({"text_weight": -1}, "text_weight"),
        ({"neighbours": 0}, "neighbours"),
        ({"ocr": {"max_side_px": 3}}, "ocr.name"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(ConfigError, match=message):
        Config.make(settings)


@pytest.mark.parametrize(("text", "message"), [("a = [", "not valid TOML"), (None, "cannot read")])
def test_unreadable_files_are_one_line(tmp_path, text, message):
    path = tmp_path / "b.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        Config.load(path)
