"""The report about the language model in an answer, from the log of its calls."""

from __future__ import annotations

from geoagent.answer import LlmReport, LlmStep
from geoagent.evidence.llm_log import LlmLog

_FAILED = ("refused", "truncated", "malformed", "unavailable", "limit", "offline")


def report(book: LlmLog, model: str, usd_per_million: tuple[float, float] | None, removed: int = 0) -> LlmReport:
    """Summarise a log of calls.

    Args:
        book: the log.
        model: name of the model.
        usd_per_million: prices of a million tokens, in and out.
        removed: sentences that the checker of the explanation removed.
    """
    replies = [reply for _, reply in book.replies]
    sent = [reply for reply in replies if reply.requests and not reply.cached]
    usage = book.usage
    cost = None
    if usd_per_million is not None:
        cost = (usage.input_tokens * usd_per_million[0] + usage.output_tokens * usd_per_million[1]) / 1e6
    return LlmReport(
        model=model,
        prompts=list(dict.fromkeys(prompt for prompt, _ in book.replies)),
        calls=len(sent),
        cached=sum(reply.cached for reply in replies),
        repaired=sum(reply.repaired for reply in replies),
        failed=sum(reply.outcome in _FAILED for reply in replies),
        modes=list(dict.fromkeys(reply.mode for reply in sent)),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        tokens_estimated=usage.estimated,
        cost_usd=None if cost is None else round(cost, 8),
        languages=list(dict.fromkeys(book.languages)),
        observations=list(dict.fromkeys(book.observations)),
        notes=list(dict.fromkeys(book.notes)),
        dropped=book.dropped,
        redacted=book.redacted,
        withheld=book.withheld,
        removed=removed,
        steps=[LlmStep(tool=s.tool, arguments=s.arguments, result=s.result, change=s.change) for s in book.steps],
        would_send=list(book.would_send),
    )
