"""Indexing: records -> pictures -> embeddings -> store, in batches.

`local.index` runs on this machine. What one picture's turn is stands in `reading`.
"""
