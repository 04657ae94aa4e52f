"""The explanation phrased by a language model, with every sentence checked against the computed facts.

A model may phrase the statements of `explain.statements`; it cannot add to them. Each of its sentences says which
statements it restates, and may hold nothing but words that stand in those, and words that carry no fact of their own.
So a place, a number or a cue that is not in the evidence removes the sentence. Without a model, or where nothing is
left, the statements speak for themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from pydantic import BaseModel, Field

from geoagent.evidence.llm_messages import Ask, Message
from geoagent.evidence.scripts import clean
from geoagent.prompts import Prompt
from geoagent.protocols import LanguageModel


class Sentence(BaseModel):
    """One sentence and the facts that it restates."""

    text: str = Field(max_length=400)
    facts: list[int] = Field(max_length=8)


class Narrative(BaseModel):
    """A few sentences."""

    sentences: list[Sentence] = Field(max_length=8)


_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_NUMBER = re.compile(r"\d+(?:[.,\u00a0 ]\d+)*")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FREE = _words(
    """
    a an the this that these those it its itself they them their there here he she we you i one ones which who what
    where when while whose how why is are was were be been being am has have had do does did will would can could may
    might must should shall of in on at to from by with without for as about into near within between among around
    over under than then so such and or but nor yet also too both either neither each every any all most more less least
    much many few some other others another same only even just still already again further very quite rather almost
    nearly mostly mainly largely clearly probably possibly likely unlikely apparently perhaps maybe if because since
    although though however therefore thus hence whereas besides moreover overall finally first second third last
    says say said saying states state stated shows show shown showing means mean suggests suggest suggested suggesting
    indicates indicate indicated indicating points point pointing supports support supported supporting speaks speak
    spoken speaking confirms confirm favours favour favors favor agrees agree adds add added gives give given giving
    makes make made making leaves leave puts put placed places place located lies lie lying stands stand found find
    seen see read reads written writes names name named naming called taken take takes based according evidence clue
    clues cue cues fact facts reason reasons answer answers result results conclusion photo photograph picture image
    text texts line lines word words sign signs alone itself together itself strongest strong stronger main best top
    probability probable likelihood chance confidence confident certain certainty sure percent uncertainty kilometre
    kilometres kilometer kilometers km distance radius half nat nats country region city town unit area form type kind
    against no not none nothing never change changes changed unchanged differ differs different difference remains
    remain would-be reach reaches level judged judge
    """
)
_FREE_NUMBERS = frozenset({"50"})  # "half", as the other radius is called


def narrate(model: LanguageModel, prompt: Prompt, statements: Sequence[str]) -> tuple[str | None, int, str]:
    """Let the model phrase the statements.

    Args:
        model: the model.
        prompt: with the variable `facts`.
        statements: what was computed, most important first.

    Returns:
        The explanation, or None where the statements must speak for themselves; how many sentences were removed; and
        what went wrong, "" where nothing did.
    """
    facts = json.dumps([{"fact": i, "says": said} for i, said in enumerate(statements, start=1)], ensure_ascii=False)
    messages = tuple(Message(role, text) for role, text in prompt.messages(facts=facts))
    reply = model(Ask(prompt.name, messages, Narrative, max_tokens=600))
    if reply.outcome != "ok":
        return None, 0, "" if reply.outcome in ("none", "dry") else f"{reply.outcome}: {reply.why}"
    kept, cited = [], set()
    for sentence in reply.value.sentences:
        text = clean(sentence.text)
        if text and supported(text, [statements[i - 1] for i in sentence.facts if 0 < i <= len(statements)]):
            kept.append(text)
            cited |= set(sentence.facts)
    removed = len(reply.value.sentences) - len(kept)
    if not kept:
        return None, removed, ""
    if 1 not in cited:
        kept.insert(0, statements[0])  # an explanation must state what it explains
    return " ".join(kept), removed, ""


def supported(sentence: str, facts: Sequence[str]) -> bool:
    """Whether every name and number of a sentence stands in its facts.

    A negation must stand in the facts too, since "not in Germany" has no word that "in Germany" lacks.
    """
    if not facts:
        return False
    evidence = " ".join(facts)
    words = {word.casefold() for word in _WORD.findall(evidence)}
    stems = {_stem(word) for word in words}
    numbers = {_plain(number) for number in _NUMBER.findall(evidence)} | _FREE_NUMBERS
    if any(_plain(number) not in numbers for number in _NUMBER.findall(sentence)):
        return False
    for match in _WORD.finditer(sentence):
        word = match.group().casefold()
        if any(c.isdigit() for c in word) or word in words:
            continue
        # A capital in mid-sentence marks a name, which must come from the evidence.
        named = match.group()[0].isupper() and sentence[: match.start()].strip() != ""
        if named or (word not in _FREE and _stem(word) not in stems):
            return False
    negated = re.compile(r"\b(?:not|no|never|none|nor|neither|without|unlikely|against)\b|n['’]t\b", re.IGNORECASE)
    return not negated.search(sentence) or bool(negated.search(evidence))


def _stem(word: str) -> str:
    """A word without English inflection."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word.removesuffix(ending)
    return word


def _plain(number: str) -> str:
    """A number without its separators: "1 234" and "1,234" are the same."""
    return re.sub(r"[\u00a0 ,](?=\d{3}\b)", "", number).rstrip(".,")
