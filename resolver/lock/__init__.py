"""A resolution becomes documents. Pure."""
