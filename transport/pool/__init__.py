"""Connections, and what travels over them. The only files that know aiohttp's client."""
