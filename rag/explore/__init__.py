"""Finding one's way in the corpus: its events in time, its map, jurisdictions side by side. Pure functions over an index."""
