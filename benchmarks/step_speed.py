"""Measures training steps per second, of this project and of others, side by side.

pip install -r benchmarks/requirements.txt
python benchmarks/step_speed.py [--dropout 0.2] [--rounds 5] [--json FILE]
python benchmarks/step_speed.py --units 300 --layers 3              the default networks
python benchmarks/step_speed.py --network conv                      convolutions, 28x28x1
python benchmarks/step_speed.py --network conv --shape 32 32 3      convolutions, colour images

All contestants (contestants.py) are started first, then each runs a round in turn, again and again,
so that a change in the machine's speed meets all alike. Reported is the median over the rounds, the
spread from the lowest to the highest, and the ratio to eager PyTorch. The bound of a precision is
this project's own step without an optimizer: what is left are matrix products and activations.
"""

import argparse
import dataclasses
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

from contestants import BATCH, CONTESTANTS, WITH_CONVOLUTIONS, add_work, work_of


def start(name, work):
    command = [sys.executable, pathlib.Path(__file__).with_name("contestants.py"), name]
    for setting, value in dataclasses.asdict(work).items():
        command += [f"--{setting}", *map(str, value if isinstance(value, tuple) else [value])]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(errors := tempfile.TemporaryFile("w+")),
        text=True,
    ), errors


def read(name, process, errors):
    line = process.stdout.readline()
    if not line:
        errors.seek(0)
        sys.exit(f"Error: {name} stopped. {errors.read().strip().splitlines()[-1:]}")
    return json.loads(line)


def measure(names, work, rounds):
    """Runs every contestant in turn; returns its answers, a dict from name to list."""
    processes = {}
    for name in names:
        processes[name] = start(name, work)
        read(name, *processes[name])  # It is ready, and waits.
        print(f"{name} is ready", file=sys.stderr)
    answers = {name: [] for name in names}
    try:
        for _ in range(rounds):
            for name, (process, errors) in processes.items():
                process.stdin.write("\n")
                process.stdin.flush()
                answers[name].append(read(name, process, errors))
                last = answers[name][-1]
                print(f"{name}: {last['steps'] / last['seconds']:.1f}", file=sys.stderr)
    finally:
        for process, _ in processes.values():
            process.kill()
    return answers


def rows(answers, work):
    """The rows of the table: a list of dicts."""
    speeds = {name: [a["steps"] / a["seconds"] for a in rounds] for name, rounds in answers.items()}
    median = {name: statistics.median(values) for name, values in speeds.items()}
    bounds = {
        CONTESTANTS[name][0]: speed for name, speed in median.items() if name.startswith("bound")
    }
    for name, values in speeds.items():
        dtype = CONTESTANTS[name][0]
        yield {
            "name": name,
            "dtype": dtype,
            "steps_per_second": round(median[name], 1),
            "lowest": round(min(values), 1),
            "highest": round(max(values), 1),
            "images_per_second": round(BATCH * median[name]),
            "gflops": round(median[name] * work.flops / 1e9),
            "ratio_to_pytorch_eager": _ratio(median[name], median.get("PyTorch, eager")),
            "share_of_bound": _ratio(median[name], bounds.get(dtype)),
            "peak_memory_mb": round(max(a["mb"] for a in answers[name])),
        }


def _ratio(speed, other):
    return round(speed / other, 2) if other else None


def table(results):
    yield "| | steps/s (spread) | images/s | GFLOP/s | to eager PyTorch | share of bound | MB |"
    yield "|---|---|---|---|---|---|---|"
    for r in results:
        speed = f"{r['steps_per_second']} ({r['lowest']}-{r['highest']})"
        yield (
            f"| {r['name']} | {speed} | {r['images_per_second']} | {r['gflops']} "
            f"| {r['ratio_to_pytorch_eager'] or ''} | {r['share_of_bound'] or ''} "
            f"| {r['peak_memory_mb']} |"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_work(parser)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each contestant")
    parser.add_argument("--json", type=pathlib.Path, help="also write the table as data")
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS)
    args = parser.parse_args()
    work = work_of(args)
    names = args.only or (CONTESTANTS if work.is_mlp else WITH_CONVOLUTIONS)
    results = list(rows(measure(names, work, args.rounds), work))
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    print("\n".join(table(results)))


if __name__ == "__main__":
    main()
