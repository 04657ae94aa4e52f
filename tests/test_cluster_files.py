"""The example files for clusters are of the form that their programs read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from geoagent.interfaces.cli import main

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed (it comes with ray)")

CLUSTER = Path(__file__).resolve().parents[1] / "examples" / "cluster"


def loaded(name: str) -> Any:
    return yaml.safe_load((CLUSTER / name).read_text("utf-8"))


def test_the_ray_cluster_fits_the_schema_of_ray() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed (it comes with ray)")
    ray = pytest.importorskip("ray", reason="ray is not installed (pip install 'geoagent-photo[bulk]')")
    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text("utf-8"))
    jsonschema.validate(loaded("ray-cluster.yaml"), schema)
    assert loaded("ray-cluster.yaml")["head_node_type"] in loaded("ray-cluster.yaml")["available_node_types"]


@pytest.mark.parametrize("name", ["rayjob.yaml", "indexed-job.yaml", "slurm.sh"])
def test_the_commands_have_options_that_exist(name: str) -> None:
    text = (CLUSTER / name).read_text("utf-8")
    words = (
        text[text.index("geoagent bulk") :].split("\n\n")[0].split("resources:")[0].split("shutdownAfter")[0].split()
    )
    options = {option for param in main.commands["bulk"].params for option in param.opts}
    used = {word for word in words if word.startswith("--")}
    assert used
    assert used <= options
    if name == "indexed-job.yaml":
        spec = loaded(name)["spec"]
        assert spec["completionMode"] == "Indexed"
        assert f"/{spec['completions']}" in text
