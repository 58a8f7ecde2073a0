"""The containers themselves, on a real engine: what they answer, may do, publish and keep."""
