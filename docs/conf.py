"""The documentation site: `.venv/bin/sphinx-build -W docs site` writes it, and fails at a link that leads nowhere.

The pages are Markdown that is also read on GitHub. A new page joins the contents by itself. The site fetches nothing
from other servers, and its search works from files. It is not made by Material for MkDocs, whose support ends in 2027.
"""

project = "testbed"
html_title = "testbed"
extensions = ["myst_parser"]
html_theme = "furo"
html_copy_source = False
html_show_copyright = False
nitpicky = True
smartquotes = False  # it would turn the dashes of options into one

myst_enable_extensions = ["colon_fence"]
# GitHub gives every heading an anchor.
myst_heading_anchors = 4
