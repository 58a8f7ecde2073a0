"""The parts of preprocessing: grey levels, ink, components, ruling, and the 28 × 28 frame."""
