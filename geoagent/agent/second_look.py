"""A second look at an undecided photo, by the language model, where the user allows one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from geoagent.agent.answer_builder import PICTURE
from geoagent.agent.investigation import Scene, investigate
from geoagent.evidence.constraints.llm import ModelSource
from geoagent.prompts import Prompt
from geoagent.types import Photo, TextEvidence, TextRegion, VisionEvidence

if TYPE_CHECKING:
    from geoagent.agent.core import GeoAgent


def second_look(agent: GeoAgent, photo: Photo | None, vision: VisionEvidence, text: TextEvidence) -> TextEvidence:
    """The evidence after an investigation, if the user allows one and the photo is undecided.

    Args:
        agent: looks again.
        photo: the photo, or None for text alone.
        vision: what the picture says.
        text: what was read in it.
    """
    steps, model = agent.config.llm_use.investigate, agent.assets.model
    if not steps or model is None or model.name == "none" or agent.config.llm_use.dry_run:
        return text
    if any("constraints from llm" in warning for warning in text.warnings):
        return text  # do not ask a model again that has just failed
    pictured = tuple(c for c in text.constraints if c.source == PICTURE)

    def again(regions: Sequence[TextRegion]) -> TextEvidence:
        fresh = agent.understand((*regions, *text.unread))
        return replace(fresh, constraints=(*fresh.constraints, *pictured))

    source = next((s.read for s in agent.sources if isinstance(s, ModelSource)), None)

    def log_probs(evidence: TextEvidence) -> Any:
        return agent.fusion(vision.log_probs, (*agent.builder.user_constraints, *evidence.constraints)).log_probs

    scene = Scene(agent.assets, agent.ocr, photo, again, log_probs, lambda logs: agent.neighbours(vision, logs), source)
    return investigate(scene, text, model, Prompt.load("investigate.v1"), steps)
