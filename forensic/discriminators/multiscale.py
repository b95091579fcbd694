"""The same discriminator at several resolutions.

Source:
    Wang et al., High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs,
    CVPR 2018, section 3.2 (pix2pixHD).
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from forensic.discriminators.patch import Judgement, Norm, PatchDiscriminator


class MultiScaleDiscriminator(nn.Module):
    """Patch discriminators with weights of their own, each on half the resolution of the last.

    Args:
        in_channels: Channels of the images, those of a condition included.
        n_scales: Resolutions, 3 in the papers.
        width: See `PatchDiscriminator`, as are the rest.
        n_strided: Layers of stride 2 at each scale.
        norm: Normalisation of the middle layers.
        spectral: Normalise kernels by their largest singular value.
        padding: Zeros around each layer's input.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        n_scales: int = 3,
        width: int = 64,
        n_strided: int = 3,
        norm: Norm = "instance",
        spectral: bool = False,
        padding: int = 2,
    ) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            PatchDiscriminator(
                in_channels=in_channels,
                width=width,
                n_strided=n_strided,
                norm=norm,
                spectral=spectral,
                padding=padding,
            )
            for _ in range(n_scales)
        )

    def forward(self, images: Tensor) -> Judgement:
        """Return the activations of every scale, full resolution first, logits last in each.

        Raises:
            ShapeError: The images are not (B, in_channels, H, W).
        """
        judgement: Judgement = []
        for i, scale in enumerate(self.scales):
            if i:
                images = F.avg_pool2d(images, 3, stride=2, padding=1, count_include_pad=False)
            judgement += scale(images)
        return judgement
