"""Language models: one file a kind, all behind `protocols.LanguageModel`, each used through `Metered`."""

from geoagent.evidence.llm._metered import Metered

__all__ = ["Metered"]
