"""Analysis: arrays in, arrays out. Nothing here has heard of a collection, a path or a picture."""
