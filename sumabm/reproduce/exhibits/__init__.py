"""Figures of the essay, a module each: see `sumabm.reproduce.findings.Exhibit`."""
