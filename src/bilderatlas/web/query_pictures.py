"""Pictures that people search with, kept for a while so that their search has an address."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from PIL import Image

from bilderatlas.indexing import images

N_KEPT = 64
SIDE = 1024  # pixels; encoders look at a quarter of that


class QueryPictures:
    """The latest uploaded pictures, made small. They stay in memory and nowhere else."""

    def __init__(self) -> None:
        self._jpegs: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def keep(self, content: bytes) -> str:
        """Take in a picture's bytes; its name comes back. Raises ImageProblem for what is none."""
        small = images.decode(content, min_side=SIDE).image
        small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        name = images.image_id(content)
        with self._lock:
            self._jpegs[name] = images.to_jpeg(small, quality=92)
            self._jpegs.move_to_end(name)
            if len(self._jpegs) > N_KEPT:
                self._jpegs.popitem(last=False)
        return name

    def jpeg(self, name: str) -> bytes | None:
        """The picture of this name, if it is still here."""
        return self._jpegs.get(name)
