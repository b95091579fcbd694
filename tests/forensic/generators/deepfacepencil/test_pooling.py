"""Spatial attention pooling where algebra knows the answer."""

import torch
import torch.nn.functional as F

from forensic.generators.deepfacepencil.pooling import (
    POOLS,
    DeformationClassifier,
    SpatialAttentionPooling,
)


def create(width: int = 4) -> SpatialAttentionPooling:
    torch.manual_seed(0)
    return SpatialAttentionPooling(width=width).eval()


def sketch() -> torch.Tensor:
    lines = torch.ones(1, 3, 32, 32)
    lines[:, :, 16, 4:28] = 0
    return lines


def test_attention_equals_the_plain_computation() -> None:
    pooling = create()
    maps = pooling.features(2 * sketch() - 1)
    large = [F.interpolate(m, size=(32, 32), mode="bilinear", align_corners=True) for m in maps]
    plain = pooling.rest(pooling.first(torch.cat(large, 1))).softmax(1)
    torch.testing.assert_close(pooling.attend(sketch()), plain)


def test_attention_sums_to_one_everywhere() -> None:
    total = create().attend(sketch()).sum(1)
    torch.testing.assert_close(total, torch.ones_like(total))


def test_branches_see_strokes_as_wide_as_their_pools() -> None:
    pooling, heights = create(), []
    for branch in pooling.branches:
        branch.register_forward_pre_hook(
            lambda _, inputs: heights.append(int(inputs[0][0, 0, :, 16].sum()))
        )
    pooling.relax(sketch())
    assert heights == list(POOLS)


def test_result_is_attention_times_branches() -> None:
    pooling = create()
    out = pooling(sketch())
    assert out.shape == (1, 4, 32, 32)
    torch.testing.assert_close(out, pooling.attend(sketch()) * pooling.relax(sketch()))


def test_maps_of_the_classifier() -> None:
    with torch.device("meta"):
        features = SpatialAttentionPooling().features
        maps = features(torch.empty(1, 3, 256, 256))
        assert sum(p.numel() for p in features.parameters()) == 208_992
    assert [tuple(m.shape[1:]) for m in maps] == [(48, 128, 128), (96, 64, 64), (192, 32, 32)]


def test_classifier_learns_what_the_pooling_then_uses() -> None:
    pooling = create()
    classifier = DeformationClassifier(pooling.features, width=4)
    logits = classifier(sketch().expand(3, -1, -1, -1))
    assert logits.shape == (3,)
    logits.sum().backward()
    assert pooling.features.layers[0][0].weight.grad.abs().max() > 0  # type: ignore[index]
