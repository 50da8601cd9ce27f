"""The documentation's site: ``make docs``. Reference pages are made of the classes as it builds."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import sumabm

HERE = str(Path(__file__).parent)
sys.path.insert(0, HERE)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [HERE, os.environ.get("PYTHONPATH")]))

project = "sumabm"
author = project_copyright = "The sumabm developers"
release = version = sumabm.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sitework.formulas",
    "sitework.reference",
]
exclude_patterns = ["sitework"]
html_theme = "furo"
html_title = f"sumabm {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
myst_dmath_double_inline = True

nb_execution_mode = "force"
nb_execution_in_temp = True  # what a page stores is no part of the documentation
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_ipywidgets_js = {}  # else pages with widgets would load scripts from elsewhere

html_math_renderer = "mathml"

autodoc_member_order = "bysource"
autodoc_type_aliases = {"Array": "Array"}
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
default_role = "literal"  # docstrings name things in single backticks
