"""Downloads of the page: GeoJSON, and a report with the command that reproduces the answer."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from geoagent.config import Config
from geoagent.evidence.photos import open_photo
from geoagent.interfaces.web.forms import Settings
from geoagent.interfaces.web.readers import Seen
from geoagent.interfaces.web.weigh import Scales
from geoagent.types import Photo
from geoagent.worlds.home import AUTO

_TELLING = frozenset({"--hint", "--within", "--not"})


def geojson_of(scales: Scales, seen: Seen, settings: Settings) -> str:
    """The answer as a GeoJSON FeatureCollection."""
    from geoagent.interfaces.outputs.geojson import feature_collection

    answer = scales.answer(seen, settings)
    return json.dumps(feature_collection([answer]), ensure_ascii=False)


def report_of(scales: Scales, seen: Seen, settings: Settings) -> str:
    """The answer as one self-contained HTML page; the report of a capped answer omits the photo."""
    from geoagent.interfaces.render.report import report_html

    agent = scales.under(settings)
    answer, assets = scales.answer(seen, settings), agent.assets
    capped = agent.config.capped
    return report_html(
        answer,
        photo=None if capped else photo_of(seen),
        outlines=assets.gazetteer.outlines(),
        # No command has the other photos of an album, which were sent along with this one.
        command="" if seen.album is not None else command_of(seen.observed.source, agent.config, settings),
        gazetteer=assets.gazetteer,
        card=assets.world.card,
        digest=None if capped else seen.digest,
        made=datetime.now(UTC).date(),
    )


def photo_of(seen: Seen) -> Photo:
    """The preview as a photo whose pixels are those of the original."""
    photo = open_photo(seen.preview)
    width = seen.observed.size_px[0] if seen.observed.size_px else photo.width_px
    return replace(photo, source=seen.observed.source, scale=max(1.0, width / photo.width_px))


def command_of(name: str, config: Config, settings: Settings) -> str:
    """What to run for the same answer; "…" for what the user said about the place where a cap must not tell it."""
    capped = config.capped
    options: dict[str, Any] = {
        "--world": config.world if str(config.world) != AUTO else None,
        "--hint": config.hint,
        "--within": ",".join(config.within),
        "--not": ",".join(config.exclude),
        "--max-precision": config.max_precision if config.max_precision != "full" else None,
        "--confidence": config.confidence if config.max_precision == "auto" else None,
        "--abstain-below": config.abstain_below,
    }
    words = ["geoagent", "locate"]
    for option, value in options.items():
        if value:
            words += [option, "…" if capped and option in _TELLING else str(value)]
    before = ""
    if (config.text_weight, config.vision_weight) != (1.0, 1.0):
        lines = rf"text_weight = {config.text_weight}\nvision_weight = {config.vision_weight}\n"
        before = f"printf '{lines}' > weights.toml && "
        words += ["--config", "weights.toml"]
    without = f"  # without {len(settings.without)} of its cues, left out by hand" if settings.without else ""
    return f"{before}{shlex.join([*words, '--', name])}{without}"
