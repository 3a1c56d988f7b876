"""Training: resumes to the same bits, stops where it goes astray, loses nothing, learns."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.numpy import load_file, save_file  # noqa: E402

from nettwin.engines.learned import catalog  # noqa: E402
from nettwin.engines.learned.engine import Learned  # noqa: E402
from nettwin.engines.learned.model_file import Model, read_model, write_model  # noqa: E402
from nettwin.engines.learned.training.batch import labels_of, some_flows  # noqa: E402
from nettwin.engines.learned.training.examples import USUAL, Parts, topology_number  # noqa: E402
from nettwin.engines.learned.training.fit import Given, Machine, fit  # noqa: E402
from nettwin.engines.learned.training.member import Moment, one_cycle  # noqa: E402
from nettwin.engines.learned.training.outputs import (  # noqa: E402
    PARTS,
    Outputs,
    along_paths,
    errors,
    total,
)
from nettwin.engines.learned.training.prepared import prepare  # noqa: E402
from nettwin.engines.learned.training.recipe import TrainingRecipe, TrainingSchedule  # noqa: E402
from nettwin.errors import FormatError, InputError  # noqa: E402
from nettwin.scenario.generate import generate  # noqa: E402
from nettwin.training.curves import Curves  # noqa: E402
from tests.engines.learned.made import Made, example  # noqa: E402

SCHEDULE = TrainingSchedule(steps=24, seeds=(1,), validate_every=8, checkpoint_every=8, flows=20)
RECIPE = TrainingRecipe(
    "tiny", "gnn", settings={"width": 6, "hidden": 6, "rounds": 1}, schedule=SCHEDULE
)
PARTS_OF_MADE = Parts(test=(5, 0), validation=(5, 1), by="sample")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose data set is prepared."""
    folder = tmp_path_factory.mktemp("prepared")
    prepare(Made(), folder / "inputs")
    return folder


def trained(
    folder: Path, inputs: Path, schedule: TrainingSchedule = SCHEDULE, **settings: Any
) -> Model:
    folder.mkdir(exist_ok=True)
    if not (folder / "inputs").exists():
        (folder / "inputs").symlink_to(inputs / "inputs")
    recipe = replace(RECIPE, schedule=schedule)
    return fit(recipe, [Given(Made(), PARTS_OF_MADE)], folder, **settings)


def same(one: Model, other: Model) -> bool:
    return len(one.members) == len(other.members) and all(
        a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)
        for a, b in zip(one.members, other.members, strict=True)
    )


@pytest.mark.parametrize("stop", [3, 13, 24])
def test_what_was_killed_and_goes_on_ends_with_the_same_bits(tmp_path, inputs, stop) -> None:
    schedule = replace(SCHEDULE, checkpoint_every=4)
    whole = trained(tmp_path / "whole", inputs, schedule)
    checkpoints = 0

    def kill(step: int) -> Any:
        from nettwin.engines.learned.training import member

        real = member._step

        def killing(*args: Any) -> Any:
            if args[-1] == step - 1:
                raise KeyboardInterrupt
            return real(*args)

        return killing

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nettwin.engines.learned.training.member._step", kill(stop))
        with pytest.raises(KeyboardInterrupt):
            trained(tmp_path / "killed", inputs, schedule)
    checkpoints = (tmp_path / "killed" / "member-1" / "checkpoint.safetensors").exists()
    assert checkpoints == (stop > 4)
    again = trained(tmp_path / "killed", inputs, schedule)
    assert same(whole, again)
    curves = [(tmp_path / k / "member-1" / "curve.jsonl").read_text() for k in ("whole", "killed")]
    assert curves[0] == curves[1]
    assert whole.card == again.card


def test_a_seed_decides_and_processes_do_not(tmp_path, inputs) -> None:
    schedule = replace(SCHEDULE, seeds=(1, 2))
    one = trained(tmp_path / "one", inputs, schedule)
    moments: list[Moment] = []
    two = trained(tmp_path / "two", inputs, schedule, machine=Machine(jobs=2), tell=moments.append)
    assert same(one, two)
    assert not np.array_equal(one.members[0]["enter.weight"], one.members[1]["enter.weight"])
    assert {m.members for m in moments} <= {2}


def test_the_model_learns_what_theory_lacks_and_its_card_says_so(tmp_path, inputs) -> None:
    schedule = replace(SCHEDULE, steps=200, rate=1e-2, validate_every=200)
    model = trained(tmp_path, inputs, schedule)
    found = model.card["accuracy"]["test"]
    assert found["theory"]["owd_mean_s"] == pytest.approx(1 - 1 / 1.1, abs=1e-4)
    assert found["model"]["owd_mean_s"] < found["theory"]["owd_mean_s"] / 2
    assert found["noise"]["owd_mean_s"] == pytest.approx(0.02 / math.sqrt(2), rel=1e-3)
    assert found["scenarios"] == 2
    (data,) = model.card["data"]
    assert data["samples"] == {"train": 6, "validation": 2, "calibration": 0, "test": 2}
    assert data["parts"] == {"test": [5, 0], "validation": [5, 1]}
    assert data["by"] == "sample"
    assert "4 to 6 nodes" in model.card["range"]
    assert model.card["license"] == "Apache-2.0"
    # the file answers as the card says, and its engine as the accuracy was measured
    path = tmp_path / "tiny.safetensors"
    write_model(path, model)
    assert not [check.issue for check in catalog.verify(str(path)) if check.issue]
    off = []
    for number in (0, 5):
        told = example(number, 1.1)
        (said,) = Learned(read_model(path)).predict([told.scenario])
        off.append(np.mean(np.abs(said.flow["owd_mean_s"] / told.metrics.flow["owd_mean_s"] - 1)))
    assert found["model"]["owd_mean_s"] == pytest.approx(np.mean(off), rel=1e-3)


def test_training_that_meets_no_number_names_step_and_sample(tmp_path) -> None:
    folder = tmp_path / "inputs"
    for item in prepare(Made(), folder):
        arrays = load_file(item.path)
        if item.name == "made/3":
            arrays["inputs/waiting_s"] = arrays["inputs/waiting_s"] * np.nan
            save_file(arrays, item.path)
    with pytest.raises(InputError, match=r"astray at step \d, on sample made/3: the loss is nan"):
        fit(RECIPE, [Given(Made(), PARTS_OF_MADE)], tmp_path)


def test_training_that_grows_worse_is_stopped() -> None:
    from nettwin.engines.learned.training.checkpoint import Progress
    from nettwin.engines.learned.training.member import WINDOW, _Watch

    def parts(size: float) -> dict[str, float]:
        return dict.fromkeys(PARTS, size)

    watch = _Watch(Progress("x", 0))
    for step in range(3 * WINDOW):
        watch.see(step, "made/1", parts(1.0 if step % 2 else 3.0))
    with pytest.raises(
        InputError, match=r"step 6.., on sample made/2: over 200 steps the loss is 3"
    ):
        for step in range(3 * WINDOW, 4 * WINDOW):
            watch.see(step, "made/2", parts(20.0))


@pytest.mark.parametrize("cut", [0, 7, 100, 3000])
def test_a_damaged_checkpoint_is_named_and_kept(tmp_path, inputs, cut) -> None:
    trained(tmp_path, inputs)
    path = tmp_path / "member-1" / "checkpoint.safetensors"
    part = path.read_bytes()[:cut]
    path.write_bytes(part)
    with pytest.raises(FormatError, match="not a usable checkpoint"):
        trained(tmp_path, inputs)
    assert path.read_bytes() == part


def test_a_checkpoint_of_another_training_is_refused(tmp_path, inputs) -> None:
    trained(tmp_path, inputs)
    with pytest.raises(InputError, match="of other data, settings or steps"):
        trained(tmp_path, inputs, replace(SCHEDULE, rate=1e-3))


def test_a_damaged_shard_ends_the_reading_and_what_was_made_stays(tmp_path) -> None:
    with pytest.raises(FormatError, match=r"00\.npz: is damaged"):
        prepare(Made(broken=4), tmp_path)
    (home,) = tmp_path.iterdir()
    assert len(list(home.glob("*.safetensors"))) == 4
    before = {p: p.stat().st_mtime_ns for p in home.glob("*.safetensors")}
    whole = prepare(Made(), tmp_path)
    assert [item.name for item in whole] == [f"made/{n}" for n in range(10)]
    assert {p: p.stat().st_mtime_ns for p in before} == before
    again = Made()
    assert prepare(again, tmp_path) == whole
    assert again.told == []  # the index tells; nothing is read


def test_a_damaged_prepared_file_is_named(tmp_path) -> None:
    item = prepare(Made(count=1), tmp_path)[0]
    Path(item.path).write_bytes(Path(item.path).read_bytes()[:-9])
    with pytest.raises(FormatError, match=r"000000\.safetensors: is damaged"):
        item.batch()


def test_curves_go_on_where_the_checkpoint_was(tmp_path) -> None:
    with Curves(tmp_path, 0) as curves:
        for step in (10, 20, 30):
            curves.add(step, {"mean": float(step)})
    path = tmp_path / "curve.jsonl"
    path.write_text(path.read_text() + '{"step": 40, "me')
    with Curves(tmp_path, 20) as curves:
        curves.add(25, {"mean": 1.0})
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [10, 20, 25]


def test_tensorboard_is_not_needed(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with Curves(tmp_path, 0) as curves:
        curves.add(1, {"mean": 1.0})
        curves.flush()
    assert not (tmp_path / "tensorboard").exists()


def test_learning_rate_and_momentum_are_those_of_one_cycle() -> None:
    schedule = replace(SCHEDULE, steps=200)
    network = torch.nn.Linear(1, 1)
    optimizer = torch.optim.AdamW(network.parameters(), schedule.rate)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, schedule.rate, total_steps=schedule.steps, pct_start=schedule.rise
    )
    for step in range(schedule.steps):
        group = optimizer.param_groups[0]
        assert one_cycle(step, schedule) == pytest.approx(
            (group["lr"], group["betas"][0]), rel=1e-9
        )
        optimizer.step()
        if step < schedule.steps - 1:
            cycle.step()


def test_parts_are_by_number_and_the_first_that_fits_counts() -> None:
    assert [USUAL.of(7, n) for n in (0, 1, 2, 5, 6, 10, 26, 27)] == [
        *("test", "calibration", "validation", "test", "calibration", "test"),
        *("calibration", "validation"),
    ]
    by_sample = replace(USUAL, by="sample")
    assert [by_sample.of(n, 0) for n in (1, 3)] == ["calibration", "train"]


def test_kinds_of_networks_may_be_kept_for_testing() -> None:
    parts = replace(USUAL, unseen=("ladder",))
    assert [parts.of(3, 3, family) for family in ("ladder", "grid", "")] == [
        *("test", "train", "train"),
    ]
    assert Parts(**{k: tuple(v) for k, v in parts.as_table().items()}) == parts


def test_small_graphs_are_told_apart_by_their_links() -> None:
    def ring(nodes: int, rate: float) -> Any:
        return generate("ring", nodes=nodes, capacity_bps=rate)

    assert topology_number(ring(5, 1e9)) != topology_number(ring(5, 2e9))
    assert topology_number(ring(9, 1e9)) == topology_number(ring(9, 2e9))


def test_networks_of_the_same_links_share_their_number() -> None:
    one, two = (
        generate("ring", nodes=5, seed=seed, load=load) for seed, load in ((1, 0.5), (2, 0.9))
    )
    assert topology_number(one) == topology_number(two)
    assert topology_number(one) != topology_number(generate("ring", nodes=6))
    assert topology_number(one) != topology_number(generate("line", nodes=5))


def test_delays_that_the_recording_cut_off_are_not_learned() -> None:
    metrics = example(0, 1.1).metrics
    most = float(np.median(metrics.flow["owd_p90_s"]))
    cut = replace(metrics, provenance={**metrics.provenance, "longest_delay_s": most})
    kept, all_ = labels_of(cut), labels_of(metrics)
    gone = metrics.flow["owd_p90_s"] >= most
    assert 0 < gone.sum() < len(gone)
    for name in ("mean_s", "variance_s2"):
        assert np.isnan(getattr(kept, name)[gone]).all()
    assert np.array_equal(kept.mean_s[~gone], all_.mean_s[~gone])
    assert np.array_equal(kept.loss, all_.loss)


def test_judged_pulls_by_what_is_expected_and_not_beyond_four_times() -> None:
    batch = prepared_batch()
    count = len(batch.flow)

    def judged(factor: float, ln_scale: float) -> float:
        found = Outputs(
            batch.mean_s * factor,
            torch.ones(count),
            torch.zeros(count),
            torch.ones(count, 3),
            torch.full((count,), ln_scale),
        )
        return float(errors(found, batch)["judged"])

    assert judged(math.exp(0.02), math.log(0.01)) == pytest.approx(2, rel=1e-4)
    assert judged(math.exp(0.02), math.log(0.04)) == pytest.approx(0.5, rel=1e-4)
    assert judged(math.exp(0.5), math.log(0.01)) == 4


def test_errors_stay_on_the_device_of_the_batch() -> None:
    batch = prepared_batch()
    meta = batch._replace(
        **{k: v.to("meta") for k, v in batch._asdict().items() if isinstance(v, torch.Tensor)}
    )
    hops = torch.ones(len(batch.hop_path), device="meta")
    flows = along_paths(meta, hops, hops, -hops)
    levels = torch.ones(len(batch.flow), 3, device="meta")
    found = Outputs(*flows[1:], levels, torch.zeros(len(batch.flow), device="meta"))
    assert total(errors(found, meta)).device.type == "meta"


def prepared_batch() -> Any:
    from nettwin.engines.learned.inputs import inputs_of
    from nettwin.engines.learned.training.batch import batch_of

    told = example(1, 1.1)
    return batch_of(inputs_of(told.scenario), labels_of(told.metrics))


def test_some_flows_keep_their_paths_and_hops() -> None:
    batch = prepared_batch()
    part = some_flows(batch, 7, np.random.default_rng(1))
    assert len(part.flow) == len(part.mean_s) == 7
    assert set(part.path_flow.tolist()) == set(range(7))
    assert set(part.hop_path.tolist()) == set(range(len(part.path_flow)))
    assert len(part.queue) == len(batch.queue)
    whole = some_flows(batch, len(batch.flow), np.random.default_rng(1))
    assert whole is batch


@pytest.mark.parametrize("device", ["tpu", "cuda"])
def test_a_device_that_is_not_there_is_refused(device) -> None:
    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(InputError, match=f"device is '?{device}"):
        Machine(device=device).chosen_device()


def test_scenarios_side_by_side_say_what_each_says_alone() -> None:
    from nettwin.engines.learned.inputs import inputs_of
    from nettwin.engines.learned.training.batch import batch_of, together
    from nettwin.engines.learned.training.gnn import QueueGraph

    told = [example(number, 1.1) for number in (1, 2, 3)]
    each = [batch_of(inputs_of(t.scenario), labels_of(t.metrics)) for t in told]
    torch.manual_seed(0)
    network = QueueGraph(width=6, hidden=6)
    with torch.no_grad():
        network.correct.weight.normal_(0.0, 0.1)
        found, alone = network(together(each)), [network(batch) for batch in each]
    for name in Outputs._fields:
        parts = torch.cat([getattr(one, name) for one in alone])
        torch.testing.assert_close(getattr(found, name), parts, rtol=1e-4, atol=1e-9)
    # a network counts as the root of its number of flows
    shares = torch.cat([batch.share for batch in each])
    torch.testing.assert_close(together(each).share, shares)
    assert float(each[0].share.sum()) == pytest.approx(len(each[0].flow) ** 0.5)


def test_a_step_of_several_scenarios_resumes_to_the_same_bits(tmp_path, inputs) -> None:
    schedule = replace(SCHEDULE, scenarios=3, steps=6, checkpoint_every=3)
    whole = trained(tmp_path / "whole", inputs, schedule)
    trained(tmp_path / "half", inputs, schedule)
    assert same(whole, trained(tmp_path / "half", inputs, schedule))
    assert not same(whole, trained(tmp_path / "one", inputs, replace(schedule, scenarios=1)))
