"""The words of the pages, in each language."""
