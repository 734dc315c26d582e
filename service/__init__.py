"""HTTP in, HTTP out; the command line; wiring. Pydantic lives here and nowhere else."""
