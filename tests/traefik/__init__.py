"""Traefik itself, as the repository configures it: what it answers, hides, refuses and survives."""
