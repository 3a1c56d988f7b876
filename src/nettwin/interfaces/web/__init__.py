"""The web page: the operator's desk, on the application of the server.

mount    puts the pages on an application      frame    what stands around every page
feed     tells pages that something is new     work     asks questions, as jobs
show     numbers in words                      map/, table/, pages/, static/
"""

from __future__ import annotations

from nettwin.interfaces.web.mount import mount

__all__ = ["mount"]
