"""What the small Hub keeps: who there is, and repos of branches of commits."""

import dataclasses
import hashlib
import uuid

TOKEN, READER, USER = "hf_testTokenOfOwner", "hf_testTokenOfReader", "owner"
MOCKED = "mock-oauth-token-for-local-dev"
"""What Gradio gives to whoever logs in outside of a Space."""
LARGE = 50_000
"""Bytes from which a file is stored apart, as LFS does."""
PART = 1_000_000
"""Bytes of a part, and from which a file is uploaded in parts."""


@dataclasses.dataclass
class Commit:
    """A state of a repo; `files` maps paths to contents."""

    sha: str
    message: str
    files: dict[str, bytes]


class Repo:
    """Branches of commits."""

    def __init__(self, private: bool) -> None:
        self.private, self.branches, self.commits = private, {"main": Commit(_sha(), "initial commit", {})}, {}
        self.sdk: str | None = None
        self.hardware: str | None = None
        self.variables: dict[str, str] = {}
        self.commits = {self.branches["main"].sha: self.branches["main"]}

    def find(self, revision: str) -> Commit | None:
        """The commit of a branch or hash."""
        return self.branches.get(revision) or self.commits.get(revision)

    def commit(self, branch: str, files: dict[str, bytes], message: str) -> Commit:
        """Add a commit to a branch."""
        made = Commit(_sha(), message, files)
        self.branches[branch] = self.commits[made.sha] = made
        return made

    @property
    def main(self) -> Commit:
        """The newest commit of main."""
        return self.branches["main"]


def _sha() -> str:
    return hashlib.sha1(uuid.uuid4().bytes).hexdigest()
