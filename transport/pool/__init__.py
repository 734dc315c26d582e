"""Connections, and what travels over them. The only files that know aiohttp's client."""

from .connections import Pool
from .decoding import accepted

__all__ = ["Pool", "accepted"]
