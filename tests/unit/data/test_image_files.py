"""Image files of every kind become pixels of one shape, or are refused in a few words."""

import base64
import io
import struct
import zlib
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from pipeline.data.reading import read_values
from pipeline.data.schema import Column
from pipeline.data.types import image_file
from pipeline.data.types.image import ImageColumn
from pipeline.data.types.image_file import pixels_of
from pipeline.errors import ConfigError

# a picture of 6 x 4 pixels: red above, and blue below, which JPEG keeps apart well enough
WIDE = np.zeros((4, 6, 3), np.uint8)
WIDE[:2, :, 0] = WIDE[2:, :, 2] = 255
RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def file_of(image: Image.Image, format: str = "png", **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def wide(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(WIDE).convert(mode)


def read(content: bytes, shape: tuple[int, int, int] = (4, 6, 3), resize: str = "refuse") -> np.ndarray:
    found = pixels_of(content, list(shape), resize)
    assert isinstance(found, np.ndarray), found
    assert found.shape == shape
    assert found.dtype == np.uint8
    return found


@pytest.mark.parametrize("format", ["png", "bmp", "tiff", "webp", "gif"])
def test_formats_without_loss(format: str) -> None:
    options = {"lossless": True} if format == "webp" else {}
    np.testing.assert_array_equal(read(file_of(wide(), format, **options)), WIDE)


def test_jpeg_and_cmyk() -> None:
    image = Image.fromarray(np.kron(WIDE, np.ones((16, 16, 1), np.uint8)))
    for mode in ("RGB", "CMYK", "L"):
        found = read(file_of(image.convert(mode), "jpeg", quality=95), (64, 96, 3))
        expected = np.asarray(image.convert(mode).convert("RGB"))
        # JPEG blurs the border between the colours
        assert np.abs(found.astype(int) - expected)[[8, 56]].max() <= 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_is_turned_as_its_exif_data_say(orientation: int) -> None:
    picture = np.arange(24, dtype=np.uint8).reshape(4, 6)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = {
        1: picture,
        2: picture[:, ::-1],
        3: picture[::-1, ::-1],
        4: picture[::-1],
        5: picture.T,
        6: picture.T[::-1],
        7: picture.T[::-1, ::-1],
        8: picture.T[:, ::-1],
    }[orientation]
    content = file_of(Image.fromarray(np.ascontiguousarray(stored)), exif=exif)
    np.testing.assert_array_equal(read(content, (4, 6, 1))[..., 0], picture)


def test_a_large_photo_that_lies_on_its_side() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = Image.fromarray(np.kron(WIDE[::-1], np.ones((500, 500, 1), np.uint8))).rotate(90, expand=True)
    found = read(file_of(lying, "jpeg", exif=exif), (8, 12, 3), "crop")
    assert np.abs(found[0].astype(int) - BLUE).max() <= 3
    assert np.abs(found[-1].astype(int) - RED).max() <= 3


def test_the_first_frame_of_an_animation() -> None:
    other = Image.new("RGB", (6, 4), "green")
    np.testing.assert_array_equal(read(file_of(wide(), "gif", save_all=True, append_images=[other])), WIDE)


def test_16_bits_give_their_upper_8() -> None:
    deep = Image.fromarray(np.array([[0x1234, 0xFFFF], [0x00FF, 0x8000]], np.uint16))
    for format in ("png", "tiff"):
        np.testing.assert_array_equal(read(file_of(deep, format), (2, 2, 1))[..., 0], [[0x12, 0xFF], [0, 0x80]])


def test_colours_and_grey() -> None:
    assert read(file_of(wide()), (4, 6, 1))[0, 0] == 76, "the brightness of red (ITU-R 601-2)"
    grey = Image.new("L", (6, 4), 9)
    assert (read(file_of(grey)) == 9).all()
    assert (read(file_of(grey.convert("1"))) == 0).all()


@pytest.mark.parametrize("kind", ["RGBA", "LA", "palette", "one colour"])
def test_what_is_transparent_is_white(kind: str) -> None:
    half = wide("RGBA")
    half.putalpha(Image.fromarray(np.repeat([[255], [255], [0], [0]], 6, axis=1).astype(np.uint8)))
    if kind == "palette":
        content = file_of(half.quantize(4))
    elif kind == "one colour":
        content = file_of(wide(), transparency=BLUE)
    else:
        content = file_of(half.convert(kind))
    found = read(content)
    assert (found[:2] == (76 if kind == "LA" else RED)).all()
    assert (found[2:] == WHITE).all()
    if kind == "RGBA":
        assert (read(content, (4, 6, 4))[..., 3] == [[255], [255], [0], [0]]).all(), "four channels keep it"


def test_what_becomes_of_another_size() -> None:
    content = file_of(Image.fromarray(np.kron(WIDE, np.ones((8, 8, 1), np.uint8))))  # 48 x 32
    for resize in ("fit", "crop"):
        square = read(content, (8, 8, 3), resize)
        assert (square[0] == RED).all()
        assert (square[-1] == BLUE).all()
    padded = read(content, (12, 12, 3), "pad")
    assert (padded[:2] == 0).all()
    assert (padded[-2:] == 0).all()
    assert (padded[2] == RED).all()
    assert (padded[9] == BLUE).all()
    assert pixels_of(content, [8, 8, 3], "refuse") == "48 x 32 pixels, expected 8 x 8; or set resize"
    thin = file_of(Image.new("L", (900, 1), 7))
    for resize in ("fit", "crop", "pad"):
        assert read(thin, (4, 4, 1), resize).max() == 7


def test_the_middle_is_kept() -> None:
    columns = np.zeros((10, 30), np.uint8)
    columns[:, 10:20] = 200
    assert (read(file_of(Image.fromarray(columns)), (10, 10, 1), "crop") == 200).all()


def test_pixels_are_the_same_everywhere() -> None:
    """So nobody changes the filter, or what is done before it, without a word: splits and models would change."""
    noise = np.random.default_rng(np.random.PCG64(1)).integers(0, 256, (37, 53, 4), np.uint8)
    content = file_of(Image.fromarray(noise))
    sums = {resize: int(read(content, (16, 16, 3), resize).astype(int).sum()) for resize in ("fit", "crop", "pad")}
    assert sums == {"fit": 145417, "crop": 146058, "pad": 99967}


def header(width: int, height: int) -> bytes:
    """A PNG that says it is so large, in few bytes."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    data = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + data + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


GRAIN = Image.fromarray(np.random.default_rng(np.random.PCG64(2)).integers(0, 256, (64, 64), np.uint8))
NOISE = file_of(GRAIN)
BAD = {
    "empty": (b"", "empty"),
    "text": (b"this is no image", "no image that can be read (PNG, JPEG"),
    "cut off": (NOISE[: len(NOISE) // 2], "damaged or cut off (image file is truncated"),
    "cut off in its header": (NOISE[:20], "damaged or cut off (Truncated File Read)"),
    "a JPEG cut off": (
        file_of(Image.effect_noise((64, 64), 90), "jpeg")[:-200],
        "damaged or cut off (image file is trunc",
    ),
    "a damaged byte": (NOISE[:45] + b"\0\0" + NOISE[47:], "damaged or cut off"),
    "900 million pixels": (header(30_000, 30_000), "more than 80,000,000 pixels in all"),
    "100 million pixels": (header(10_000, 10_000), "10000 x 10000 pixels, more than 80,000,000 in all"),
    "a float": (file_of(Image.new("F", (4, 4)), "tiff"), "pixels of 32 bits, expected 8 or 16"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.filterwarnings("ignore:Image size")
def test_what_is_refused(name: str) -> None:
    content, why = BAD[name]
    found = pixels_of(content, [4, 6, 3], "fit")
    assert isinstance(found, str)
    assert why in found
    assert "\n" not in found


def test_a_large_photograph_is_decoded_at_a_part_of_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of phones are; for a format that is decoded as a whole, and for a model that wants all of it, it is too
    large. So is a progressive JPEG, of which all is in memory."""
    content = {form: file_of(GRAIN, form) for form in ("jpeg", "png")}
    content["progressive"] = file_of(GRAIN, "jpeg", progressive=True)
    expected = read(content["jpeg"], (4, 6, 1), "fit")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    monkeypatch.setattr(image_file, "MOST_PIXELS", 1000)
    np.testing.assert_array_equal(read(content["jpeg"], (4, 6, 1), "fit"), expected)
    for form, resize in (("png", "fit"), ("jpeg", "refuse"), ("progressive", "fit")):
        assert "more than 1,000" in str(pixels_of(content[form], [4, 6, 1], resize))
    monkeypatch.setattr(image_file, "MOST_IN_FILE", 4000)
    assert pixels_of(content["jpeg"], [4, 6, 1], "fit") == "64 x 64 pixels, more than 4,000 in all"


def test_pillow_does_not_warn_of_what_is_refused(recwarn: pytest.WarningsRecorder) -> None:
    found = read_values(column(resize="fit"), pa.array([header(10_000, 10_000)]), ())
    assert list(found.reasons.values()) == ["10000 x 10000 pixels, more than 80,000,000 in all"]
    assert not list(recwarn)


def column(**options: Any) -> Column:
    return Column("image", ImageColumn("image", **{"shape": [4, 6, 3], "pixels": "uint8", **options}))


def test_a_column_of_files() -> None:
    contents = [file_of(wide()), b"x", None, file_of(wide("L"))]
    in_base64 = [None if content is None else base64.b64encode(content).decode() for content in contents]
    for raw in (pa.array(contents, pa.binary()), pa.array(contents, pa.large_binary()), pa.array(in_base64)):
        found = read_values(column(), raw, ())
        assert found.refused.tolist() == [False, True, False, False]
        assert list(found.reasons) == [1]
        assert found.values.is_valid().to_pylist() == [True, False, False, True]
        assert found.values[0].as_py() == WIDE.reshape(-1).tolist()
        assert found.values.type == column().storage
    floats = read_values(column(pixels="float32"), pa.array(contents, pa.binary()), ())
    assert floats.values[0].as_py() == WIDE.reshape(-1).tolist()
    assert read_values(column(), pa.array(["not base64!"]), ()).refused.tolist() == [True]


def test_lists_are_refused_one_by_one() -> None:
    wrong = "not the 4 values of the shape [2, 2, 1]"
    for kind, bad in (("uint8", [256, 0, 0, 0]), ("float32", [2**24 + 1, 0, 0, 0])):
        raw = pa.array([[1, 2, 3, 4], [1, 2], None, bad, [], [5, 6, 7, None], [5, 6, 7, 8]])
        found = read_values(column(shape=[2, 2, 1], pixels=kind), raw, ())
        assert found.values.to_pylist() == [[1, 2, 3, 4], None, None, None, None, None, [5, 6, 7, 8]]
        assert found.refused.tolist() == [False, True, False, True, True, True, False]
        assert found.reasons == {1: wrong, 4: wrong}
    for raw in (pa.array([[1], None]), pa.array([["a"] * 4]), pa.array([[{"a": 1}] * 4]), pa.array([[[1], [2]]])):
        found = read_values(column(shape=[2, 2, 1]), raw, ())
        assert found.values.null_count == len(raw)
        assert found.refused.tolist() == raw.is_valid().to_pylist()


def test_equal_pixels_have_equal_digests_whatever_the_file() -> None:
    large = column(shape=[64, 64, 3], resize="fit")
    contents = [file_of(wide()), file_of(wide(), "bmp"), file_of(wide("L"))]
    digests = large.type.digest(read_values(large, pa.array(contents, pa.binary()), ()).values)
    assert digests[0] == digests[1] != digests[2]


def test_options() -> None:
    for options, text in (
        ({"resize": "squash"}, "'squash' is unknown"),
        ({"resize": "fit", "shape": [4, 4, 2]}, "1, 3 or 4"),
    ):
        with pytest.raises(ConfigError, match=text):
            ImageColumn("image", **{"shape": [4, 4, 3], **options}).check()
