"""What the site is built with, beside Sphinx: formulas, and reference pages."""
