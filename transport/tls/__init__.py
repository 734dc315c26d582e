"""Whom to trust and who to be."""

from .certificate import Certificate
from .contexts import Contexts, Loaded, Policy, make_context
from .identity import Identity, Unusable

__all__ = ["Certificate", "Contexts", "Identity", "Loaded", "Policy", "Unusable", "make_context"]
