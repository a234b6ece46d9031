"""What is passed over in folders and archives, and why: by its name, or as no picture.

A reason begins with the kind of the file, in the plural, and "are": see `results.kind_of`.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from pathlib import PurePath, PurePosixPath

from bilderatlas.indexing.images import PICTURE_SUFFIXES, looks_like_picture, unread

# What other programs derive from pictures, and what was thrown away.
EXCLUDED = (
    "@eaDir", "#recycle", "#snapshot", ".Trash*", "$RECYCLE.BIN", "System Volume Information",
    "Thumbs", "*.photoslibrary/resources", "*.photoslibrary/database", "*.aplibrary/Previews",
    "*.aplibrary/Thumbnails", "*.migratedphotolibrary/Thumbnails", "*.lrdata", "node_modules",
)  # fmt: skip
# Files that systems leave behind: no one misses them.
OF_SYSTEMS = re.compile(r"\.ds_store|\._.*|__macosx|(eh)?thumbs\.db|desktop\.ini|\.localized", re.I)
ARCHIVE_SUFFIXES = (
    ".zip", ".cbz", ".tar", ".cbt", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz",
)  # fmt: skip
NOT_NOTED = ""
COLLECTION = "collections are not sources"
UNKNOWN = "other files are not pictures, by their names and first bytes"
REASONS = {
    f".{suffix}": reason
    for suffixes, reason in (
        (
            "7z arj br bz2 cab cbr cbz cbt dmg gz iso lz4 lzh rar tar tbz2 tgz txz xz zip zst",
            "archives are read as ZIP or tar, and not inside one another; unpack them",
        ),
        ("csv pq parquet tsv", "tables are not read inside folders; index them by themselves"),
        (
            "doc docx epub key mobi numbers odp ods odt pages ppt pptx rtf xls xlsx",
            "documents are not pictures",
        ),
        (
            "aae cfg css htm html ini js json log md nfo srt toml txt url vtt xml xmp yaml yml",
            "texts are not pictures",
        ),
        ("aac aif aiff amr flac m4a mid mp3 oga ogg opus wav wma", "sounds are not pictures"),
    )
    for suffix in suffixes.split()
}


class Names:
    """Which files and folders are passed over by their names."""

    def __init__(self, exclude: Sequence[str] = (), *, with_hidden: bool = False) -> None:
        """Patterns fit a name, or the last parts of a path where they have a slash."""
        self._with_hidden = with_hidden
        self._patterns = [(pattern, pattern.lower().strip("/").split("/")) for pattern in exclude]
        last = (fnmatch.translate(parts[-1]) for _, parts in self._patterns)
        self._any = re.compile("|".join(last) or r"(?!)")

    def why(self, path: str, *, is_folder: bool) -> str | None:
        """Why a path below its source is passed over; None where it is not.

        NOT_NOTED for what nobody misses.
        """
        name = path.rpartition("/")[2]
        if OF_SYSTEMS.fullmatch(name):
            return NOT_NOTED
        what = "folders" if is_folder else "files"
        if pattern := self._pattern(path):
            return f"excluded {what} are passed over, by the pattern {pattern}"
        if name.startswith(".") and name != ".." and not self._with_hidden:
            return f"hidden {what} are passed over"
        if is_folder and name.lower().endswith(".atlas"):
            return COLLECTION
        return None

    def why_inside(self, member: str) -> tuple[str, str] | None:
        """The part of a path in an archive that is passed over, and why."""
        parts = PurePosixPath(member).parts
        for n in range(1, len(parts) + 1):
            path = "/".join(parts[:n])
            reason = self.why(path, is_folder=n < len(parts))
            if reason is not None:
                return path, reason
        return None

    def _pattern(self, path: str) -> str | None:
        lowered = path.lower()
        if not self._any.match(lowered.rpartition("/")[2]):
            return None
        names = lowered.split("/")
        for pattern, parts in self._patterns:
            last = names[-len(parts) :]
            if len(last) == len(parts) and all(map(fnmatch.fnmatchcase, last, parts)):
                return pattern
        return None


def has_picture_suffix(name: str) -> bool:
    """Whether a file name ends like a picture's."""
    return PurePath(name).suffix.lower() in PICTURE_SUFFIXES


def why_no_picture(name: str, head: bytes) -> str | None:
    """Why a file is no picture, by its name and its first bytes; None where it is one."""
    if has_picture_suffix(name):
        return None
    named = unread.by_suffix(name)
    is_raw = named is unread.RAW and head[:2] in (b"II", b"MM")  # most begin like a TIFF
    if looks_like_picture(head) and not is_raw:
        return None
    kind = named or unread.by_content(head)
    if kind:
        return kind.reason
    if not head:
        return "empty files are not pictures"
    return REASONS.get(PurePath(name).suffix.lower(), UNKNOWN)
