"""Finds anomalies with an adversarial autoencoder and with other detectors, on the same splits.

python benchmarks/anomaly.py                        all rows that are not measured yet, 5 seeds
python benchmarks/anomaly.py --seeds 1              the same for seed 0
python benchmarks/anomaly.py --rows ionosphere      some of them
python benchmarks/anomaly.py --table                only the tables of the results that are kept
python benchmarks/anomaly.py --on validation        measures settings without the test items

Detectors see normal items only. Each row is written to anomaly.json as soon as it is measured, so
that an interrupted command continues where it stopped. The environment variable AAE_DATA_DIR names
the folder of the files. PyOD's autoencoder is left out if PyOD or PyTorch is not installed.
The measure is the AUROC. The page docs/anomaly.md shows the results.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import statistics
import time
import warnings

import numpy as np

KEPT = pathlib.Path(__file__).with_suffix(".json")
TABLES = pathlib.Path(os.environ.get("AAE_DATA_DIR", "."), "tables")
OURS = "aae"
# Settings that were chosen on validation items. Those of images are for small grey images.
RATES = {
    "reconstruction_learning_rate": 1.5e-3,
    "discriminator_learning_rate": 1e-4,
    "generator_learning_rate": 1e-3,
}
IMAGES = RATES | {
    "z_dim": 16,
    "hidden_units": 300,
    "hidden_layers": 2,
    "epochs": 20,
    "input_noise": 0.5,
}
ROWS_OF_TABLES = RATES | {"z_dim": 8, "hidden_units": 100, "hidden_layers": 2, "input_noise": 0.3}
MAX_TRAINING = 10_000


@dataclasses.dataclass
class Split:
    """Items of one row and seed.

    Args:
        x_train: Normal items that train.
        x_validation: Other normal items, which set scales and thresholds; the other detectors
            train on them, too.
        x_test: Items to score.
        anomalous: Whether each test item is anomalous.
        schema: The `tables.Schema` of rows; None for images.
    """

    x_train: np.ndarray
    x_validation: np.ndarray
    x_test: np.ndarray
    anomalous: np.ndarray
    schema: object = None


def split(x, anomalous, seed, on, given_test=None):
    """Divides items into those that train, and those that are scored.

    The test items and those that choose settings (`on` "validation") are the same for all seeds, so
    that no setting is chosen on a test item of another seed: half of the anomalies each, and a
    fifth of the normal items each; or, with given test items, a sixth of the normal items and 1000
    anomalies to choose settings. The seed divides the other normal items.
    """
    fixed = np.random.default_rng(0)
    normal, bad = (fixed.permutation(np.flatnonzero(anomalous == k)) for k in (False, True))
    held = len(normal) // (5 if given_test is None else 6)
    test, rest = np.split(normal, [held if given_test is None else 0])
    bad_test, bad = np.split(bad, [len(bad) // 2 if given_test is None else 0])
    if on == "test":
        tested = np.concatenate([test, bad_test])
    else:
        chosen, rest = np.split(rest, [held])
        tested = np.concatenate([chosen, bad if given_test is None else bad[:1000]])
    of_validation, train = np.split(np.random.default_rng(seed).permutation(rest), [held])
    scored = x[tested], anomalous[tested]
    if on == "test" and given_test is not None:
        scored = given_test
    return Split(x[train[:MAX_TRAINING]], x[of_validation], *scored)


def digits_of(name):
    """The parts of an image data set, training and validation images together."""
    from adversarial_autoencoder import data

    dataset = data.load(name)
    parts = [np.concatenate([getattr(dataset, f"{k}_{p}") for p in ("train", "validation")])
             for k in "xy"]  # fmt: skip
    return *parts, dataset.x_test, dataset.y_test


def one_against_rest(name, digit):
    """A row that has one class of images as the normal one."""

    def make(seed, on):
        x, y, x_test, y_test = digits_of(name)
        return split(x, y != digit, seed, on, (x_test, y_test != digit))

    return make


def table(file, label, normal, columns=None, header=None, drop=()):
    """A row of a CSV file."""

    def make(seed, on):
        import pandas as pd

        path = TABLES / file
        frame = pd.read_csv(
            path, header=header, names=columns, skipinitialspace=True, na_values="?"
        )
        y = frame.pop(frame.columns[label]).astype(str).str.strip("'.")
        return of_frame(frame.drop(columns=list(drop)), y.to_numpy() != normal, seed, on)

    return make


def of_frame(frame, anomalous, seed, on):
    """A split of the rows of a DataFrame, with a schema of its training rows alone."""
    from adversarial_autoencoder.tables.frames import frame_to_array, infer_frame

    frame.columns = [str(name) for name in frame.columns]
    made = split(np.arange(len(frame)), anomalous, seed, on)
    schema = infer_frame(frame.iloc[made.x_train])
    rows = frame_to_array(frame, schema)
    schema = schema.fitted(rows[made.x_train])
    parts = (rows[indices] for indices in (made.x_train, made.x_validation, made.x_test))
    return Split(*parts, made.anomalous, schema)


def adult(seed, on):
    """Adult: rows of the two rarest occupations are anomalous."""
    import pandas as pd

    frame = pd.read_csv(TABLES / "adult-train.csv", header=None, skipinitialspace=True)
    rare = frame[6].isin(["Priv-house-serv", "Armed-Forces"]).to_numpy()
    # The column that defines the anomalies is left out, as are the weight and the label.
    return of_frame(frame.drop(columns=[2, 6, 14]), rare, seed, on)


def breast_cancer(seed, on):
    """Benign tumours are normal."""
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer(as_frame=True)
    return of_frame(bunch.data, bunch.target.to_numpy() == 0, seed, on)


ROWS = {
    **{f"mnist_{k}": one_against_rest("mnist", k) for k in range(10)},
    **{f"digits_{k}": one_against_rest("digits", k) for k in range(10)},
    "mammography": table("mammography.csv", -1, "-1"),
    "ionosphere": table("ionosphere.csv", -1, "g"),
    "adult_rare": adult,
    "breast_cancer": breast_cancer,
}


def ours(part, seed, **overrides):
    """Scores the test items by an adversarial autoencoder."""
    from adversarial_autoencoder import training
    from adversarial_autoencoder.config import Config
    from adversarial_autoencoder.data.pipeline import training_batches
    from adversarial_autoencoder.evaluation import anomaly

    settings = (IMAGES if part.schema is None else ROWS_OF_TABLES) | overrides
    kind = settings.pop("kind", "both")
    n = len(part.x_train)
    settings = {"batch_size": min(100, max(n // 10, 10))} | settings
    config = Config.of(**settings, seed=seed).for_data(n, part.schema is not None)
    x, steps = part.x_train, len(part.x_train) // config.batch_size
    model = training.build(config, x.shape[1:], None, part.schema)
    at_once = max(k for k in range(1, 51) if steps % k == 0)
    model.compile(
        training.make_optimizer(config, model.steps, steps),
        jit_compile=False,
        steps_per_execution=at_once,
    )
    batches = training_batches(x, config.batch_size, seed)
    model.fit(batches, shuffle=False, steps_per_epoch=steps, epochs=config.epochs, verbose=0)
    scorer = anomaly.fit(model, part.x_validation, kind, x_train=x)
    return scorer.score(part.x_test)


def numbers(part):
    """Training and test items as other detectors take them: standardized, categories one-hot."""
    if part.schema is None:
        both = [np.concatenate([part.x_train, part.x_validation]), part.x_test]
        scale = 255 if both[0].dtype == np.uint8 else 1
        return [x.reshape(len(x), -1).astype("float32") / scale for x in both]
    from adversarial_autoencoder.observations import Columns

    prepare = Columns(part.schema).prepare
    both = [np.concatenate([part.x_train, part.x_validation]), part.x_test]
    return [prepare(x).numpy() for x in both]


def isolation_forest(x, x_test, seed):
    """scikit-learn's isolation forest."""
    from sklearn.ensemble import IsolationForest

    return -IsolationForest(random_state=seed).fit(x).score_samples(x_test)


def one_class_svm(x, x_test, seed):
    """scikit-learn's one-class SVM with default settings, on at most 5000 items."""
    from sklearn.svm import OneClassSVM

    chosen = np.random.default_rng(seed).permutation(len(x))[:5000]
    return -OneClassSVM().fit(x[chosen]).decision_function(x_test)


def local_outlier_factor(x, x_test, seed):
    """scikit-learn's local outlier factor for new items."""
    from sklearn.neighbors import LocalOutlierFactor

    del seed
    return -LocalOutlierFactor(novelty=True).fit(x).decision_function(x_test)


def pca(x, x_test, seed):
    """Reconstruction error of the principal components of 90 % of the variance."""
    from sklearn.decomposition import PCA

    fitted = PCA(0.9, svd_solver="full", random_state=seed).fit(x)
    restored = fitted.inverse_transform(fitted.transform(x_test))
    return np.square(x_test - restored).sum(axis=1)


def pyod_autoencoder(x, x_test, seed):
    """PyOD's autoencoder with default settings."""
    from pyod.models.auto_encoder import AutoEncoder

    return AutoEncoder(random_state=seed, verbose=0).fit(x).decision_function(x_test)


TITLES = {
    OURS: "AAE",
    "isolation_forest": "isolation forest",
    "one_class_svm": "one-class SVM",
    "local_outlier_factor": "local outlier factor",
    "pca": "PCA",
    "pyod_autoencoder": "PyOD autoencoder",
}
OTHERS = {
    "isolation_forest": isolation_forest,
    "one_class_svm": one_class_svm,
    "local_outlier_factor": local_outlier_factor,
    "pca": pca,
    "pyod_autoencoder": pyod_autoencoder,
}


def measure(row, detector, seed, on, **overrides):
    """Trains a detector on a row; returns its AUROC and the seconds of training and scoring."""
    from adversarial_autoencoder.evaluation import anomaly

    part, start = ROWS[row](seed, on), time.monotonic()
    if detector == OURS:
        scores = ours(part, seed, **overrides)
    else:
        x, x_test = numbers(part)
        scores = OTHERS[detector](x, x_test, seed)
    auroc = anomaly.measure(part.anomalous, scores)["auroc"]
    return {"auroc": round(auroc, 5), "seconds": round(time.monotonic() - start, 1)}


def groups(kept):
    """The rows of the tables: the digits of a data set are one."""
    found = {}
    for name in ROWS:
        found.setdefault(name.rpartition("_")[0] if name[-1].isdigit() else name, []).append(name)
    return {
        group: names
        for group, names in found.items()
        if all(any(key.split("/")[0] == name for key in kept) for name in names)
    }


def table_lines(kept):
    """The lines of a table: the mean AUROC of each detector on each row, and its mean rank."""
    detectors = [OURS, *(d for d in OTHERS if any(key.split("/")[1] == d for key in kept))]
    ranks = {detector: [] for detector in detectors}
    yield "| data | seeds | " + " | ".join(TITLES[detector] for detector in detectors) + " |"
    yield "|---" * (2 + len(detectors)) + "|"
    for group, names in groups(kept).items():
        means, seeds = [], []
        for detector in detectors:
            of_row = [
                [v["auroc"] for k, v in kept.items() if k.split("/")[:2] == [name, detector]]
                for name in names
            ]
            seeds.append(min(map(len, of_row)))
            means.append(statistics.mean(map(statistics.mean, of_row)) if seeds[-1] else None)
        known = [mean for mean in means if mean is not None]
        for detector, mean in zip(detectors, means, strict=True):
            if mean is not None:
                above = sum(other > mean for other in known)
                ranks[detector].append(1 + above + (known.count(mean) - 1) / 2)
        cells = ["-" if mean is None else f"{mean:.3f}" for mean in means]
        seeds = [count for count in seeds if count]
        counts = f"{min(seeds)}" if min(seeds) == max(seeds) else f"{min(seeds)} to {max(seeds)}"
        yield f"| {group.replace('_', ' ')} | {counts} | " + " | ".join(cells) + " |"
    cells = [f"{statistics.mean(r):.1f}" if r else "-" for r in ranks.values()]
    yield "| mean rank | | " + " | ".join(cells) + " |"


def read_kept():
    """The results that are kept, a dict from "row/detector/seed"."""
    return json.loads(KEPT.read_text()) if KEPT.exists() else {}


def main():
    """Runs the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--detectors", nargs="+", choices=[OURS, *OTHERS], default=[OURS, *OTHERS])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--on", choices=("test", "validation"), default="test")
    parser.add_argument(
        "--settings", type=json.loads, default={}, help="JSON, with --on validation"
    )
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    kept = read_kept()
    warnings.simplefilter("ignore")
    for seed in [] if arguments.table else range(arguments.seeds):
        for row in arguments.rows:
            for detector in arguments.detectors:
                key = f"{row}/{detector}/{seed}"
                if arguments.on == "test" and key in kept:
                    continue
                own = arguments.settings if detector == OURS and arguments.on != "test" else {}
                try:
                    measured = measure(row, detector, seed, arguments.on, **own)
                except ImportError as error:
                    print(f"{key}: left out, {error}", flush=True)
                    continue
                print(key, measured, own or "", flush=True)
                if arguments.on == "test":
                    kept = read_kept() | {key: measured}  # Another command can have added some.
                    KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    if arguments.on == "test":
        print("\n".join(table_lines(kept)))


if __name__ == "__main__":
    main()
