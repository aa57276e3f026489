"""Composes with the running Hydra from files and a ConfigStore of structured configs."""

import copy
import importlib
import pathlib
import tempfile

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from omegaconf import OmegaConf, open_dict, read_write

oracle = importlib.import_module("typed-oracle")


def stored(structs, store, files, config, overrides, select):
    schema = oracle.Schema(structs)
    # What plugins store when they are found has to be there before and afterwards.
    Plugins.instance()
    instance = ConfigStore.instance()
    before = copy.deepcopy(instance.repo)
    try:
        for each in store:
            group, _, name = each["name"].rpartition("/")
            node = schema.structs[each["struct"]] if "struct" in each else oracle.load(each["text"])
            instance.store(name=name, group=group or None, node=node, package=each.get("package"))
        with tempfile.TemporaryDirectory() as folder:
            for path, text in files.items():
                file = pathlib.Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            GlobalHydra.instance().clear()
            with initialize_config_dir(config_dir=folder, version_base="1.3"):
                found = compose(config_name=config, overrides=list(overrides), return_hydra_config=True)
                # compose() itself cannot take Hydra's node off a root that is frozen; a run of Hydra does it so.
                with read_write(found), open_dict(found):
                    del found["hydra"]
    finally:
        instance.repo = before
    return {
        "value": oracle.tagged(OmegaConf.to_container(found)),
        "selected": [oracle.caught(lambda key=key: oracle.selected(found, key)) for key in select],
    }
