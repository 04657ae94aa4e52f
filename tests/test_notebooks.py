"""The notebooks of examples/ run from top to bottom and still say what they say in the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def said(cell: Any) -> str:
    """What a cell printed and returned, as text."""
    outputs = cell.get("outputs", ())
    printed = "".join(o["text"] for o in outputs if o["output_type"] == "stream" and o["name"] == "stdout")
    returned = [str(o["data"].get("text/plain", "")) for o in outputs if o["output_type"] == "execute_result"]
    return "\n".join([printed.strip(), *returned])


def test_there_is_a_notebook() -> None:
    assert [path.name for path in NOTEBOOKS] == ["tour.ipynb"]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of the notebook's client and its event loop
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_says_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package, extra in (("nbclient", "dev"), ("ipykernel", "dev"), ("geopandas", "geo"), ("torch", "train")):
        pytest.importorskip(package, reason=f"{package} is not installed (pip install 'geoagent-photo[{extra}]')")
    import nbclient
    import nbformat

    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parents[1]))
    stored = nbformat.read(path, as_version=4)
    nbformat.validate(stored)
    code = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code), "the notebook in the repository was not executed"
    assert any("image/svg+xml" in str(cell.outputs) for cell in code), "it shows no map"
    before = [said(cell) for cell in code]
    client = nbclient.NotebookClient(
        stored, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute()
    assert [said(cell) for cell in code] == before
