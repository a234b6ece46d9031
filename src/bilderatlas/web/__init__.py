"""The pages: one file a page, one shell around them (`app.py`), all their words in `texts.py`."""
