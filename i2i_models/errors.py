"""The exceptions this project raises for a user's mistake: one clear sentence each, never an `assert`."""


class I2IError(ValueError):
    """Base of all errors below; its message is fit to be shown to a visitor."""


class CheckpointError(I2IError):
    """A checkpoint is missing, damaged or not one of ours; the message names the file and the field."""


class HubError(CheckpointError):
    """A repo on the Hugging Face Hub that cannot be read or written; never holds a token."""


class ImageError(I2IError):
    """A file or array is not an image that can be used; the message says why."""


class DirectionError(I2IError):
    """A direction or domain that the method does not have."""


class ShapeError(I2IError):
    """A tensor whose shape or range the network cannot take."""


class EngineError(I2IError):
    """An inference engine that there is not, or that is not installed."""


class StyleError(I2IError):
    """Text or numbers that are no style code, or none of this network."""


class DataError(I2IError):
    """Training data that cannot be trained on."""


class TrainingError(I2IError):
    """A training that cannot start, go on or resume."""
