"""The networks of `adadagrad networks` in PyTorch: the same layers, and the same names in `state_dict`."""

import math

import torch
from torch import nn
from torch.nn import functional


def logistic():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def pooled(inputs, outputs, kernel):
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.ReLU(), nn.MaxPool2d(2)


def cnn():
    return nn.Sequential(*pooled(1, 16, 5), *pooled(16, 32, 5), nn.Flatten(), nn.Linear(1568, 10))


def cifar_cnn():
    return nn.Sequential(
        *pooled(3, 16, 3), *pooled(16, 32, 3), *pooled(32, 64, 3),
        nn.Flatten(), nn.Linear(1024, 500), nn.ReLU(), nn.Linear(500, 10),
    )


def conv(inputs, outputs, kernel=3, stride=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)


def norm(channels):
    return nn.GroupNorm(min(32, channels // 2), channels)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.norm1 = conv(inputs, outputs, 3, stride), norm(outputs)
        self.conv2, self.norm2 = conv(outputs, outputs), norm(outputs)
        self.relu = nn.ReLU()
        self.downsample = None
        if stride != 1:
            self.downsample = nn.Sequential(conv(inputs, outputs, 1, stride), norm(outputs))

    def forward(self, x):
        residual = self.norm2(self.conv2(self.relu(self.norm1(self.conv1(x)))))
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.relu(residual + shortcut)


class ResNet(nn.Module):
    """Torchvision's names, with `norm` for `bn`; the stem is one 3×3 convolution of stride 1 without max-pooling."""

    def __init__(self, blocks, width):
        super().__init__()
        self.conv1, self.norm1, self.relu = conv(3, width), norm(width), nn.ReLU()
        inputs = width
        self.stages = [f"layer{stage + 1}" for stage in range(len(blocks))]
        for stage, (name, count) in enumerate(zip(self.stages, blocks)):
            outputs = width << stage
            strides = [2 if stage > 0 else 1] + [1] * (count - 1)
            channels = [inputs] + [outputs] * (count - 1)
            setattr(self, name, nn.Sequential(*(Block(c, outputs, s) for c, s in zip(channels, strides))))
            inputs = outputs
        self.avgpool, self.flatten, self.fc = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10)

    def forward(self, x):
        x = self.relu(self.norm1(self.conv1(x)))
        for name in self.stages:
            x = getattr(self, name)(x)
        return self.fc(self.flatten(self.avgpool(x)))


def resnet(depth):
    return ResNet([(depth - 2) // 6] * 3, 16)


class Attention(nn.Module):
    def __init__(self, heads, width):
        super().__init__()
        self.heads = heads
        self.c_attn, self.c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        samples, positions, width = x.shape
        by_heads = lambda part: part.reshape(samples, positions, self.heads, -1).transpose(1, 2)
        query, key, value = (by_heads(part) for part in self.c_attn(x).chunk(3, dim=2))
        y = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(samples, positions, width))


class Layer(nn.Module):
    def __init__(self, heads, width):
        super().__init__()
        self.ln_1, self.attn, self.ln_2 = nn.LayerNorm(width), Attention(heads, width), nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, 4 * width), "c_proj": nn.Linear(4 * width, width)})

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        hidden = functional.gelu(self.mlp.c_fc(self.ln_2(x)), approximate="tanh")
        return x + self.mlp.c_proj(hidden)


#: GPT-2's deviation of initial weights.
DEVIATION = 0.02


class Transformer(nn.Module):
    """`transformer-LAYERS-HEADS-WIDTH`, with the names of nanoGPT's modules. Dense layers have biases, and the last one has
    weights of its own."""

    def __init__(self, layers, heads, width, context, vocabulary):
        super().__init__()
        self.layers = layers
        self.transformer = nn.ModuleDict({
            "wte": nn.Embedding(vocabulary, width), "wpe": nn.Embedding(context, width),
            "h": nn.ModuleList(Layer(heads, width) for _ in range(layers)), "ln_f": nn.LayerNorm(width),
        })
        self.lm_head = nn.Linear(width, vocabulary)

    def deviation(self, path):
        """That of the initial weights of a module: each of the 2L residual branches ends in a `c_proj`."""
        return DEVIATION / math.sqrt(2 * self.layers) if path.endswith("c_proj") else DEVIATION

    def forward(self, tokens):
        x = self.transformer.wte(tokens) + self.transformer.wpe(torch.arange(tokens.shape[1]))
        for layer in self.transformer.h:
            x = layer(x)
        return self.lm_head(self.transformer.ln_f(x))


GREY, COLOUR = (1, 28, 28), (3, 32, 32)
#: Sequences of as many tokens as the program makes of a text, unless it is told otherwise.
TEXT, VOCABULARY = (1, 1, 64), 65


def transformer(layers, heads, width):
    """With nanoGPT's initial values."""
    model = Transformer(layers, heads, width, TEXT[2], VOCABULARY)
    for path, module in model.named_modules():
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=model.deviation(path))
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
    return model


#: By name: how to make it, the shape of its samples, and its number of parameters.
NETWORKS = {
    "logistic": (logistic, GREY, 7_850),
    "mlp": (mlp, GREY, 101_770),
    "cnn": (cnn, GREY, 28_938),
    "cifar-cnn": (cifar_cnn, COLOUR, 541_094),
    "resnet-8": (lambda: resnet(8), COLOUR, None),
    "resnet-14": (lambda: resnet(14), COLOUR, None),
    "resnet-20": (lambda: resnet(20), COLOUR, 272_474),
    "resnet-32": (lambda: resnet(32), COLOUR, None),
    "resnet-56": (lambda: resnet(56), COLOUR, None),
    "resnet18": (lambda: ResNet([2] * 4, 64), COLOUR, 11_173_962),
    "transformer": (lambda: transformer(4, 4, 128), TEXT, 818_241),
    "transformer-2-2-16": (lambda: transformer(2, 2, 16), TEXT, None),
    "transformer-1-1-8": (lambda: transformer(1, 1, 8), TEXT, None),
}


def make(name):
    return NETWORKS[name][0]()


def classes(name):
    return VOCABULARY if NETWORKS[name][1] == TEXT else 10


def shape_text(name):
    return "x".join(map(str, NETWORKS[name][1]))


def terms(model):
    """How many terms the longest chain of sums has: the inputs of one output, added over all layers."""
    total = 0
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            total += module.weight[0].numel()
        elif isinstance(module, nn.LayerNorm):
            total += module.normalized_shape[0]
        elif isinstance(module, Attention):
            # Of queries with keys, and over positions.
            total += module.c_proj.in_features // module.heads + TEXT[2]
        elif isinstance(module, nn.GroupNorm):
            # Mean and variance over a group: at least its channels, at most all their pixels.
            total += 1024 * module.num_channels // module.num_groups
    return total


def rounding(model):
    """What rounding to f32 may change, as a share of the largest output: the errors of the terms, each at most 2⁻²⁴, add up
    like random steps, and four is the room for unlucky ones."""
    return 4 * 2.0**-24 * math.sqrt(terms(model))
