"""Requirements files, pyproject.toml and earlier locks become stated requirements. Pure."""
