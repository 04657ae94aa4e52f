"""Where things are: coordinates, geocells and the gazetteer."""
