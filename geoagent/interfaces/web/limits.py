"""Limits of a server."""

from __future__ import annotations

from dataclasses import dataclass

from geoagent.errors import ConfigError

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a server; every one of them ends in a clear message, never in a full memory.

    Attributes:
        workers: processes that look at photos; reading text needs about 1 GB each.
        photo_mb: largest photo.
        request_mb: largest request, which may hold several photos.
        waiting: photos that may wait for a worker.
        waiting_mb: and how much memory they may take together.
        photos_a_job: most photos of one job.
        reader_mb: memory above which a reader is ended after its photo; a fresh one takes its place.
        read_s: seconds after which a worker that is busy with one photo is ended.
        upload_s: seconds within which a request must have arrived.
        remembered: observations that are kept, so that questions about them need no new reading.
        remembered_s: seconds after their last use at which they are forgotten.
    """

    workers: int = 1
    photo_mb: float = 64.0
    request_mb: float = 256.0
    waiting: int = 100
    waiting_mb: float = 512.0
    photos_a_job: int = 100
    reader_mb: float = 2500.0
    read_s: float = 120.0
    upload_s: float = 120.0
    remembered: int = 256
    remembered_s: float = 3600.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} must be greater than 0, got {getattr(self, name)}")
