"""A world's gallery: training photos for retrieval, clusters of them, and a head over their places."""

from geoagent.gallery.head import GalleryHead
from geoagent.gallery.prototypes import Prototypes
from geoagent.gallery.store import Gallery, Storage

__all__ = ["Gallery", "GalleryHead", "Prototypes", "Storage"]
