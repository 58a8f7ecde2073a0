"""`cnn_transformer`: a convolution stem that reduces 28 × 28 to 49 tokens, two transformer blocks, two heads.

The first convolution has a stride of two: the same accuracy within the noise of a seed at two thirds of the time.
184 thousand parameters.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTH = 80
HEADS = 4
BLOCKS = 2
EXPANSION = 2


class Block(nn.Module):
    """Attention and a perceptron, each after a layer normalisation and added to what came in."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention = nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.attended = nn.Linear(width, width)
        self.perceptron = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, EXPANSION * width), nn.GELU(), nn.Linear(EXPANSION * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps tokens (n, t, width) to the same shape."""
        n, t, width = tokens.shape
        all_three = self.queries_keys_values(self.before_attention(tokens))
        split = all_three.reshape(n, t, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        queries, keys, values = split  # each (n, heads, t, width / heads)
        mixed = functional.scaled_dot_product_attention(queries, keys, values)
        tokens = tokens + self.dropout(self.attended(mixed.transpose(1, 2).reshape(n, t, width)))
        return tokens + self.dropout(self.perceptron(tokens))


class CnnTransformer(nn.Module):
    """pixels (n, 1, 28, 28) in [0, 1] → logits (n, 10), digit_logit (n,)."""

    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            *_convolution(1, 32, size=5, stride=2),
            *_convolution(32, 32),
            *_convolution(32, 64),
            *_convolution(64, WIDTH, stride=2),
        )
        self.positions = nn.Parameter(0.02 * torch.randn(1, 49, WIDTH))
        self.blocks = nn.Sequential(*(Block(WIDTH, HEADS, dropout) for _ in range(BLOCKS)))
        self.normalisation = nn.LayerNorm(WIDTH)
        self.dropout = nn.Dropout(dropout)
        self.digit = nn.Linear(WIDTH, 10)
        self.is_digit = nn.Linear(WIDTH, 1)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the ten logits, and one that is positive where there is a digit at all."""
        tokens = self.stem(pixels).flatten(2).transpose(1, 2) + self.positions  # (n, 49, WIDTH)
        pooled = self.dropout(self.normalisation(self.blocks(tokens)).mean(dim=1))
        return self.digit(pooled), self.is_digit(pooled).squeeze(1)


def _convolution(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]
