"""Bytes: one fetch protocol and small layers below it. The aiohttp client lives here and nowhere else."""
