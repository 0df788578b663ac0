"""What the numbers in a file mean as colours: profiles and gamma to sRGB, transparency to paper."""

import io

import numpy as np
from PIL import Image, ImageCms

MAX_PROFILE = 4_000_000
"""Bytes of an ICC profile; larger ones are ignored."""
SRGB_GAMMA = 1 / 2.2
LIGHT = 220
"""Luminance from which ink cannot be seen on white paper."""
MOSTLY = 0.97
"""Share of the ink that must be light for the paper to be dark."""
DARK_PAPER = (0, 0, 0, 255)


def to_srgb(image: Image.Image) -> Image.Image:
    """A picture's colours as sRGB, by its ICC profile or a PNG's gamma; as it is where neither says anything.

    A profile that cannot be used is ignored, as browsers do.
    """
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and 128 < len(profile) <= MAX_PROFILE:
        return _by_profile(image, profile)
    gamma = image.info.get("gamma")
    known = "srgb" in image.info or image.mode not in ("RGB", "RGBA", "L", "LA")
    if known or not isinstance(gamma, float) or not 0.1 <= gamma <= 10 or abs(gamma - SRGB_GAMMA) < 0.02:
        return image
    curve = [round(255 * (value / 255) ** (SRGB_GAMMA / gamma)) for value in range(256)]
    alpha = len(image.getbands()) in (2, 4)
    return image.point(curve * (len(image.getbands()) - alpha) + list(range(256)) * alpha)


def on_paper(image: Image.Image) -> Image.Image:
    """A transparent picture on white; on black, if nearly all of its ink is so light that white would hide it."""
    rgba = image.convert("RGBA")
    alpha = np.asarray(rgba.getchannel("A"), np.float32)
    light = np.asarray(rgba.convert("RGB").convert("L")) >= LIGHT
    ink = float(alpha.sum())
    has_paper = bool((alpha < 128).mean() > 0.05)
    dark = has_paper and ink > 0 and float(alpha[light].sum()) > MOSTLY * ink
    return Image.alpha_composite(Image.new("RGBA", rgba.size, DARK_PAPER if dark else "white"), rgba).convert("RGB")


def _by_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """Through the profile; the sRGB ones, which most files have, change nothing."""
    try:
        found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(found):
            return image
        if image.mode in ("P", "PA", "1"):
            image = image.convert("RGBA" if image.has_transparency_data else "RGB")
        mode = image.mode if image.mode in ("RGB", "RGBA") else "RGB"
        converted = ImageCms.profileToProfile(image, found, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    return image if converted is None else converted
