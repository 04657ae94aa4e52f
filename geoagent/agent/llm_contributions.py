"""What a language model adds beside its reading of the text: an opinion of the picture, and the words of the answer."""

from __future__ import annotations

from dataclasses import replace

from geoagent.agent.narrative import narrate
from geoagent.answer import Answer
from geoagent.config import Config
from geoagent.errors import GeoAgentError
from geoagent.evidence.constraints._picture import PictureSource
from geoagent.prompts import Prompt
from geoagent.protocols import LanguageModel
from geoagent.types import Photo, TextEvidence


def shown(viewer: PictureSource, photo: Photo, text: TextEvidence) -> TextEvidence:
    """The evidence with what a vision-language model sees; a model that fails is a warning."""
    try:
        return replace(text, constraints=(*text.constraints, *viewer(photo, text.regions)))
    except GeoAgentError as error:
        # A model that failed for the text as well is one warning, not two.
        told = "constraints from llm are missing"
        if any(told in warning for warning in text.warnings):
            both = f"constraints from llm and {viewer.name} are missing"
            return replace(text, warnings=tuple(w.replace(told, both) for w in text.warnings))
        return replace(text, warnings=(*text.warnings, f"constraints from {viewer.name} are missing: {error}"))


def narrated(answer: Answer, said: list[str], model: LanguageModel | None, config: Config) -> tuple[Answer, int]:
    """The answer in the model's words, as far as they stand in the evidence, and how many sentences did not.

    Args:
        answer: with the template's words.
        said: the statements that they are made of.
        model: the language model, or None.
        config: says whether it may phrase the answer.
    """
    use = config.llm_use
    if not use.narrative or model is None or use.dry_run or config.max_precision != "full":
        return answer, 0
    if any("constraints from llm" in warning or "second look ended" in warning for warning in answer.warnings):
        return answer, 0  # a model that has just failed is not asked more
    told, removed, wrong = narrate(model, Prompt.load("narrative.v1"), said)
    if wrong:
        warning = f"the explanation is in the template's words: {model.name}: {wrong}"
        answer = answer.model_copy(update={"warnings": [*answer.warnings, warning]})
    return (answer if told is None else answer.model_copy(update={"explanation": told})), removed
