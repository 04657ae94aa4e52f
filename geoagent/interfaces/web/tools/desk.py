"""The one agent of a server of tools, and the one folder that it may look into."""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from geoagent.agent.core import GeoAgent
from geoagent.errors import GeoAgentError, InputError, PhotoError
from geoagent.evidence.capture import capture_of
from geoagent.evidence.observation import Observation
from geoagent.evidence.photos import find_photos, open_photo
from geoagent.evidence.tracks import Track, read_track
from geoagent.filenames import path_of, written
from geoagent.interfaces.render import shown
from geoagent.interfaces.web.tools.replies import PhotoList
from geoagent.optional import needs
from geoagent.types import Capture, Photo

with needs("web", "mcp"):
    from mcp.server.mcpserver.exceptions import ToolError

T = TypeVar("T")
ALBUM = 200
"""Most photos of one album."""
_REMEMBERED = ALBUM + 32  # so that an album that is weighed again under other settings is not read again
_LISTED = 500
_WHOLE_PX = 20_000  # longest side at which a photo is opened to look at a part of it


class Folder:
    """The one folder whose photos and tracks may be looked at.

    Raises:
        InputError: it is no folder.
    """

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise InputError(f"{root}: is no folder; name the one whose photos may be looked at")
        self._root = root.resolve()

    def file(self, path: str) -> Path:
        """The file of a path, links followed.

        Raises:
            PhotoError: it leads out of the folder, or is no file.
        """
        try:
            found = path_of(path, self._root).resolve()
        except (OSError, ValueError, RuntimeError) as error:
            raise PhotoError(f"{shown(path)!r} is no path") from error
        if not found.is_relative_to(self._root):
            raise PhotoError(f"{shown(path)!r} lies outside the folder that the user allowed")
        if not os.path.isfile(found):  # `Path.is_file` raises an error where it may not look
            raise PhotoError(f"{shown(path)!r}: no such file in the folder; list_photos tells what there is")
        return found

    def photos(self) -> list[str]:
        """Relative paths of the photos in it."""
        return [written(path.relative_to(self._root)) for path in find_photos([self._root])]


class Desk:
    """One agent, used by one call at a time; photos are read once."""

    def __init__(self, agent: GeoAgent, folder: Folder) -> None:
        self.agent, self.folder = agent, folder
        self._seen: OrderedDict[tuple[Path, int, int], Observation] = OrderedDict()
        self._busy = asyncio.Lock()

    async def do(self, act: Callable[[], T]) -> T:
        """Run one call beside the event loop; our own errors are told to the assistant in words."""
        async with self._busy:
            try:
                return await asyncio.to_thread(act)
            except GeoAgentError as error:
                raise ToolError(str(error)) from error

    def photos(self) -> PhotoList:
        """The photos in the folder."""
        found = self.folder.photos()
        return PhotoList(photos=found[:_LISTED], count=len(found))

    def capture(self, path: str) -> Capture:
        """When and with what a photo was taken."""
        file = self.folder.file(path)
        try:
            return capture_of(file)
        except PhotoError as error:
            raise PhotoError(str(error).replace(written(file), shown(path))) from error

    def track(self, path: str) -> Track:
        """Where the user was, and when; it goes by the path that the assistant knows."""
        file = self.folder.file(path)
        try:
            track = read_track(file)
        except InputError as error:
            raise InputError(str(error).replace(written(file), shown(path))) from error
        notes = tuple(note.replace(written(file), shown(path)) for note in track.notes)
        return replace(track, source=shown(path), notes=notes)

    def observed(self, path: str) -> Observation:
        """What is seen in a photo."""
        file = self.folder.file(path)
        state = file.stat()
        key = (file, state.st_mtime_ns, state.st_size)
        if key not in self._seen:
            try:
                self._seen[key] = self.agent.observe(file)
            except PhotoError as error:
                raise PhotoError(str(error).replace(written(file), shown(path))) from error
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return self._seen[key]

    def whole(self, path: str) -> Photo:
        """A photo with all its pixels, or as many as can be decoded."""
        file = self.folder.file(path)
        try:
            try:
                return open_photo(file, max_side_px=_WHOLE_PX)
            except PhotoError:  # reduced while it is decoded, it may be small enough
                return open_photo(file)
        except PhotoError as error:
            raise PhotoError(str(error).replace(written(file), shown(path))) from error
