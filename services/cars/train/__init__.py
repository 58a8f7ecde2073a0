"""Trains, measures and exports the model of the cars service; the service itself never imports this."""
