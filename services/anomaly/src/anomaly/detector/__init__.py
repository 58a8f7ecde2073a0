"""What a model is made of: the autoencoder, the PCA, their calibration and their file."""
