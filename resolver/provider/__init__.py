"""Index data and an environment become facts for the solver. Pure."""
