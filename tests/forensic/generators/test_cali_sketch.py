"""What is particular to the two networks of Cali-Sketch."""

import pytest
import torch
from torch import nn

from forensic.errors import ShapeError, UnknownNameError
from forensic.generators.cali_sketch import SYNTHESES, CaliSketch, SkipEncoderDecoder
from forensic.generators.masked_residual import MaskedResidualUnit


def millions(network: nn.Module) -> float:
    return round(sum(p.numel() for p in network.parameters()) / 1e6, 2)


def test_parameters_of_the_published_networks() -> None:
    with torch.device("meta"):
        scn = SkipEncoderDecoder(in_channels=1, out_channels=1)
        assert millions(scn) == 11.42
        assert millions(SkipEncoderDecoder(in_channels=1, out_channels=1, skip=False)) == 10.76
        assert millions(SkipEncoderDecoder(in_channels=1, out_channels=1, n_blocks=16)) == 20.86
        assert millions(CaliSketch()) == 22.85


def test_work_of_the_published_calibration_network() -> None:
    """52.16 GMAC at 256×256, transposed convolutions counted at their input."""
    work = 0

    def count(layer: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        nonlocal work
        plane = inputs[0] if isinstance(layer, nn.ConvTranspose2d) else output
        work += layer.weight.numel() * plane.shape[2] * plane.shape[3]  # type: ignore[operator,union-attr]

    with torch.device("meta"):
        scn = SkipEncoderDecoder(in_channels=1, out_channels=1)
        for layer in scn.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                layer.register_forward_hook(count)  # type: ignore[arg-type]
        scn(torch.empty(1, 1, 256, 256))
    assert work / 1e9 == pytest.approx(52.16, abs=0.006)


def test_layers_of_section_4_2() -> None:
    convolutions = [
        layer
        for layer in SkipEncoderDecoder(in_channels=1, out_channels=3, width=4).modules()
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    ]
    kernels = [(c.kernel_size[0], c.stride[0], c.dilation[0]) for c in convolutions]
    assert kernels[:3] == [(7, 1, 1), (4, 2, 1), (4, 2, 1)]
    assert kernels[3:19] == [(3, 1, 2)] * 16
    assert kernels[19:] == [(4, 2, 1), (4, 2, 1), (7, 1, 1)]


def test_only_the_first_convolution_is_dilated_in_the_ancestor() -> None:
    network = SkipEncoderDecoder(in_channels=1, out_channels=1, width=4, dilated="first")
    body = network.blocks[0].body
    assert [body[0].dilation, body[3].dilation] == [(2, 2), (1, 1)]  # type: ignore[index]


@pytest.mark.parametrize("synthesis", SYNTHESES)
def test_refined_sketch_and_photo_have_the_size_of_the_sketch(synthesis: str) -> None:
    network = CaliSketch(width=4, n_blocks=1, synthesis=synthesis).eval()
    with torch.no_grad():
        refined = network.calibrate(torch.rand(1, 1, 32, 48))
        photo = network(torch.rand(1, 1, 32, 48))
    assert refined.shape == (1, 1, 32, 48)
    assert photo.shape == (1, 3, 32, 48)
    assert 0 <= float(refined.min()) <= float(refined.max()) <= 1


def test_the_photo_is_synthesized_from_the_refined_sketch_alone() -> None:
    torch.manual_seed(0)
    network = CaliSketch(width=4, n_blocks=1).eval()
    sketch = torch.rand(1, 1, 16, 16)
    with torch.no_grad():
        assert torch.equal(network(sketch), network.synthesize(network.calibrate(sketch)))


def test_each_decoder_layer_sees_the_encoders_map_of_its_size() -> None:
    network = SkipEncoderDecoder(in_channels=1, out_channels=1, width=4, n_blocks=1)
    made: list[torch.Tensor] = []
    shown: list[torch.Tensor] = []
    for layer in network.encoder:
        layer.register_forward_hook(lambda _, inputs, output: made.append(output))
    for layer in network.decoder:
        layer.register_forward_pre_hook(lambda _, inputs: shown.append(inputs[0]))
    network(torch.rand(1, 1, 16, 16))
    for beside, inputs in zip(reversed(made), shown, strict=True):
        assert torch.equal(inputs[:, inputs.shape[1] // 2 :], beside)


def test_improvements_change_the_synthesis_network_alone() -> None:
    original = CaliSketch(width=4, n_blocks=2)
    doubled = CaliSketch(width=4, n_blocks=2, synthesis="improved-1")
    assert millions(original.scn) == millions(doubled.scn)
    assert len(doubled.isn.blocks) == 2 * len(original.isn.blocks)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(1, 1, 30, 32), (1, 3, 32, 32), (1, 32, 32)])
def test_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError):
        CaliSketch(width=4, n_blocks=1)(torch.rand(shape))


def test_the_u_net_needs_sixteenths() -> None:
    with pytest.raises(ShapeError, match="16"):
        CaliSketch(width=4, n_blocks=1, synthesis="improved-2")(torch.rand(1, 1, 40, 32))


def test_unknown_synthesis() -> None:
    with pytest.raises(UnknownNameError, match="improved-1"):
        CaliSketch(synthesis="improved-3")


def test_config_rebuilds_the_network() -> None:
    network = CaliSketch(in_channels=3, width=4, n_blocks=1, skip=False, dilated="first")
    again = CaliSketch(**network.config)
    again.load_state_dict(network.state_dict())
    assert again.config == network.config


def test_masked_unit_keeps_its_features_where_the_gate_is_open() -> None:
    unit = MaskedResidualUnit(3, 3, image_channels=1)
    features, image = torch.rand(1, 3, 8, 8), torch.rand(1, 1, 8, 8)
    with torch.no_grad():
        unit.keep.weight.zero_()
        unit.keep.bias.fill_(40.0)
        torch.testing.assert_close(unit(features, image), features)
        unit.keep.bias.fill_(-40.0)
        unit.mask.weight.zero_()
        unit.mask.bias.fill_(-40.0)  # nothing of the features passes: drawn from the image alone
        torch.testing.assert_close(unit(features, image), unit(features * 5, image))
