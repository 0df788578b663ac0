"""The Hugging Face Hub: names of checkpoints there, fetching and pushing them, and sentences about what failed."""

from .download import LAYOUT, download
from .names import is_hub_id, sources, split_id
from .sentences import causes, redact, retry_after, sentence

__all__ = ["LAYOUT", "causes", "download", "is_hub_id", "redact", "retry_after", "sentence", "sources", "split_id"]
