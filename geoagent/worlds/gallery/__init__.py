"""A world's gallery: training photos for retrieval, their clusters, and a head over their places."""

from geoagent.worlds.gallery.head import GalleryHead
from geoagent.worlds.gallery.prototypes import Prototypes
from geoagent.worlds.gallery.store import Gallery, Storage

__all__ = ["Gallery", "GalleryHead", "Prototypes", "Storage"]
