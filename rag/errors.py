"""Everything that can go wrong by name. Raised where it happens, caught at `rag.ui` and the `__main__` doors.

JiphyeonError
├── DocumentError          a file or record that cannot be read
├── ChatModelError         a chat model cannot be had, fails, or writes nothing that holds
├── EmbeddingModelError    the embedding model cannot be had or loaded
├── IndexMissingError      there is no index where one was looked for
├── IndexMismatchError     the index was built by another embedder or version
├── IndexDamagedError      the index does not hold what its manifest says
├── QuestionError          a question or question file that cannot be used
├── RequestError           what another program asked for does not exist or cannot be read
├── ExportError            an exported file that cannot be verified
└── FeedbackError          feedback that cannot be written or read
"""

from typing import Literal

FallbackReason = Literal["closed", "slow", "limited", "failed", "empty", "abstained", "unverified", "language"]


class JiphyeonError(Exception):
    """An error whose message says what is wrong, where, and how to mend it."""


class DocumentError(JiphyeonError):
    """A file or record that cannot be read. `reason` names the kind of trouble for a page that tells it in its own words."""

    def __init__(self, message: str, reason: str = "unreadable") -> None:
        super().__init__(message)
        self.reason = reason


class ChatModelError(JiphyeonError):
    """A chat model cannot be had, fails, or writes nothing that holds; `reason` says which, for the asker's notice."""

    def __init__(
        self,
        message: str,
        reason: FallbackReason,
    ) -> None:
        super().__init__(message)
        self.reason = reason


class EmbeddingModelError(JiphyeonError):
    """The embedding model cannot be had or loaded."""


class IndexMissingError(JiphyeonError):
    """There is no index where one was looked for."""


class IndexMismatchError(JiphyeonError):
    """The index was built by another embedder or version."""


class IndexDamagedError(JiphyeonError):
    """The index does not hold what its manifest says."""


class QuestionError(JiphyeonError):
    """A question or question file that cannot be used."""


class RequestError(JiphyeonError):
    """What another program asked for does not exist or cannot be read."""


class ExportError(JiphyeonError):
    """An exported file that cannot be verified."""


class FeedbackError(JiphyeonError):
    """Feedback that cannot be written or read; `reason` says which, for the words of the page."""

    def __init__(self, message: str, reason: Literal["full", "unwritable", "unreadable"] = "unreadable") -> None:
        super().__init__(message)
        self.reason = reason
