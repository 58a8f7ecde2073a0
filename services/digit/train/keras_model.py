"""`cnn`: six convolutions with batch normalisation in Keras, the mean over the picture, two heads.

234 thousand parameters.
"""

import keras
from keras import layers

CONVOLUTIONS = ((32, 1), (32, 2), (64, 1), (64, 1), (96, 2), (128, 1))  # filters, stride
DROPOUT = 0.3


def build() -> keras.Model:
    """Returns pixels (n, 28, 28, 1) in [0, 1] → logits (n, 10), digit_logit (n, 1)."""
    pixels = keras.Input((28, 28, 1), name="pixels")
    features = pixels
    for i, (filters, stride) in enumerate(CONVOLUTIONS, start=1):
        convolution = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False, name=f"convolution_{i}")
        features = layers.BatchNormalization(momentum=0.98, name=f"normalisation_{i}")(convolution(features))
        features = layers.ReLU(name=f"rectifier_{i}")(features)
    pooled = layers.Dropout(DROPOUT)(layers.GlobalAveragePooling2D()(features))
    heads = [layers.Dense(10, name="logits")(pooled), layers.Dense(1, name="digit_logit")(pooled)]
    return keras.Model(pixels, heads, name="cnn")
