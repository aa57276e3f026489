"""Prints where Hydra's own test configs are, and which of them it composes as primary configs, as a line of JSON."""

import json
from pathlib import Path

import hydra.test_utils
from hydra import compose, initialize_config_dir

folder = Path(hydra.test_utils.__file__).parent / "configs"


def composes(name):
    try:
        compose(config_name=name)
    except Exception:
        return False
    return True


with initialize_config_dir(config_dir=str(folder), version_base="1.3"):
    names = sorted(path.stem for path in folder.glob("*.yaml"))
    composed = [name for name in names if composes(name)]
    print(json.dumps({"folder": str(folder), "configs": composed, "all": len(names)}))
