"""The functions of the benchmarks that compute something."""

import numpy as np
import pytest
from helpers import ROOT


def test_bytes_per_step_are_those_of_the_variables_of_each_step(make_model, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from scaling import bytes_per_step

    model = make_model()
    sizes = {
        name: 4 * sum(v.shape.num_elements() for v in getattr(model, name).trainable_variables)
        for name in ("encoder", "discriminator")
    }
    assert bytes_per_step(model, 1) == dict.fromkeys(model.var_lists, 0)
    sent = bytes_per_step(model, 4)
    assert sent["generator"] == 1.5 * sizes["encoder"]
    assert sent["discriminator"] == 1.5 * sizes["discriminator"]
    assert sent["reconstruction"] == 1.5 * (sizes["encoder"] + 4 * model.decoder.count_params())


@pytest.mark.parametrize("given", [True, False])
def test_no_anomaly_setting_is_chosen_on_a_test_item_of_any_seed(monkeypatch, given):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from anomaly import split

    anomalous = np.random.default_rng(1).random(300) < 0.3
    given_test = (np.arange(1000, 1100), np.zeros(100, bool)) if given else None
    tested = {"test": set(), "validation": set()}
    for seed in range(5):
        for on, items in tested.items():
            part = split(np.arange(300), anomalous, seed, on, given_test)
            parts = [set(part.x_train), set(part.x_validation), set(part.x_test)]
            assert sum(map(len, parts)) == len(set.union(*parts))
            assert not anomalous[part.x_train].any()
            assert not anomalous[part.x_validation].any()
            assert seed == 0 or items == parts[2]
            items |= parts[2]
    assert not tested["test"] & tested["validation"]
    orders = [list(split(np.arange(300), anomalous, k, "test").x_train) for k in (0, 1)]
    assert orders[0] != orders[1]


def test_the_columns_of_an_anomaly_benchmark_are_those_of_its_training_rows(monkeypatch):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from anomaly import of_frame

    anomalous = np.arange(100) % 4 == 0
    frame = pd.DataFrame({"job": np.where(anomalous, "spy", "cook"), "age": np.arange(100) % 9})
    frame.loc[anomalous.nonzero()[0], "age"] = np.nan
    frame.loc[1, "job"] = "farmer"
    part = of_frame(frame, anomalous, 1, "test")
    job, age = part.schema.columns
    assert "spy" not in job.categories
    assert not age.missing
    assert np.isnan(part.x_test[part.anomalous]).all()
