"""What a user would otherwise write: the same models and tilts with the usual tools."""
