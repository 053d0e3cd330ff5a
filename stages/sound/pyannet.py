"""The network of segmentation-3.0 in PyTorch, with the names of its checkpoint. Only the converter loads it.

It is PyanNet of pyannote.audio (MIT): SincNet's filters, two convolutions, four LSTMs both ways, and linear layers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from sutradhar.pipeline.media import SAMPLE_RATE

SAMPLES = 10 * SAMPLE_RATE  # that it hears at once
CLASSES = 7  # nobody, one of three speakers, two of them
BANDS, HALF = 40, 125  # filters are 2 * HALF + 1 samples long
STRIDE = 10
LOWEST_HZ = NARROWEST_HZ = 50


def load(weights: Mapping[str, Tensor]) -> PyanNet:
    """Build the network of a checkpoint. Raises RuntimeError where the weights are not those of this network."""
    network = PyanNet()
    network.load_state_dict(weights)
    for module in network.modules():
        if isinstance(module, SincFilters):
            module.settle()
    return network.eval()


class PyanNet(nn.Module):
    """The network, from sound (batch, samples) to log-probabilities (batch, frames, classes)."""

    def __init__(self) -> None:
        super().__init__()
        self.sincnet = SincNet()
        self.lstm = nn.LSTM(60, 128, num_layers=4, bidirectional=True, batch_first=True)
        self.linear = nn.ModuleList([nn.Linear(256, 128), nn.Linear(128, 128)])
        self.classifier = nn.Linear(128, CLASSES)

    def forward(self, sound: Tensor) -> Tensor:
        heard, _ = self.lstm(self.sincnet(sound[:, None]).transpose(1, 2))
        for linear in self.linear:
            heard = functional.leaky_relu(linear(heard))
        return functional.log_softmax(self.classifier(heard), dim=-1)


class SincNet(nn.Module):
    """The front: a frame for every 270 samples."""

    def __init__(self) -> None:
        super().__init__()
        self.wav_norm1d = nn.InstanceNorm1d(1, affine=True)
        self.conv1d = nn.ModuleList([SincFilters(), nn.Conv1d(2 * BANDS, 60, 5), nn.Conv1d(60, 60, 5)])
        self.norm1d = nn.ModuleList([nn.InstanceNorm1d(width, affine=True) for width in (2 * BANDS, 60, 60)])

    def forward(self, sound: Tensor) -> Tensor:
        heard: Tensor = self.wav_norm1d(sound)
        for number, (convolution, norm) in enumerate(zip(self.conv1d, self.norm1d, strict=True)):
            heard = convolution(heard) if number else convolution(heard).abs()
            heard = functional.leaky_relu(norm(functional.max_pool1d(heard, 3)))
        return heard


class SincFilters(nn.Module):
    """Band-pass filters, made once by `settle`, so that none are computed where the network runs."""

    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.filterbank = Filterbank()
        self.register_buffer("filters", torch.zeros(2 * BANDS, 1, 2 * HALF + 1), persistent=False)

    @torch.no_grad()
    def settle(self) -> None:
        self.filters = self.filterbank()

    def forward(self, sound: Tensor) -> Tensor:
        return functional.conv1d(sound, self.filters, stride=STRIDE)


class Filterbank(nn.Module):
    """The edges of the bands, of which the filters are made in cosine and sine: ParamSincFB of asteroid-filterbanks
    (MIT)."""

    window_: Tensor
    n_: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.low_hz_ = nn.Parameter(torch.linspace(0, SAMPLE_RATE / 2 - 200, BANDS)[:, None])
        self.band_hz_ = nn.Parameter(torch.full((BANDS, 1), 100.0))
        self.register_buffer("window_", torch.hamming_window(2 * HALF + 1, periodic=False)[:HALF])
        self.register_buffer("n_", 2 * math.pi * torch.arange(-HALF, 0)[None] / SAMPLE_RATE)

    def forward(self) -> Tensor:
        low = LOWEST_HZ + self.low_hz_.abs()
        high = (low + NARROWEST_HZ + self.band_hz_.abs()).clamp(LOWEST_HZ, SAMPLE_RATE / 2)
        at_low, at_high = low @ self.n_, high @ self.n_
        shape, middle = self.window_ / (self.n_ / 2), 2 * (high - low)
        cosine, sine = (at_high.sin() - at_low.sin()) * shape, (at_low.cos() - at_high.cos()) * shape
        even = torch.cat([cosine, middle, cosine.flip(1)], dim=1) / middle
        odd = torch.cat([sine, torch.zeros_like(middle), -sine.flip(1)], dim=1) / middle
        return torch.cat([even, odd])[:, None]
