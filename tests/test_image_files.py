"""Image files of cameras, phones and other programs: orientation, several pictures, suffixes."""

import numpy as np
import pytest
from helpers import data_refused as refused
from PIL import Image

from adversarial_autoencoder import data
from adversarial_autoencoder.config.image_form import ImageForm
from adversarial_autoencoder.data.images.folder import find_images

GREY = (np.arange(6, dtype="uint8") * 40).reshape(2, 3)
COLOUR = np.stack([GREY, GREY // 2, GREY], axis=-1)
# What makes an image upright, by its orientation.
UPRIGHT = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: np.rot90(x, 2).swapaxes(0, 1),
    8: lambda x: np.rot90(x),
}


def read_one(folder):
    """The only image in a folder."""
    form = ImageForm(value_range="dtype")
    (image,), _ = find_images(folder, warn=pytest.fail).read(form, warn=lambda text: None)
    return image


def with_orientation(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_the_orientation_is_applied(tmp_path, orientation, suffix):
    pixels = {"grey": GREY, "colour": COLOUR}
    if suffix != "webp":
        pixels["16bit"] = GREY.astype("uint16") * 257
    for name, x in pixels.items():
        folder = tmp_path / name
        folder.mkdir()
        lossless = {"lossless": True} if suffix == "webp" else {}
        Image.fromarray(x).save(
            folder / f"a.{suffix}", exif=with_orientation(orientation), **lossless
        )
        expected = UPRIGHT[orientation](COLOUR if name == "colour" else GREY[..., np.newaxis])
        if name == "16bit":
            expected = (expected / 255).astype("float32")
        assert np.array_equal(read_one(folder), expected)


def test_a_turned_photo_has_the_size_of_upright_ones(tmp_path):
    """A camera that is turned writes the same pixels and another orientation."""
    for i in range(4):
        wide = Image.fromarray(np.full((20, 30), 60 * i, "uint8"))
        wide.save(tmp_path / f"{i}.jpg")
        wide.rotate(90, expand=True).save(tmp_path / f"turned{i}.jpg", exif=with_orientation(6))
    assert data.load(tmp_path).image_shape == (20, 30, 1)


def test_damaged_exif_data_is_ignored(tmp_path, recwarn):
    image = Image.fromarray(GREY)
    image.save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff damaged", quality=100)
    assert read_one(tmp_path).shape == (2, 3, 1)
    assert not recwarn


@pytest.mark.parametrize("name", ["a.jpg", "a.mpo", "a.JPEG"])
def test_the_first_picture_of_a_phone_is_read(tmp_path, name):
    first, second = (Image.fromarray(np.full((8, 8), grey, "uint8")) for grey in (200, 10))
    first.save(tmp_path / name, format="MPO", save_all=True, append_images=[second])
    assert (read_one(tmp_path) == 200).all()


def test_other_files_with_several_pictures_are_refused(tmp_path):
    frames = [Image.new("L", (4, 5), grey) for grey in (0, 100)]
    for name in ("a.gif", "a.tif", "a.webp"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        assert f"{name} must be a readable image with one frame" in refused(tmp_path)
        (tmp_path / name).unlink()


@pytest.mark.parametrize("suffix", ["pgm", "ppm", "pbm", "pnm", "PGM", "jfif", "jpe", "dib"])
def test_usual_suffixes_are_read(tmp_path, suffix):
    x = {"ppm": COLOUR, "pbm": GREY > 100}.get(suffix, GREY)
    kind = "PPM" if suffix.lower() in ("pgm", "ppm", "pbm", "pnm") else None
    Image.fromarray(x).save(tmp_path / f"a.{suffix}", format=kind)
    image = read_one(tmp_path)
    assert image.shape == (2, 3, x.shape[2] if x.ndim == 3 else 1)
    if kind:
        expected = x.astype("uint8") * 255 if x.dtype == bool else x
        assert np.array_equal(image.squeeze(), expected)


def test_16_bits_of_pgm_are_scaled_as_those_of_png(tmp_path):
    for suffix in ("pgm", "png", "tif"):
        folder = tmp_path / suffix
        folder.mkdir()
        Image.fromarray(GREY.astype("uint16") * 257).save(folder / f"a.{suffix}")
        assert np.array_equal(read_one(folder)[..., 0], (GREY / 255).astype("float32"))


@pytest.mark.parametrize("name", ["a.pgm", "a.jfif", "a.ppm"])
def test_damaged_files_with_these_suffixes_are_refused(tmp_path, name):
    Image.new("L", (60, 60)).save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    for bad in (b"", b"no image", whole[: len(whole) // 2]):
        (tmp_path / name).write_bytes(bad)
        assert f"{name} must be a readable image" in refused(tmp_path)
