"""Index of names: from a key to the places with that name, and from a text to the keys that are its prefixes."""

from __future__ import annotations

import zipfile
from pathlib import Path

import marisa_trie
import numpy as np

from geoagent.errors import ResourceError


class Names:
    """Keys in a memory-mapped trie; for each key the places with that name, best first, and the kind of name.

    Kinds: 0 primary name, 1 alternate, 2 code, 3 derived from the primary name by rule.
    """

    def __init__(self, trie_path: Path, links_path: Path) -> None:
        try:
            self.trie = marisa_trie.Trie().mmap(str(trie_path))
            with np.load(links_path) as data:
                counts, packed = data["counts"], data["links"]
        except (OSError, RuntimeError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ResourceError(f"cannot read the names {trie_path.name}: {error}; reinstall geoagent") from error
        if len(counts) != len(self.trie):
            raise ResourceError(f"{links_path} does not belong to {trie_path.name}; reinstall geoagent")
        wide = np.zeros((len(packed), 4), dtype=np.uint8)
        wide[:, :3] = packed
        self._links = wide.view("<u4")[:, 0]
        self._offsets = np.zeros(len(counts) + 1, dtype=np.uint32)
        np.cumsum(counts, out=self._offsets[1:])
        self._offset = self._offsets.item
        self._get = self.trie.get
        self.prefixes = self.trie.prefixes

    def __len__(self) -> int:
        return len(self.trie)

    def __contains__(self, key: str) -> bool:
        return key in self.trie

    def links(self, key: str) -> list[tuple[int, int]]:
        """Return (place index, kind) for every place of this key, best first; [] for an unknown key."""
        ident = self._get(key)
        if ident is None:
            return []
        values = self._links[self._offset(ident) : self._offset(ident + 1)].tolist()
        return [(value >> 2, value & 3) for value in values]

    def top_link(self, key: str) -> int:
        """Return the index of the key's best place; the key must exist."""
        return int(self._links[self._offset(self._get(key))]) >> 2
