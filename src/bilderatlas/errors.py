"""Every exception of Bilderatlas, on one screen.

Each message says what happened with the value, what was expected, and what to do.
"""


class BilderatlasError(Exception):
    """The root: anything that Bilderatlas refuses, with a message for the person who asked."""


class CollectionNotFound(BilderatlasError, FileNotFoundError):
    """There is no collection at this path."""


class CollectionExists(BilderatlasError, FileExistsError):
    """A new collection was asked for where something already is."""


class CollectionBusy(BilderatlasError):
    """Another process is writing to the collection."""


class SchemaTooNew(BilderatlasError):
    """The collection was written by a newer Bilderatlas."""


class StoreError(BilderatlasError, OSError):
    """The disk refused: full, read-only, or damaged."""


class VersionGone(StoreError):
    """A table was to be read as it was a while ago, and a writer has cleaned up since."""


class DiskFull(StoreError):
    """There is no room on a disk for what was to be written."""


class CollectionDamaged(StoreError):
    """A file of the collection is not what was written; `bilderatlas doctor` mends it."""


class SourceError(BilderatlasError, ValueError):
    """A source cannot be read as a whole: missing, empty, no such column, broken archive."""


class ImageProblem(BilderatlasError, ValueError):
    """One picture cannot be read. While indexing it becomes a row in `problems`."""


class ImageNotFound(BilderatlasError, KeyError):
    """The collection holds no such image."""

    def __str__(self) -> str:  # KeyError would show the repr
        return str(self.args[0]) if self.args else ""


class EncoderNotFound(BilderatlasError, ValueError):
    """No encoder goes by this name, or its folder lacks a file."""


class EncoderMismatch(BilderatlasError, ValueError):
    """The encoder at hand is not the one that made the collection's embeddings."""


class DetectorError(BilderatlasError, ValueError):
    """What finds regions is not there, or cannot do what was asked of it."""


class QueryError(BilderatlasError, ValueError):
    """A question that has no answer: empty, k = 0, a filter that does not parse."""


class RunNotFound(BilderatlasError, KeyError):
    """No clustering or projection of this name was made."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class SelectionNotFound(BilderatlasError, LookupError):
    """No selection of images is kept under this id."""


class DecisionError(BilderatlasError, ValueError):
    """A decision that cannot be kept: it contradicts another one, or names what is not there."""


class LabelsError(BilderatlasError, ValueError):
    """Labels that cannot be used: no such column, no image that they name, one class only."""


class MissingExtra(BilderatlasError, ImportError):
    """What was asked for needs a library of an extra that is not installed."""


class LanguageModelError(BilderatlasError, RuntimeError):
    """A language model was asked in a wrong way, or gave no name."""


class KeysError(BilderatlasError, ValueError):
    """API keys that cannot be used: a line that does not parse, a file that others may read."""


class KeyNeeded(BilderatlasError, PermissionError):
    """The server asks for an API key, and was given none, or none that it knows."""


class NotAllowed(BilderatlasError, PermissionError):
    """This key, or this server, does not allow what was asked."""


class ServerBusy(BilderatlasError):
    """The server has more to do than it takes on at once, or took too long."""

    def __init__(self, message: str, retry_after_s: int = 5) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TooManyRequests(ServerBusy):
    """More was asked in a short time than the server grants to one key or address."""


class ServerError(BilderatlasError, ConnectionError):
    """A server cannot be reached, or answers with something that is no answer."""


class NotOverHttp(BilderatlasError, AttributeError):
    """This is done only where the collection lies."""


class JobError(BilderatlasError, ValueError):
    """A job that is none, that cannot be cancelled or resumed, or whose process was killed."""


class JobNotFound(BilderatlasError, LookupError):
    """There is no such job."""


class UploadError(BilderatlasError, ValueError):
    """A file that cannot be taken in: no picture, no archive, or a name that leads elsewhere."""


class UploadTooLarge(UploadError):
    """More than an upload may hold, packed or unpacked."""


class UploadNotFound(BilderatlasError, LookupError):
    """There is no such upload, or it is finished already."""
