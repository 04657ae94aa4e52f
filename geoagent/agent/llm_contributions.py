"""Contributions of a language model beside its reading of the text: an opinion of the picture, and the narrative."""

from __future__ import annotations

from dataclasses import replace

from geoagent.agent.narrative import narrate
from geoagent.answer import Answer
from geoagent.belief.explanation import NOT_JUDGED, SEEN_NOTHING
from geoagent.config import Config
from geoagent.errors import GeoAgentError
from geoagent.evidence.constraints._picture import PictureSource
from geoagent.prompts import Prompt
from geoagent.protocols import LanguageModel
from geoagent.types import Photo, TextEvidence, VisionEvidence


def shown(viewer: PictureSource, photo: Photo, text: TextEvidence) -> TextEvidence:
    """Add what a vision-language model sees to the evidence; a failure is a warning."""
    try:
        return replace(text, constraints=(*text.constraints, *viewer(photo, text.regions)))
    except GeoAgentError as error:
        # One warning for a model that failed for both the text and the picture.
        told = "constraints from llm are missing"
        if any(told in warning for warning in text.warnings):
            both = f"constraints from llm and {viewer.name} are missing"
            return replace(text, warnings=tuple(w.replace(told, both) for w in text.warnings))
        return replace(text, warnings=(*text.warnings, f"constraints from {viewer.name} are missing: {error}"))


def judged(viewer: PictureSource, vision: VisionEvidence, text: TextEvidence) -> VisionEvidence:
    """Take back the warning that the picture was not judged, where a model saw it; say so if it named no place.

    Args:
        viewer: what was asked.
        vision: the picture's evidence.
        text: the evidence after `shown`.
    """
    if any(f"{viewer.name} are missing" in warning for warning in text.warnings):
        return vision
    named = any(constraint.source == viewer.name for constraint in text.constraints)
    said = [SEEN_NOTHING if warning == NOT_JUDGED else warning for warning in vision.warnings]
    return replace(vision, warnings=tuple(warning for warning in said if not (named and warning == SEEN_NOTHING)))


def narrated(answer: Answer, said: list[str], model: LanguageModel | None, config: Config) -> tuple[Answer, int]:
    """Return the answer phrased by the model, and how many of its sentences the checker removed.

    Args:
        answer: phrased by the template.
        said: the statements behind its explanation.
        model: the language model, or None.
        config: whether the model may phrase the answer.
    """
    use = config.llm_use
    if not use.narrative or model is None or use.dry_run or config.max_precision != "full":
        return answer, 0
    if any("constraints from llm" in warning or "second look ended" in warning for warning in answer.warnings):
        return answer, 0  # do not ask a model again that has just failed
    told, removed, wrong = narrate(model, Prompt.load("narrative.v1"), said)
    if wrong:
        warning = f"the explanation is in the template's words: {model.name}: {wrong}"
        answer = answer.model_copy(update={"warnings": [*answer.warnings, warning]})
    return (answer if told is None else answer.model_copy(update={"explanation": told})), removed
