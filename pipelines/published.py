"""Figures of the papers, as printed, to stand beside ours."""

from __future__ import annotations

CSI_TABLE_2 = {
    "csi-line": {"psnr": (20.1158, 0.0231), "ssim": (0.8583, 0.0003), "r": (0.9298, 0.0005)},
    "csi-grayscale": {"psnr": (17.6567, 0.0263), "ssim": (0.6529, 0.0008), "r": (0.7458, 0.0020)},
    "csi-color": {"psnr": (19.2029, 0.0293), "ssim": (0.7154, 0.0008), "r": (0.8087, 0.0017)},
}
"""Güçlütürk et al. 2016, Table 2: mean and bootstrap standard error on 11,990 faces of LFW."""

CSI_TABLE_3 = {
    "cuhk": {"psnr": (15.0675, 0.3958), "ssim": (0.5658, 0.0099), "r": (0.8264, 0.0269)},
    "ar": {"psnr": (13.8687, 0.7009), "ssim": (0.5684, 0.0277), "r": (0.7667, 0.0314)},
}
"""Güçlütürk et al. 2016, Table 3: six showcase sketches of each sub-set, line model."""
