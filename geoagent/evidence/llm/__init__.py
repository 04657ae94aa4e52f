"""Language model clients: one file per kind, all implementing `protocols.LanguageModel` and wrapped in `Metered`."""

from geoagent.evidence.llm._metered import Metered

__all__ = ["Metered"]
