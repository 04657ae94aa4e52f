"""The language model as a constraint source: it names places, the gazetteer supplies coordinates, fusion weighs them.

It sees the text only, never the result for the picture, so that its statement is independent evidence. Every candidate
must cite words of the text; candidates that cite nothing, or words that do not occur, are dropped and counted.
"""

from __future__ import annotations

from geoagent.errors import ConfigError, ModelError
from geoagent.evidence import llm_log
from geoagent.evidence.constraints._believed import believed_text
from geoagent.evidence.constraints._mixture import Weighed, mixture
from geoagent.evidence.constraints._reply import Candidate, SignReading
from geoagent.evidence.constraints._resolve import resolve
from geoagent.evidence.constraints._signs import Signs
from geoagent.evidence.llm_messages import Ask, Message
from geoagent.evidence.scripts import clean
from geoagent.prompts import Prompt
from geoagent.protocols import Assets, LanguageModel
from geoagent.types import Constraint, Cue, Place, Span, TextRegion


class ModelSource:
    """Asks a language model which places the text indicates."""

    name = "llm"

    def __init__(self, model: LanguageModel, assets: Assets, prompt: Prompt, max_tokens: int) -> None:
        self._model, self._assets, self._prompt, self._max_tokens = model, assets, prompt, max_tokens

    def __call__(self, regions: tuple[TextRegion, ...], cues: tuple[Cue, ...]) -> tuple[Constraint, ...]:
        """Return at most one constraint.

        Raises:
            ModelError: the model gave no usable reply.
        """
        signs = Signs.of(regions, cues)
        book = llm_log.current()
        book.withheld += len(signs.withheld)
        if not any(any(c.isalnum() for c in line) for line in signs.lines.values()):
            return ()
        book.redacted += signs.masked
        reply = self._model(self.ask(signs))
        if reply.outcome in ("none", "dry"):
            return ()
        if reply.outcome != "ok":
            raise ModelError(f"{self._model.name}: {reply.outcome}: {reply.why}")
        return self.read(reply.value, signs)

    def ask(self, signs: Signs) -> Ask:
        """Build the request for prepared text."""
        messages = tuple(Message(role, text) for role, text in self._prompt.messages(signs=signs.json))
        return Ask(self._prompt.name, messages, SignReading, max_tokens=self._max_tokens)

    def read(self, reading: SignReading, signs: Signs) -> tuple[Constraint, ...]:
        """Turn a reply into at most one constraint."""
        book = llm_log.current()
        book.languages += [clean(reading.language)] if reading.language.strip() else []
        book.observations += [clean(o)[:200] for o in reading.observations if o.strip()]
        weighed: list[Weighed] = []
        spans: list[Span] = []
        for candidate in reading.candidates:
            cited = _cited(candidate, signs)
            if not cited:
                book.dropped += 1
                continue
            found = resolve(self._assets.gazetteer, clean(candidate.place), candidate.level, candidate.country)
            if found.note:
                book.notes.append(f"{found.note}: kept as a note of the language model")
            prior = self._assets.world.country_prior
            if not found.places or all(place.country not in prior for place, _ in found.places):
                continue
            weighed.append(Weighed(found, candidate.probability, clean(candidate.reason)))
            spans += [span for span in cited if span not in spans]
        constraint = mixture(
            weighed,
            believed_text,
            self._area,
            id="llm-1",
            kind="llm",
            source=self.name,
            model=self._model.name,
            spans=tuple(spans),
        )
        return () if constraint is None else (constraint,)

    def _area(self, place: Place) -> tuple[Place | None, Place | None]:
        gazetteer = self._assets.gazetteer
        return gazetteer.admin1(place.admin1) if place.admin1 else None, gazetteer.country(place.country)


def _cited(candidate: Candidate, signs: Signs) -> list[Span]:
    """Return the spans that a candidate cites; [] if it cites nothing, or its reason quotes text that is not there."""
    found = [signs.span(cite.region, cite.text) for cite in candidate.cites]
    if not found or any(span is None for span in found) or signs.invented(candidate.reason):
        return []
    return [span for span in found if span is not None]


def build(assets: Assets, prompt: str = "constraints.v1", max_tokens: int = 900) -> ModelSource:
    """Build the source.

    Args:
        assets: world, gazetteer and language model.
        prompt: name and version of the prompt.
        max_tokens: maximum number of tokens in a reply.

    Raises:
        ConfigError: no language model is configured, or the prompt does not exist.
    """
    if assets.model is None:
        raise ConfigError("the constraint source llm needs a language model: set llm, or --llm NAME")
    return ModelSource(assets.model, assets, Prompt.load(prompt), max_tokens)
