"""Single pictures as files and bytes: JPEG and PNG out, whatever Pillow reads in. Knows nothing of videos."""

from __future__ import annotations

import io
import os
import warnings
from typing import Any

import numpy as np

from cinescope.media.opening import FilePath, check_file, reason, shown_name
from cinescope.media.writing import whole_file
from cinescope.types import BadQueryError, MediaError

# Pillow's own limit (Image.MAX_IMAGE_PIXELS): 89 megapixels, a quarter of a gigabyte as RGB.
MAX_PIXELS = 1024 * 1024 * 1024 // 4 // 3

_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}


def save_picture(array: np.ndarray, path: FilePath, quality: int = 90) -> None:
    """`array` uint8 (H, W, 3) RGB, (H, W, 1) or (H, W) grey -> a JPEG or PNG by the suffix. `quality` 1 to 100 is
    JPEG's. Whole or not at all. Raises BadQueryError for another suffix, MediaError where it cannot be written."""
    suffix = os.path.splitext(os.fspath(path))[1].lower()
    if suffix not in _FORMATS:
        raise BadQueryError(f"'{suffix or shown_name(path)}' is no picture format here", "use .jpg or .png")
    data = _encode(array, _FORMATS[suffix], quality)
    with whole_file(path) as part:
        part.write_bytes(data)


def picture_bytes(array: np.ndarray, quality: int = 85) -> bytes:
    """uint8 (H, W, 3) RGB, (H, W, 1) or (H, W) grey -> JPEG."""
    return _encode(array, "JPEG", quality)


def read_picture(path: FilePath, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """A picture file -> (H, W, 3) uint8 RGB, upright (EXIF rotation undone), transparent parts on white.

    Raises MediaError for what is no picture, is damaged, or has more than `max_pixels`; the size is checked before
    anything is decoded.
    """
    from PIL import Image, UnidentifiedImageError

    check_file(path)
    try:
        with warnings.catch_warnings(), open(path, "rb") as file:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # it becomes our error in _decode
            with Image.open(file) as image:
                return _decode(image, shown_name(path), max_pixels)
    except Image.DecompressionBombError as error:
        raise MediaError(
            f"picture '{shown_name(path)}' is too large ({reason(error)})", "make it smaller first"
        ) from error
    except UnidentifiedImageError as error:
        raise MediaError(f"'{shown_name(path)}' is not a picture", "give a JPEG, PNG, WebP, GIF or TIFF") from error
    except PermissionError as error:
        raise MediaError(f"no permission to read '{shown_name(path)}'", "change its permissions") from error
    except MediaError:
        raise
    # Pillow's decoders raise nearly anything for a broken file: OSError, SyntaxError (PNG), struct.error, EOFError ...
    except Exception as error:  # noqa: BLE001
        raise MediaError(f"picture '{shown_name(path)}' is damaged ({reason(error)})", "save it again") from error


def picture_from_bytes(data: bytes, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """As `read_picture`, from memory (a thumbnail of the library)."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            return _decode(image, "in memory", max_pixels)
    except MediaError:
        raise
    except Exception as error:  # noqa: BLE001 - as in read_picture
        raise MediaError(f"{len(data)} bytes are no picture ({reason(error)})") from error


def _decode(image: Any, name: str, max_pixels: int) -> np.ndarray:
    from PIL import Image, ImageOps

    width, height = image.size
    if width * height > max_pixels:
        raise MediaError(
            f"picture '{name}' has {width} x {height} pixels, more than {max_pixels / 1e6:.0f} million",
            "make it smaller first",
        )
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I") or upright.mode == "F":
        # 16 and 32-bit grey, which Pillow would cut off at 255 instead of scaling.
        values = np.asarray(upright, np.float64)
        top = 65535.0 if upright.mode.startswith("I") and values.max(initial=0) <= 65535 else values.max(initial=1)
        upright = Image.fromarray((np.clip(values / top, 0, 1) * 255).astype(np.uint8))
    if "A" in upright.getbands() or "transparency" in upright.info:
        over = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return np.asarray(upright.convert("RGB"))


def _encode(array: np.ndarray, form: str, quality: int) -> bytes:
    from PIL import Image

    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3)):
        raise ValueError(f"a picture is uint8 (H, W, 3), (H, W, 1) or (H, W), got {array.dtype} {array.shape}")
    if 0 in array.shape:
        raise ValueError(f"a picture needs at least one pixel, got {array.shape}")
    if not 1 <= quality <= 100:
        raise BadQueryError(f"quality {quality} is not between 1 and 100")
    if form == "JPEG" and max(array.shape[:2]) > 65_500:  # libjpeg's JPEG_MAX_DIMENSION
        raise MediaError(
            f"a JPEG has at most 65,500 pixels a side, not {max(array.shape[:2])}", "use PNG or a smaller size"
        )
    flat = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
    out = io.BytesIO()
    options: dict[str, Any] = {"quality": quality} if form == "JPEG" else {"compress_level": 4}
    Image.fromarray(np.ascontiguousarray(flat)).save(out, form, **options)
    return out.getvalue()
