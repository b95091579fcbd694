"""The PatchGAN discriminator: a true-or-made logit for every patch of an image.

Source:
    Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017,
    section 3.2 and appendix 6.1. With spectral normalisation it is the SN-PatchGAN of Yu et al.,
    Free-form Image Inpainting with Gated Convolution, ICCV 2019.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from forensic.check import check_shape

Judgement = list[list[Tensor]]
"""What every discriminator returns: for each scale its activations in order, the logits last."""

Norm = Literal["batch", "instance", "none"]
NORMS: dict[Norm, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "instance": nn.InstanceNorm2d,
    "none": lambda channels: nn.Identity(),  # noqa: ARG005 - the norms take their channels
}

WIDEST = 8
"""Most channels of a layer, in units of the first layer's."""


class PatchDiscriminator(nn.Module):
    """4×4 convolutions, `n_strided` of stride 2 and two of stride 1, with leaky ReLU of 0.2.

    With three strided layers each logit sees 70×70 pixels. The first layer and the logits are
    never normalised.

    Args:
        in_channels: Channels of the images, those of a condition included.
        width: Channels of the first layer; doubled by each further layer up to eightfold.
        n_strided: Layers of stride 2, 3 in the papers.
        norm: Normalisation of the middle layers.
        spectral: Divide every kernel by its largest singular value (Miyato et al., ICLR 2018).
        padding: Zeros around each layer's input, 1 as in pix2pix or 2 as in pix2pixHD.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        width: int = 64,
        n_strided: int = 3,
        norm: Norm = "instance",
        spectral: bool = False,
        padding: int = 1,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        widths = [width * min(2**i, WIDEST) for i in range(n_strided + 1)]
        plan = list(zip([in_channels, *widths], [*widths, 1], strict=True))
        self.layers = nn.ModuleList()
        for i, (wide_in, wide_out) in enumerate(plan):
            layer: nn.Module = nn.Conv2d(wide_in, wide_out, 4, 2 if i < n_strided else 1, padding)
            parts = [spectral_norm(layer) if spectral else layer]
            if 0 < i < len(plan) - 1:
                parts.append(NORMS[norm](wide_out))
            if i < len(plan) - 1:
                parts.append(nn.LeakyReLU(0.2))
            self.layers.append(nn.Sequential(*parts))

    def forward(self, images: Tensor) -> Judgement:
        """Return one scale: the activations of every layer, logits (B, 1, h, w) last.

        Raises:
            ShapeError: The images are not (B, in_channels, H, W).
        """
        check_shape(images, (None, self.in_channels, None, None), name="image batch")
        activations = [images]
        for layer in self.layers:
            activations.append(layer(activations[-1]))
        return [activations[1:]]
