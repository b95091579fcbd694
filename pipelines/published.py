"""Figures of the papers, as printed, to stand beside ours."""

from __future__ import annotations

CSI_TABLE_2 = {
    "csi-line": {"psnr": (20.1158, 0.0231), "ssim": (0.8583, 0.0003), "r": (0.9298, 0.0005)},
    "csi-grayscale": {"psnr": (17.6567, 0.0263), "ssim": (0.6529, 0.0008), "r": (0.7458, 0.0020)},
    "csi-color": {"psnr": (19.2029, 0.0293), "ssim": (0.7154, 0.0008), "r": (0.8087, 0.0017)},
}
"""Güçlütürk et al. 2016, Table 2: mean and bootstrap standard error on 11,990 faces of LFW."""

CSI_BESIDE = CSI_TABLE_2 | {
    f"{name}-identity": CSI_TABLE_2[name] for name in ("csi-grayscale", "csi-color")
}
"""What each of our generators is compared with: an improved one with the row of its style."""

CSI_TABLE_3 = {
    "cuhk": {"psnr": (15.0675, 0.3958), "ssim": (0.5658, 0.0099), "r": (0.8264, 0.0269)},
    "ar": {"psnr": (13.8687, 0.7009), "ssim": (0.5684, 0.0277), "r": (0.7667, 0.0314)},
    "xm2vts": {"psnr": (11.3293, 1.2156), "ssim": (0.4231, 0.0272), "r": (0.4138, 0.1130)},
}
"""Güçlütürk et al. 2016, Table 3: six showcase sketches of each sub-set, line model."""

CSI_TABLE_4 = {
    "csi-line": {"psnr": (14.8956, 0.0207), "ssim": (0.5931, 0.0006), "r": (0.6023, 0.0017)},
    "csi-grayscale": {"psnr": (17.1654, 0.0277), "ssim": (0.6301, 0.0008), "r": (0.7175, 0.0022)},
    "csi-color": {"psnr": (18.9884, 0.0296), "ssim": (0.7072, 0.0008), "r": (0.7976, 0.0019)},
}
"""Güçlütürk et al. 2016, Table 4: as Table 2, trained by the feature loss alone."""

CSI_TABLE_5 = {
    "cuhk": {"psnr": (14.6213, 0.4061), "ssim": (0.5358, 0.0216), "r": (0.8295, 0.0200)},
    "ar": {"psnr": (14.1721, 0.4127), "ssim": (0.5608, 0.0232), "r": (0.7811, 0.0217)},
    "xm2vts": {"psnr": (11.7158, 1.3050), "ssim": (0.4096, 0.0258), "r": (0.3817, 0.1341)},
}
"""Güçlütürk et al. 2016, Table 5: as Table 3, trained by the feature loss alone."""

FCN_TABLE_1 = {
    "Baseline": {"1": 0.41, "3": 0.56, "5": 0.59, "10": 0.70},
    "ET": {"1": 0.71, "3": 0.81, "5": 0.88, "10": 0.96},
    "MRF": {"1": 0.96},
    "MRF+": {"1": 0.99},
    "SVR": {"1": 1.00},
    "Ours": {"1": 1.00, "3": 1.00, "5": 1.00, "10": 1.00},
}
"""Zhang et al. 2015, Table 1: match scores of 100 sketches among 100 pseudo-sketches (CUHK).
Further figures of the others cannot be told apart in the text."""

FCN_FIGURE_4 = {5: 0.95, 27: 1.00}
"""Zhang et al. 2015, Fig. 4 and section 4.2: rank 1 by number of training pairs, as far as the
text states it."""

FCN_MPRL = {
    "fcn-sr": {"0.5": 34.5, "1": 36.8, "2": 36.2},
    "fcn-small": {"0.5": 32.6, "1": 35.0, "2": 34.4},
    "fcn-medium": {"0.5": 32.1, "1": 34.6, "2": 34.0},
    "fcn-large": {"0.5": 30.0, "1": 32.5, "2": 31.9},
}
"""Zhang et al. 2015, Fig. 5 and section 4.3: MPRL in gray levels at three scales."""

FCN_TABLE_2 = {"fcn-sr": 8.5, "fcn-small": 8.6, "fcn-medium": 17.1, "fcn-large": 50.8}
"""Zhang et al. 2015, Table 2: milliseconds for one 155×200 picture on a Tesla K40."""

STUDY_TABLE_3 = {
    "sparse": {"ssim": 0.699, "mse": 0.034},
    "conv": {"ssim": 0.768, "mse": 0.022},
    "pix2pix": {"ssim": 0.744, "mse": 0.029},
    "vgg": {"ssim": 0.746, "mse": 0.028},
}
"""Skubisz, Table III: photo to sketch, 300 pictures of a split that leaks people."""

STUDY_TABLE_4 = {
    "sparse": {"ssim": 0.76, "mse": 0.028},
    "conv": {"ssim": 0.782, "mse": 0.02},
    "pix2pix": {"ssim": 0.774, "mse": 0.021},
    "vgg": {"ssim": 0.807, "mse": 0.015},
}
"""Skubisz, Table IV: sketch to photo, likewise."""

CALI_TABLE_1 = {
    "pix2pix": {"psnr": 18.83, "ssim": 0.7554, "fid": 76.90},
    "CycleGAN": {"psnr": 24.21, "ssim": 0.8508, "fid": 80.17},
    "MUNIT": {"psnr": 17.23, "ssim": 0.7515, "fid": 78.57},
    "DRIT": {"psnr": 16.14, "ssim": 0.7047, "fid": 109.83},
    "DeepFaceDrawing": {"psnr": 13.21, "ssim": 0.3751, "fid": 97.36},
    "Cali-Sketch": {"psnr": 20.25, "ssim": 0.8006, "fid": 58.43},
}
"""Xia et al. 2021, Table 1: CUHK, 256×256; neither split, number nor kind of sketch is stated."""

CALI_TABLE_2 = {
    "detail": {"precision": 0.1559, "recall": 0.1475},
    "contour": {"precision": 0.1713, "recall": 0.1564},
    "detail and contour": {"precision": 0.9962, "recall": 0.4772},
}
"""Xia et al. 2021, Table 2: refined sketch against Canny, by what calibrates."""

CALI_TABLE_3 = {
    "original": {"psnr": 20.25, "ssim": 0.8006, "fid": 58.43},
    "improved-1": {"psnr": 20.34, "ssim": 0.8092, "fid": 57.09},
    "improved-2": {"psnr": 21.09, "ssim": 0.8137, "fid": 55.12},
}
"""Xia et al. 2021, Table 3: other synthesis networks, as Table 1."""

DFP_TABLE_1 = {
    "pix2pix": {"inception_score": 2.186, "fid": 289.3},
    "baseline": {"inception_score": 2.298, "fid": 259.1},
    "baseline-deformed": {"inception_score": 2.369, "fid": 244.3},
    "DeepFacePencil": {"inception_score": 2.411, "fid": 242.1},
}
"""Li et al. 2020, Table 1: CelebA-HQ, 256×256, sketches on the edges; neither number nor Inception
weights are stated."""
