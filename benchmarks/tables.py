"""Measures the estimators on the table Adult: codes as features, and synthetic rows.

python benchmarks/tables.py [codes] [rows]

It needs the files adult-train.csv and adult-test.csv of the UCI repository in $AAE_DATA_DIR/tables.
All settings were chosen on 6000 of the training rows. The figures here are of the test rows, with
several seeds. They are written to tables.json.
"""

import json
import os
import pathlib
import sys
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from adversarial_autoencoder.estimators import AAESampler, AAETransformer
from adversarial_autoencoder.estimators.rows import convert
from adversarial_autoencoder.evaluation import rows

RESULTS = pathlib.Path(__file__).with_suffix(".json")
FOLDER = pathlib.Path(os.environ.get("AAE_DATA_DIR", ".")) / "tables"
NAMES = [
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education_num",
    "marital_status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital_gain",
    "capital_loss",
    "hours_per_week",
    "native_country",
    "income",
]
COLUMNS, LABEL = NAMES[:-1], NAMES[-1]
SEEDS = (0, 1, 2)
# The codes are to hold what the columns have in common: hidden columns are restored from others.
CODES = {
    "batch_size": 250,
    "epochs": 20,
    "settings": {"hidden_layers": 1, "corruption": "masking", "input_noise": 0.5},
}
ROWS = {"batch_size": 250, "epochs": 10}
# Rows whose distance to the closest training row is measured.
CLOSEST = 5000


def read(name):
    """The rows of a file."""
    frame = pd.read_csv(
        FOLDER / name, header=None, names=NAMES, skipinitialspace=True, na_values="?", comment="|"
    )
    return frame.assign(income=frame.income.str.rstrip("."))


def encoder():
    """One-hot categories and standardized numbers."""
    return ColumnTransformer(
        [
            (
                "categories",
                OneHotEncoder(handle_unknown="ignore", sparse_output=False),
                make_column_selector(dtype_exclude="number"),
            ),
            ("numbers", StandardScaler(), make_column_selector(dtype_include="number")),
        ]
    )


def classifiers():
    """A linear classifier and one of trees, by name."""
    return {
        "logistic_regression": make_pipeline(encoder(), LogisticRegression(max_iter=2000)),
        "gradient_boosting": make_pipeline(
            encoder(), HistGradientBoostingClassifier(random_state=0)
        ),
    }


def codes(train, test):
    """Accuracies of a logistic regression on the columns and on 8 codes."""
    x, y, x_test, y_test = train[COLUMNS], train[LABEL], test[COLUMNS], test[LABEL]
    raw = classifiers()["logistic_regression"].fit(x, y)
    result = {
        "settings": CODES,
        "majority": float((y_test == y.mode()[0]).mean()),
        "width": raw[0].transform(x[:1]).shape[1],
        "columns": raw.score(x_test, y_test),
        "codes": [],
        "seconds": [],
    }
    for seed in SEEDS:
        columns = ColumnTransformer([("columns", "passthrough", COLUMNS)])
        pipeline = make_pipeline(
            columns.set_output(transform="pandas"),
            AAETransformer(8, random_state=seed, **CODES),
            StandardScaler(),
            LogisticRegression(max_iter=2000),
        )
        start = time.process_time()
        pipeline.fit(x, y)
        result["seconds"].append(time.process_time() - start)
        result["codes"].append(pipeline.score(x_test, y_test))
        keep("codes", result)


def synthetic(train, test):
    """Measures of synthetic rows: accuracy of classifiers, marginals and privacy."""

    def accuracies(frame):
        return {
            name: classifier.fit(frame[COLUMNS], frame[LABEL]).score(test[COLUMNS], test[LABEL])
            for name, classifier in classifiers().items()
        }

    prepare = encoder().fit(train[COLUMNS])
    neighbours = NearestNeighbors(n_neighbors=1, algorithm="brute")
    neighbours.fit(prepare.transform(train[COLUMNS]))

    def closest(frame):
        distances, _ = neighbours.kneighbors(prepare.transform(frame[COLUMNS][:CLOSEST]))
        return {"percentile_5": np.quantile(distances, 0.05), "median": np.median(distances)}

    result = {
        "settings": ROWS,
        "real": {"accuracy": accuracies(train), "closest": closest(test)},
        "synthetic": [],
    }
    for seed in SEEDS:
        start = time.process_time()
        sampler = AAESampler(random_state=seed, **ROWS).fit(train)
        seconds = time.process_time() - start
        made, schema = sampler.sample(len(train), random_state=seed), sampler.model_.observation
        arrays = [convert(sampler, frame, schema.schema) for frame in (train, test, made)]
        distances = rows.column_distances(arrays[1], arrays[2], schema.schema)
        result["floor"] = rows.column_distances(arrays[0], arrays[1], schema.schema).mean()
        result["synthetic"].append(
            {
                "accuracy": accuracies(made),
                "closest": closest(made),
                "column_distance": distances.mean(),
                "columns": dict(zip(NAMES, distances.round(4).tolist(), strict=True)),
                "seconds": seconds,
            }
        )
        keep("rows", result)


def keep(name, result):
    """Writes what was measured so far."""
    print(result, flush=True)
    measured = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(measured | {name: result}, indent=1, default=float) + "\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    parts = {"codes": codes, "rows": synthetic}
    for name in sys.argv[1:] or parts:
        parts[name](read("adult-train.csv"), read("adult-test.csv"))
