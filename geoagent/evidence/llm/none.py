"""No language model: requests get no reply, and the answer is based on the lexicon and the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geoagent.evidence.llm_messages import Ask, Reply

if TYPE_CHECKING:
    from geoagent.protocols import Assets


class NoModel:
    """A model that never replies."""

    name = "none"

    def __call__(self, ask: Ask) -> Reply:
        """Return the outcome "none"."""
        return Reply("none", why="no language model is configured")

    def payload(self, ask: Ask) -> dict[str, Any]:
        """Return an empty payload."""
        return {}


def build(assets: Assets) -> NoModel:
    """Build the model; it has no options."""
    return NoModel()
