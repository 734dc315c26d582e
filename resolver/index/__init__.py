"""What indexes say: pure parsers and one async gateway."""
