"""Limits of a server."""

from __future__ import annotations

from dataclasses import dataclass

from geoagent.errors import ConfigError

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Resource limits of a server; exceeding one returns a clear error instead of exhausting memory.

    Attributes:
        workers: worker processes that analyse photos; OCR needs about 1 GB each.
        photo_mb: maximum size of a photo.
        request_mb: maximum size of a request, which may contain several photos.
        waiting: maximum number of queued photos.
        waiting_mb: maximum memory of the queued photos.
        photos_a_job: maximum number of photos per job.
        reader_mb: memory above which a worker process is replaced after its current photo.
        read_s: timeout for one photo, in seconds; the worker process is then killed.
        upload_s: timeout for receiving a request, in seconds.
        remembered: maximum number of observations kept for further requests.
        tracks: maximum number of tracks kept for further requests.
        remembered_s: seconds after their last use at which observations and tracks expire.
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
    tracks: int = 16
    remembered_s: float = 3600.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} must be greater than 0, got {getattr(self, name)}")
