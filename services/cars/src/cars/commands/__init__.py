"""What can be done with pictures from a terminal."""
