"""Readings of assets: taken in, judged, kept, listed and streamed."""
