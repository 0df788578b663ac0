"""What the papers' tables and figures show, measured here; each command keeps its numbers in docs/results/ as JSON."""
