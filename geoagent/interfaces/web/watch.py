"""What a server may be watched by: told of requests, photos and stages, and of nothing that names a photo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

Outcome = Literal["answered", "failed", "broken", "cancelled", "busy"]
"""What became of a photo: looked at; no readable photo; failed by the server; taken back; refused by a full queue."""
State = Literal["workers", "waiting", "observations", "tracks"]
"""What can be counted at any time."""


class Watch:
    """Watches nothing; a subclass counts."""

    def request(self, method: str, route: str, status: int) -> None:
        """A request was answered.

        Args:
            method: HTTP method.
            route: template of its path ("/api/jobs/{id}"); "" where no route fits.
            status: HTTP status; 0 where the client left before there was one.
        """

    def photo(self, outcome: Outcome, count: int = 1) -> None:
        """Photos came to an end."""

    def stage(self, stage: str, seconds: float) -> None:
        """A stage of a photo's way was over."""

    def restarted(self) -> None:
        """A worker process was started in the place of another."""

    def count(self, state: State, of: Callable[[], float]) -> None:
        """Where to ask for a state."""
