"""Prompts: versions in the name, every variable filled, values never expanded."""

from __future__ import annotations

import pytest

from geoagent.errors import ConfigError
from geoagent.prompts import Prompt, names


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ask.v1.md").write_text("Signs: $signs. Country: ${country}. Price: $$5", "utf-8")
    (tmp_path / "README.md").write_text("no prompt", "utf-8")
    return tmp_path


def test_variables_are_filled_in_one_pass(folder):
    prompt = Prompt.load("ask.v1", folder)
    assert prompt.variables == ("country", "signs")
    assert prompt.render(signs="$country {x}", country="CH") == "Signs: $country {x}. Country: CH. Price: $5"


@pytest.mark.parametrize(
    ("values", "message"), [({"signs": "a"}, "missing country"), ({"signs": "", "country": "", "x": ""}, "unknown x")]
)
def test_wrong_variables_are_named(folder, values, message):
    with pytest.raises(ConfigError, match=message):
        Prompt.load("ask.v1", folder).render(**values)


@pytest.mark.parametrize("name", ["ask", "ask.v2", "../ask.v1", "README"])
def test_unknown_prompts_list_the_known_ones(folder, name):
    with pytest.raises(ConfigError, match=r"ask\.v1"):
        Prompt.load(name, folder)


def test_names_are_the_versioned_files(folder):
    assert names(folder) == ("ask.v1",)
    for name in names():
        assert Prompt.load(name).text
