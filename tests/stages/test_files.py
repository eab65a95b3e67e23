"""Files of images, by YAML alone: from class folders to a trained network that takes files and their bytes."""

import base64
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.csv as pcsv
import pytest
from PIL import Image

from pipeline.serving.raw_model import RawModel
from tests.conftest import Run
from tests.refusals import line_of

YAML = """
defaults: [files_schema]
path: data/raw/stripes
content: {type: image, shape: [12, 12, 3], resize: crop}
task: binary
"""
SETTINGS = (
    *("model.filters=[8,8]", "model.dropout=0", "trainer.epochs=60", "trainer.batch_size=8"),
    *("trainer.optimizer.learning_rate=0.01", "trainer.augmentation.flip=true"),
)
FORMATS = ("png", "jpeg", "gif")


def stripes(across: bool, number: int) -> Image.Image:
    """Stripes in a colour of their own, in noise; the sizes of the images differ."""
    drawn = np.random.default_rng(np.random.PCG64([number, across]))
    lines = (np.arange(24 + number % 3) // 4 % 2)[:, np.newaxis, np.newaxis] * drawn.integers(120, 200, 3)
    noisy = lines + drawn.integers(0, 40, (len(lines), 24, 3))
    return Image.fromarray((noisy if across else noisy.swapaxes(0, 1)).astype(np.uint8))


def write_images(folder: Path, numbers: range) -> None:
    for name, across in (("across", True), ("down", False)):
        (folder / name).mkdir(parents=True)
        for number in numbers:
            stripes(across, number).save(folder / name / f"{number:02}.{FORMATS[number % 3]}")


@pytest.mark.slow
def test_images_in_folders(checkout: Path, pipeline: Run) -> None:
    (checkout / "conf/dataset/stripes.yaml").write_text(YAML)
    write_images(checkout / "data/raw/stripes", range(30))
    run = ("experiment=cnn_digits", "dataset=stripes", *SETTINGS)
    done = pipeline("train", *run)
    assert done.returncode == 0, done.stderr
    (output,) = checkout.glob("runs/cnn_digits-*/output")
    # new files, in a folder
    write_images(checkout / "new", range(40, 52))
    answer = ("predict", f"model={output}/model.keras", "input=new", "output=out.csv")
    done = pipeline(*answer)
    assert done.returncode == 0, done.stderr
    found = pcsv.read_csv(checkout / "out.csv").to_pydict()
    assert found["file"][0] == "across/40.jpeg"
    right = [name.split("/")[0] == said for name, said in zip(found["file"], found["prediction"], strict=True)]
    assert np.mean(right) > 0.9
    # the registered model takes the bytes of files, in whatever form, and pixels
    model, contents = RawModel(output), [(checkout / "new" / name).read_bytes() for name in found["file"]]
    in_base64 = [base64.b64encode(content).decode() for content in contents]
    for given in (pd.DataFrame({"image": contents}), {"image": contents}, [{"image": text} for text in in_base64]):
        np.testing.assert_array_equal(model.predict(given)["prediction"], found["prediction"])
    pixels = np.asarray(Image.open(io.BytesIO(contents[0])).convert("RGB").resize((12, 12)))
    assert model.predict({"image": pixels[np.newaxis]})["prediction"].tolist() == ["across"]
    # a bad file among the new ones
    (checkout / "new" / "across" / "99.png").write_bytes(contents[0][:100])
    said = line_of(pipeline(*answer))
    assert said.startswith("error: new: 1 file cannot be used (across/99.png: ")
    # of the dataset, too: nothing is trained
    (checkout / "data/raw/stripes/down/99.png").write_bytes(b"no image")
    said = line_of(pipeline("train", *run))
    assert "data/raw/stripes: 1 file cannot be used (down/99.png: no image that can be read" in said
