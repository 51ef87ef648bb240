"""report.html: a run as one file to look at, to send and to show, which needs no network and no server.

`contents` and the modules that it uses say what is on it, as data. `assets` has the scripts that draw it in a browser.
`writing` puts both into one file.
"""

from testbed.results.page.writing import PAGE, write_page

__all__ = ["PAGE", "write_page"]
