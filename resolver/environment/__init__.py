"""Where: targets, tags and markers. Pure."""
