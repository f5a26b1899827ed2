"""What is at the standing ports as long as no feature offers anything there."""

from __future__ import annotations

from aiwebengine.auth.interim import InterimRights, TokenPrincipals
from aiwebengine.auth.tokens import AdministratorToken
from aiwebengine.interfaces import Identify
from aiwebengine.machinery import Machinery
from aiwebengine.ports import CONSOLE, DECIDE, MAIL, PRINCIPAL
from aiwebengine.services.mail.folder import MailFolder
from aiwebengine.values import ConsolePage
from aiwebengine.web.api.pages import PageList

OWN_PAGES = (
    ConsolePage(
        name="scripts", title="Scripts", summary="What is deployed.", path="/engine/api/scripts", command="list"
    ),
    ConsolePage(name="logs", title="Logs", summary="What scripts log.", path="/engine/api/logs", command="logs"),
    ConsolePage(
        name="state", title="State", summary="What the server is doing.", path="/engine/api/state", command="state"
    ),
)
"""What the machinery itself shows."""


def settle_ports(machinery: Machinery, *, tokens: AdministratorToken) -> tuple[Identify, PageList]:
    """
    Put the interim answers where no feature offers a port, and open the ports.

    Returns:
        Who finds out who asks the engine itself: the administrator's token is always valid, whatever other users there
        are. Then the list of pages, which is there with and without a console.
    """
    ports, base = machinery.ports, machinery.base
    identify = TokenPrincipals(is_valid=tokens.is_valid, others=ports.offered(PRINCIPAL))
    pages = PageList()
    ports.stand_in(MAIL, MailFolder(folder=base.folder / "mail", threads=base.unpacking_threads, seconds=base.seconds))
    ports.stand_in(PRINCIPAL, identify)
    ports.stand_in(DECIDE, InterimRights())
    ports.stand_in(CONSOLE, pages)
    ports.settle()
    return identify, pages
