"""PubGrub over integer masks. Pure: no I/O, no clock, no logging; imports the standard library and itself."""
