"""Write geoagent/places/gazetteer/han.py: maps variants of Han characters to one form.

Needs the PyPI package opencc-python-reimplemented (Apache-2.0); only its character tables are used:
``pip install opencc-python-reimplemented && python gazetteer/build/han.py``.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

TARGET = Path(__file__).resolve().parents[2] / "geoagent" / "places" / "gazetteer" / "han.py"
HEAD = '''"""Han characters and the shape that all their variants are folded to (simplified Chinese).

Made by gazetteer/build/han.py from the character tables of OpenCC (Apache-2.0); do not edit.
"""

'''


def pairs() -> dict[str, str]:
    """Map traditional and Japanese variants to the simplified character."""
    spec = importlib.util.find_spec("opencc")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("pip install opencc-python-reimplemented")
    folder = Path(next(iter(spec.submodule_search_locations))) / "dictionary"

    def read(name: str) -> list[tuple[str, str]]:
        rows = (line.split("\t") for line in (folder / name).read_text(encoding="utf-8").splitlines() if "\t" in line)
        return [(row[0], row[1].split()[0]) for row in rows]

    simple = dict(read("TSCharacters.txt"))
    out = {a: b for a, b in simple.items() if a != b}
    for traditional, japanese in read("JPVariants.txt"):
        if len(japanese) == 1 and japanese not in out:
            out[japanese] = simple.get(traditional, traditional)
    return {a: b for a, b in sorted(out.items()) if len(a) == len(b) == 1 and a != b and out.get(b, b) == b}


def main() -> None:
    """Write the module."""
    table = pairs()
    parts = [HEAD]
    for name, text in (("VARIANTS", "".join(table)), ("FOLDED", "".join(table.values()))):
        lines = [f'    "{text[i : i + 54]}"\n' for i in range(0, len(text), 54)]
        parts.append(f"{name} = (\n{''.join(lines)})\n")
    TARGET.write_text("".join(parts), encoding="utf-8")
    print(f"{TARGET}: {len(table)} pairs")


if __name__ == "__main__":
    main()
