"""The pages: one file a page in `views`, one shell around them (`app.py`), all their words in
`locales`.
"""
