"""What is wrong with a menu's own form, told also where the plan beside it has faults and the whole cannot be read.

Names of nodes are looked up, since they are all in the one file; whatever the menu names of the other files is
not, for it may be right there and only be waiting for those to be mended.
"""

from __future__ import annotations

from ivr.domain.menus import MenuHead, read_nodes
from ivr.domain.ways import ways
from queues.domain.faults import Fault, FaultBook, SiteFaults, SiteSource
from queues.domain.plan import read_words_context


def faults_in_form(site_files: SiteSource) -> tuple[Fault, ...]:
    """The faults of menu.yaml as far as they are its own."""
    book = FaultBook(site_files)
    shared = read_words_context(book)
    book.read(MenuHead, ("menu",), book.document("menu"), shared)
    nodes = read_nodes(book, shared)
    known = book.names("menu", "nodes")
    for name, node in nodes.items():
        for steps, goto in ways(node):
            if goto not in known:
                book.unknown(("menu", "nodes", name, *steps), "node", goto, known)
    try:
        book.raise_if_any()
    except SiteFaults as found:
        return found.faults
    return ()
