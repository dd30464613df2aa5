"""Anomaly scores: their closed forms, their file, and the mode that writes them."""

import csv
import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

from adversarial_autoencoder.errors import InputError, Mismatch
from adversarial_autoencoder.evaluation import anomaly
from adversarial_autoencoder.observations import Columns, Pixels
from adversarial_autoencoder.tables import Column, Schema


@pytest.fixture
def scorer(make_model, digits):
    """A score of an untrained model, fitted to 200 digits."""
    return anomaly.fit(make_model(), digits[:200], x_train=digits[200:400])


@pytest.fixture(scope="module")
def scored(command_line, tmp_path_factory):
    """A results folder with a run that was trained on zeros and scored, and what it printed.

    The threshold needs 99 validation images, of which there are fewer.
    """
    results = tmp_path_factory.mktemp("scored")
    flags = ["--dataset=digits", "--train_on=0", "--hidden_units=32", "--z_dim=3", "--epochs=20"]
    command_line("--run_name=zeros", *flags, "--model=wae_mmd", results=results)
    out, err = command_line("--mode=score", results=results)
    assert "at least 99. Train with more normal images, or use --contamination 0.0" in err
    return results, out


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_errors_of_pixels_are_squared():
    x, logits = np.full((2, 3, 3, 1), 0.75, "float32"), np.zeros((2, 3, 3, 1), "float32")
    np.testing.assert_allclose(Pixels().errors(x, logits), np.full((2, 3, 3, 1), 0.0625))


def test_errors_of_columns_are_in_their_order_and_their_mean_is_the_loss():
    numeric = {"centre": 0.0, "unit": 1.0}
    schema = Schema(
        (
            Column("job", "categorical", "str", categories=("a", "b", "c")),
            Column("age", missing=True, frequent=0.0, **numeric),
            Column("sex", "categorical", "str", categories=("f", "m")),
            Column("income", **numeric),
        )
    )
    columns = Columns(schema)
    rows = np.array([[0, 2, 1, 3], [2, np.nan, 0, -1], [1, 0, 1, 5]], "float32")
    x = columns.prepare(rows)
    errors = columns.errors(x, tf.zeros_like(x)).numpy()
    two = np.log(2)  # The cross-entropy of an indicator, or of one of two categories.
    expected = [
        [np.log(3), 4 + 2 * two, two, 9],
        [np.log(3), 2 * two, two, 1],
        [np.log(3), 2 * two, two, 25],
    ]
    np.testing.assert_allclose(errors, expected, rtol=1e-5)
    np.testing.assert_allclose(columns.losses(x, tf.zeros_like(x)), np.mean(expected, 1), rtol=1e-5)


def test_p_values_are_ranks_among_normal_items(scorer):
    n = len(scorer.normal_scores)
    assert n == 200
    p = scorer.p_values(np.array([np.inf, scorer.normal_scores[-1], -np.inf]))
    np.testing.assert_allclose(p, [1 / (n + 1), 2 / (n + 1), 1])


@pytest.mark.parametrize("contamination", [0.01, 0.1, 0.5])
def test_a_fraction_of_the_normal_items_exceeds_the_threshold(scorer, contamination):
    scorer = dataclasses.replace(scorer, contamination=contamination)
    above = (scorer.normal_scores > scorer.threshold).mean()
    assert above == pytest.approx(contamination, abs=0.005)


@pytest.mark.parametrize("given", [True, False])
def test_sorted_items_are_drawn_at_random(make_model, digits, monkeypatch, given):
    # Black images come last; nothing explains the variance of an image that is almost constant.
    x = np.concatenate([digits[:60], np.zeros_like(digits[:60])])
    monkeypatch.setattr("adversarial_autoencoder.evaluation.anomaly.scorer.MAX_ITEMS", 40)
    scorer = anomaly.fit(make_model(), x, "reconstruction", x_train=x if given else None)
    assert len(scorer.normal_scores) == 40
    assert 0.2 < (scorer.normal_scores > 50).mean() < 0.8


def test_the_score_of_both_adds_the_parts_in_units_of_their_spread(scorer, digits):
    parts = [dataclasses.replace(scorer, kind=kind) for kind in ("reconstruction", "latent")]
    x = digits[400:450]
    total = 0
    for part in parts:
        median, high = np.quantile(part.normal_scores, [0.5, 0.9])
        total += (part.score(x) - median) / (high - median)
    np.testing.assert_allclose(scorer.score(x), total, rtol=1e-6)


def test_parts_that_hardly_vary_do_not_hide_the_other_part(scorer):
    parts = np.full((100, 2), 3.0)
    parts[:5, 0] = 4  # The quantile 0.9 is the median.
    scores = dataclasses.replace(scorer, normal_parts=parts).normal_scores
    np.testing.assert_allclose(scores[[0, -1]], [0, 1 / parts[:, 0].std()])
    parts[:5, 0] = 3
    assert (dataclasses.replace(scorer, normal_parts=parts).normal_scores == 0).all()


def test_the_reconstruction_of_an_image_is_scored_by_its_unexplained_variance(scorer, digits):
    x = digits[:5]
    pixels, restored = x.reshape(5, -1) / 255, scorer.model.predict(x, verbose=0).reshape(5, -1)
    unexplained = np.square(pixels - restored).mean(axis=1) / pixels.var(axis=1)
    found = dataclasses.replace(scorer, kind="reconstruction").score(x)
    np.testing.assert_allclose(found, unexplained, rtol=0.01)


def test_a_row_with_an_outlier_names_its_column(table_model, people):
    model = table_model(Columns.of(people).schema)
    scorer = anomaly.fit(model, people)
    odd = people.iloc[:3].copy()
    odd.loc[odd.index[1], "age"] = 500
    where = scorer.where(odd)
    assert where.shape == (3, len(people.columns))
    assert where[1].argmax() == list(people.columns).index("age")
    assert scorer.score(odd).argmax() == 1
    assert scorer.p_values(scorer.score(odd))[1] == 1 / (1 + len(people) // 2)


def unseen_schema():
    """A number and categories without missing values, and one category that all rows have."""
    number = {"centre": 0.0, "unit": 1.0}
    kinds = {"job": ("a", "b", "c"), "sex": ("f", "m"), "country": ("x",)}
    texts = [Column(n, "categorical", "str", categories=c) for n, c in kinds.items()]
    return Schema((*texts, *(Column(name, **number) for name in ("age", "income"))))


def test_an_unseen_category_has_the_error_of_the_least_likely_one_but_no_loss():
    columns = Columns(unseen_schema())
    x = columns.prepare(np.array([[np.nan, 0, 0, 0, 0], [2, np.nan, 0, 0, 0]], "float32"))
    outputs = np.zeros(x.shape, "float32")
    outputs[:, 2] = 3  # The logit of job a.
    least = np.log(np.exp(3) + 2)
    expected = [[least, np.log(2), 0, 0, 0], [least, np.log(2), 0, 0, 0]]
    np.testing.assert_allclose(columns.errors(x, outputs), expected, rtol=1e-5)
    losses = np.array([np.log(2), least]) / 5
    np.testing.assert_allclose(columns.losses(x, outputs), losses, rtol=1e-5)


def test_values_that_no_training_row_lacks_make_a_row_anomalous(table_model):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(100, 5)).astype("float32")
    rows[:, :3] = rng.integers(0, [3, 2, 1], (100, 3))
    scorer = anomaly.fit(table_model(unseen_schema()), rows, x_train=rows)
    odd = rows[:5].copy()
    np.fill_diagonal(odd, np.nan)
    assert (scorer.score(odd) > scorer.normal_scores[-1]).all()
    assert (scorer.where(odd).argmax(axis=1) == range(5)).all()
    assert (scorer.where(odd).diagonal() >= 100).all()


def test_another_number_in_a_constant_column_is_anomalous(table_model):
    rows = np.random.default_rng(0).normal(size=(100, 3)).astype("float32")
    rows[:, 1] = 5
    scorer = anomaly.fit(table_model(Schema.of_array(rows)), rows, x_train=rows)
    odd = np.tile(rows[:1], (3, 1))
    odd[1:, 1] = 6, -1e9
    assert scorer.where(odd)[0, 1] < 1
    assert (scorer.where(odd)[1:, 1] >= 100).all()
    assert (scorer.score(odd[1:]) > scorer.normal_scores[-1]).all()


def test_huge_numbers_have_finite_scores(table_model):
    rows = np.random.default_rng(0).normal(size=(100, 5)).astype("float32")
    rows[:, :3] = 0
    odd = rows[:3].copy()
    odd[1:, 4] = 1e20, 9e29
    model = table_model(unseen_schema())
    scorer = anomaly.fit(model, rows, x_train=rows)
    for kind in anomaly.KINDS:
        scores = dataclasses.replace(scorer, kind=kind).score(odd)
        assert np.isfinite(scores).all()
        assert scores.argmin() == 0
    assert np.isfinite(scorer.where(odd)).all()
    # The same if validation rows have them.
    fitted = anomaly.fit(model, np.concatenate([rows, odd]), x_train=rows)
    assert np.isfinite([*fitted.normal_scores, fitted.threshold]).all()


def test_a_saved_score_is_the_same(scorer, digits, tmp_path):
    path = tmp_path / "score.npz"
    dataclasses.replace(scorer, kind="latent", contamination=0.2).save(path)
    loaded = anomaly.load(path, scorer.model)
    assert (loaded.kind, loaded.contamination) == ("latent", 0.2)
    both = dataclasses.replace(loaded, kind="both")
    np.testing.assert_array_equal(both.score(digits[:9]), scorer.score(digits[:9]))


def test_a_saved_score_of_another_model_or_a_damaged_one_is_refused(scorer, make_model, tmp_path):
    path = tmp_path / "score.npz"
    scorer.save(path)
    with pytest.raises(Mismatch):
        anomaly.load(path, make_model(z_dim=3))
    path.write_bytes(path.read_bytes()[:1000])
    for damaged in (path, tmp_path / "none.npz"):
        with pytest.raises(InputError, match=f"{damaged.name} must be"):
            anomaly.load(damaged, scorer.model)


@pytest.mark.parametrize(
    ("name", "change", "received"),
    [
        ("weights_", lambda y: np.append(y, 0.0), "arrays of the shapes"),
        ("means_", lambda y: y[:, :1], "arrays of the shapes"),
        ("normal_parts", lambda y: y.astype(str), "arrays of the shapes"),
        ("scales", lambda y: y[:2], "arrays of the shapes"),
        ("contamination", lambda y: np.array(7.0), "contamination"),
        ("covariances_", lambda y: np.zeros((10**4, 10, 10)), "bytes in total"),
    ],
)
def test_a_saved_score_of_other_arrays_is_refused(scorer, tmp_path, name, change, received):
    """A few packed bytes can fill the memory."""
    path = tmp_path / "score.npz"
    scorer.save(path)
    with np.load(path) as file:
        arrays = dict(file)
    np.savez_compressed(path, **arrays | {name: change(arrays[name])})
    with pytest.raises(InputError, match=f"{received}.*Received|Received.*{received}"):
        anomaly.load(path, scorer.model)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"kind": "everything"}, "kind must be one of both, reconstruction, latent"),
        ({"contamination": 0}, "above 0 and at most 0.5"),
        ({"contamination": "auto"}, "above 0 and at most 0.5"),
        ({"contamination": 0.7}, "above 0 and at most 0.5"),
        ({"x_normal": np.zeros((19, 8, 8, 1), "uint8")}, "at least 20 normal images"),
        (dict.fromkeys(["x_normal", "x_train"], np.zeros((9, 8, 8, 1), "uint8")), "at least 10 "),
    ],
)
def test_arguments_out_of_range_are_refused(make_model, digits, arguments, expected):
    with pytest.raises(InputError, match=expected):
        anomaly.fit(make_model(), **{"x_normal": digits[:20]} | arguments)


def test_a_decoder_that_needs_labels_is_refused(supervised, digits):
    with pytest.raises(InputError, match="without labels"):
        anomaly.fit(supervised, digits[:20])


def test_measures_of_scores():
    measures = anomaly.measure(np.array([False, False, True, True]), np.array([1.0, 3, 2, 4]))
    assert measures == {"auroc": 0.75, "average_precision": pytest.approx(5 / 6)}


def test_the_mode_flags_other_classes(scored, dataset):
    results, out = scored
    rows = rows_of(results / "zeros" / "scores.csv")
    assert list(rows[0]) == ["index", "score", "p_value", "flag"]
    assert len(rows) == len(dataset.x_test)
    summary = json.loads((results / "zeros" / "scores.json").read_text())
    for row in rows:
        assert (float(row["score"]) > summary["threshold"]) == (row["flag"] == "1")
        assert 0 < float(row["p_value"]) <= 1
    scores = np.array([float(row["score"]) for row in rows])
    assert summary["auroc"] == anomaly.measure(dataset.y_test != 0, scores)["auroc"]
    assert summary["auroc"] > 0.9
    assert f"AUROC {summary['auroc']:.4f}" in out
    # One of the images exceeds their quantile 0.99.
    assert f"which {1 / summary['num_normal']:.1%} of the validation images exceed" in out
    for name in ("anomalies", "roc"):
        assert (results / "zeros" / "figures" / f"{name}.png").stat().st_size > 1000


def test_the_mode_scores_files_without_the_data(scored, command_line, dataset, tmp_path):
    results, _ = scored
    run, output = results / "zeros", tmp_path / "scores.npz"
    np.savez(tmp_path / "mine.npz", x_train=dataset.x_test[:20])
    files = [f"--input={tmp_path / 'mine.npz'}", f"--output={output}"]
    out, err = command_line("--mode=score", *files, "--contamination=0.2", results=results)
    assert "Fitting" not in out
    assert err == ""
    n = json.loads((run / "scores.json").read_text())["num_normal"]
    shares = [f"which {k / n:.1%} of the validation images exceed" for k in (n // 5, n // 5 + 1)]
    assert any(share in out for share in shares)
    expected = [float(row["score"]) for row in rows_of(run / "scores.csv")[:20]]
    with np.load(output) as file:
        np.testing.assert_allclose(file["score"], expected, rtol=1e-4)


def test_the_mode_keeps_the_scores_of_the_test_items(scored, command_line, dataset, tmp_path):
    results, _ = scored
    run = results / "zeros"
    kept = [run / "scores.csv", run / "figures" / "anomalies.png"]
    before = [path.read_bytes() for path in kept]
    np.savez(tmp_path / "mine.npz", x_train=dataset.x_test[20:40])
    command_line("--mode=score", f"--input={tmp_path / 'mine.npz'}", results=results)
    assert [path.read_bytes() for path in kept] == before
    assert len(rows_of(run / "input_scores.csv")) == 20
    assert (run / "figures" / "input_anomalies.png").stat().st_size > 1000


@pytest.mark.usefixtures("eager")
def test_the_mode_names_columns_of_rows(command_line, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    x[:, 2] = x[:, 0]
    np.save(tmp_path / "rows.npy", x)
    x[7, 1] = 30
    np.save(tmp_path / "mine.npy", x[:20])
    flags = [f"--dataset={tmp_path / 'rows.npy'}", "--model=wae_mmd", "--epochs=3"]
    command_line("--run_name=t", "--hidden_units=8", *flags, results=tmp_path)
    mine = [f"--input={tmp_path / 'mine.npy'}", f"--output={tmp_path / 'scores.csv'}"]
    out, _ = command_line("--mode=score", *mine, results=tmp_path)
    rows = rows_of(tmp_path / "scores.csv")
    worst = max(range(20), key=lambda i: float(rows[i]["score"]))
    assert worst == 7
    assert rows[7]["flag"] == "1"
    errors = {name: float(rows[7][name]) for name in rows[7] if name.startswith("error_")}
    assert len(errors) == 3
    assert max(errors, key=errors.get) == "error_column_2"
    (tmp_path / "t" / "anomaly.npz").write_bytes(b"damaged")
    out, err = command_line("--mode=score", *mine, "--overwrite", results=tmp_path)
    assert err.startswith("Warning: The score is fitted again.") and "Fitting" in out
    assert rows_of(tmp_path / "scores.csv") == rows
    assert "column_2 (" in out


def test_the_mode_refuses_what_it_cannot_do(refused):
    assert "contamination must be above 0 and at most 0.5" in refused(
        "--mode=score", "--contamination=0.51"
    )
    assert "score must be one of" in refused("--mode=score", "--score=all")
    assert "--score needs --mode score" in refused("--mode=evaluate", "--score=latent")
    assert "input must be a file or a folder" in refused("--mode=score", "--input=TMP/none")
    assert "train_on must name classes of digits" in refused(
        "--mode=train", "--dataset=digits", "--train_on=ten"
    )
