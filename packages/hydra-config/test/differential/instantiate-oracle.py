"""Answers how the running hydra.utils.instantiate calls its targets."""

from hydra.utils import instantiate as hydra_instantiate
from omegaconf import DictConfig, ListConfig, OmegaConf
from recorder import Called


def told(value, deep=True):
    """Of what is an argument itself, whether it is a config or plain; of what is in it, only what it is."""
    if isinstance(value, Called):
        called = [told(each, False) for each in value.args]
        if called and not value.kwargs and isinstance(value.args[-1], dict):
            # Whoever is called cannot tell it from the named ones.
            called[-1] = {"named": [[key, told(each, False)] for key, each in value.args[-1].items()]}
        # JavaScript has no named arguments: they are one object behind the others.
        if value.kwargs or not called:
            called.append({"named": [[key, told(each, False)] for key, each in value.kwargs.items()]})
        return {"call": value.name, "args": called}
    if isinstance(value, (DictConfig, dict)):
        made = {"map": [[key, told(each)] for key, each in items(value)]}
        return made if deep else {"config" if isinstance(value, DictConfig) else "plain": made}
    if isinstance(value, (ListConfig, list, tuple)):
        made = [told(each) for each in (value._iter_ex(resolve=False) if isinstance(value, ListConfig) else value)]
        return made if deep else {"config" if isinstance(value, ListConfig) else "plain": made}
    if callable(value):
        return {"partial": told(value())}
    return value


def items(value):
    return value.items_ex(resolve=False) if isinstance(value, DictConfig) else value.items()


def instantiate(text, args, kwargs, path=""):
    config = OmegaConf.create(text)
    if path:
        config = OmegaConf.select(config, path)
    return {"made": told(hydra_instantiate(config, *args, **kwargs))}
