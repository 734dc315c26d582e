"""The chain that a server presented: how far it leads, and whether the server left something out (RFC 8446 §4.4.2).

OpenSSL has one code for "the server leaves out an intermediate" and for "its root is unknown here". The chain tells
them apart, mostly: servers may leave out the root and nothing else. Where a lone certificate leaves both open, and
neither the name of its issuer nor a place to get the issuer from decides it, the root is taken to be the unknown one:
most who do without intermediates do without both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .certificate import Certificate

_ROOT = re.compile(r"\broot\b", re.IGNORECASE)
_INTERMEDIATE = re.compile(r"\b(?:intermediate|issuing|sub(?:ordinate|[ -]?ca)?)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Presented:
    """A presented chain, walked from the leaf upwards."""

    path: tuple[Certificate, ...]
    """The leaf and those that lead from it towards a root."""
    strays: tuple[Certificate, ...]
    """What else was sent, repetitions left out."""
    sent: int
    """How many certificates the server sent, all in all."""

    @property
    def leaf(self) -> Certificate:
        """The certificate of the server itself."""
        return self.path[0]

    @property
    def top(self) -> Certificate:
        """Where the path ends."""
        return self.path[-1]

    @property
    def root(self) -> str:
        """The name in which the path ends, sent or not."""
        return self.top.issuer

    def lacks_intermediate(self, known: Iterable[Certificate] = ()) -> bool:
        """Whether the server left out a certificate that is no root; ``known`` ones are not its own, but tell."""
        if self.top.is_self_issued:
            return False
        for one in known:
            if one.subject_der == self.top.issuer_der:
                return not one.is_self_issued
        issuer = self.top.issuer
        if _ROOT.search(issuer):
            return False
        if _INTERMEDIATE.search(issuer):
            return True
        # Who sends other certificates meant to send a chain. Who publishes where the issuer's certificate can be had
        # expects it to be looked for; behind an intermediate that is the root's, which nobody has to send.
        return len(self.path) == 1 and (bool(self.strays) or self.top.ca_issuers is not None)


def walk(chain: tuple[Certificate, ...]) -> Presented:
    """Sort ``chain``, which has at least one certificate, the leaf first."""
    path, rest = [chain[0]], [one for one in dict.fromkeys(chain) if one != chain[0]]
    while not path[-1].is_self_issued:
        found = next((one for one in rest if one.subject_der == path[-1].issuer_der), None)
        if found is None:
            break
        rest.remove(found)
        path.append(found)
    return Presented(tuple(path), tuple(rest), len(chain))
