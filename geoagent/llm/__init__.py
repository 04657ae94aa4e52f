"""Language models: one file a kind, all behind `stages.LanguageModel`, each used through `Metered`."""

from geoagent.llm._metered import Metered

__all__ = ["Metered"]
