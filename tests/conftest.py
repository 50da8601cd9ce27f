"""Property tests draw the same cases every time: a failure is a change, not chance."""

from hypothesis import settings

settings.register_profile("reproducible", derandomize=True, deadline=None)
settings.load_profile("reproducible")
