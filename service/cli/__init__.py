"""The command line. Each command is a file that is imported when it is called, so that ``--help`` is quick."""
