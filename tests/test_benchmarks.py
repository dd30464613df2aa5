"""The functions of the benchmarks that compute something."""

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
