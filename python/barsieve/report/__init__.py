"""One self-contained HTML file of what a built database says.

`sections` lists what the file shows, one module per section; each says which tables it
needs and is left out with one sentence where they are missing. `source` reads, `pack`
makes the numbers small, `render` writes the page, whose parts lie in `page/`.
"""

from barsieve.report.render import MARK, Written, check_target, write_report

__all__ = ["MARK", "Written", "check_target", "write_report"]
