"""The parameters of a scenario as controls: from the components' own fields, and nothing twice."""
