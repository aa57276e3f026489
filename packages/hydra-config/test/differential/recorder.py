"""What the cases of `instantiate` name as targets: each tells how it was called."""


class Called:
    def __init__(self, name, args, kwargs):
        self.name = name
        self.args = args
        self.kwargs = kwargs


def rec(*args, **kwargs):
    return Called("rec", args, kwargs)


def other(*args, **kwargs):
    return Called("other", args, kwargs)
