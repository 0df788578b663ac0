"""Frames to a file that people can send each other: animated WebP and GIF, and a video where an encoder is there."""

import io
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

try:
    import av
except ImportError:  # the page works without, it only offers no video
    av = None  # type: ignore[assignment]

FRAMES_A_SECOND = 20
Frames = Sequence[Image.Image]
Encoder = tuple[Callable[[Frames], bytes], str]


def to_webp(frames: Frames) -> bytes:
    """An animated WebP that loops."""
    return _animated(frames, "WEBP", quality=88, method=1)


def to_gif(frames: Frames) -> bytes:
    """A GIF that loops; each frame has a palette of its own, and no dither, whose dots would swarm."""
    return _animated([frame.quantize(256, dither=Image.Dither.NONE) for frame in frames], "GIF")


def _animated(frames: Frames, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    first, *others = frames
    duration = 1000 // FRAMES_A_SECOND
    first.save(buffer, format, save_all=True, append_images=others, duration=duration, loop=0, **options)
    return buffer.getvalue()


def to_video(frames: Frames, container: str, codec: str, options: dict[str, str]) -> bytes:
    """A video; an odd last row or column is left out, since its colours are stored at half the size."""
    buffer = io.BytesIO()
    width, height = (side - side % 2 for side in frames[0].size)
    with av.open(buffer, "w", format=container) as file:
        stream = file.add_stream(codec, rate=FRAMES_A_SECOND, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for image in frames:
            pixels = np.asarray(image.crop((0, 0, width, height)))
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode(None))
    return buffer.getvalue()


def to_mp4(frames: Frames) -> bytes:
    """H.264, which phones and messengers play."""
    return to_video(frames, "mp4", "libx264", {"crf": "18", "preset": "veryfast"})


def to_webm(frames: Frames) -> bytes:
    """VP9, which browsers play."""
    return to_video(frames, "webm", "libvpx-vp9", {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "6"})


def encoders() -> dict[str, Encoder]:
    """What there is to write here: name → the encoder and the MIME type; MP4 is preferred to WebM."""
    found: dict[str, Encoder] = {"webp": (to_webp, "image/webp"), "gif": (to_gif, "image/gif")}
    codecs = av.codecs_available if av is not None else ()
    if "libx264" in codecs:
        found["mp4"] = (to_mp4, "video/mp4")
    elif "libvpx-vp9" in codecs:
        found["webm"] = (to_webm, "video/webm")
    return found
