"""Trainings as jobs: processes of their own whose state lies on disk, for whoever starts them and goes away.

A job is a folder; `folder` says what is in it. Whoever wants one writes its `job.json` and later one word into its
`wish`; the supervisor alone writes its `state.json`. So a page may read how it goes and say what it wants without
importing anything from here, and neither a closed page nor a killed process loses more than the steps since the last
saved state.
"""
