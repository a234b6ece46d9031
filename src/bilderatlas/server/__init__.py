"""REST under `/api/v1` and the pages under `/`: `server.app.create(collection)`."""
