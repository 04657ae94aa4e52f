"""Plugs by name."""

from __future__ import annotations

import sys
import types

import pytest
from conftest import make_world

from geoagent import plugs
from geoagent.errors import ConfigError, MissingDependency, UnknownPlug
from geoagent.optional import needs
from geoagent.protocols import Assets

ASSETS = Assets(make_world(), None, None)  # type: ignore[arg-type]


def test_names_are_the_files_of_the_folder():
    assert plugs.names("refiners") == ("barycentre", "centroid", "mode", "nearest")
    assert "rapidocr" in plugs.names("ocr")
    assert "lexicon" in plugs.names("constraints")


def test_an_unknown_plug_lists_the_known_ones():
    with pytest.raises(UnknownPlug, match="barycentre, centroid, mode, nearest"):
        plugs.build("refiners", "gradient", ASSETS)
    with pytest.raises(UnknownPlug, match="encoders"):
        plugs.names("colours")


def test_an_unknown_option_is_a_configuration_error():
    with pytest.raises(ConfigError, match="bandwith"):
        plugs.build("refiners", "mode", ASSETS, bandwith=3)


def test_a_plug_outside_the_package_is_named_by_its_module(monkeypatch: pytest.MonkeyPatch):
    module = types.ModuleType("somebody.elses")
    module.build = lambda assets, factor=2: ("built", factor)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "somebody", types.ModuleType("somebody"))
    monkeypatch.setitem(sys.modules, "somebody.elses", module)
    assert plugs.build("refiners", "somebody.elses", ASSETS, factor=3) == ("built", 3)
    with pytest.raises(UnknownPlug, match=r"nobody\.there"):
        plugs.build("refiners", "nobody.there", ASSETS)


def test_a_missing_package_names_the_extra_and_an_inner_failure_is_not_disguised():
    with (
        pytest.raises(MissingDependency, match=r"pip install 'geoagent-photo\[vision\]'"),
        needs("vision", "no_such_pkg"),
    ):
        import no_such_pkg  # noqa: F401
    with pytest.raises(ModuleNotFoundError, match="no_inner"), needs("vision", "no_such_pkg"):
        import no_inner  # noqa: F401
