"""Embeddings and labelled examples, or prompts -> how likely each label is for each row."""
