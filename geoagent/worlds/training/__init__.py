"""Training of worlds on user photos; torch is imported only when a head is trained."""

from geoagent.worlds.training.head import HeadSettings
from geoagent.worlds.training.table import Table, read_table
from geoagent.worlds.training.train import TrainSettings, train
from geoagent.worlds.training.tune import tune

__all__ = ["HeadSettings", "Table", "TrainSettings", "read_table", "train", "tune"]
