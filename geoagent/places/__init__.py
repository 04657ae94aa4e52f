"""Places: coordinates, geocells and the gazetteer."""
