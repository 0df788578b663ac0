"""The exceptions this project raises for a user's mistake: one clear sentence each, never an `assert`."""


class I2IError(ValueError):
    """Base of all errors below; its message is fit to be shown to a visitor."""


class CheckpointError(I2IError):
    """A checkpoint is missing, damaged or of another program; the message names the file and the field."""


class HubError(CheckpointError):
    """A repo on the Hugging Face Hub that cannot be read or written; never holds a token."""


class ImageError(I2IError):
    """A file or array is not an image that can be used; the message says why."""


class DirectionError(I2IError):
    """A direction or domain that the network does not have."""


class ShapeError(I2IError):
    """A tensor whose shape or range the network cannot take."""


class EngineError(I2IError):
    """An inference engine that is unknown or not installed."""


class ExportError(I2IError):
    """A checkpoint that cannot be exported; the message says why."""


class StyleError(I2IError):
    """Text or numbers that are not a style code, or not one of this network."""


class DataError(I2IError):
    """Data that cannot be used for training or evaluation."""


class TrainingError(I2IError):
    """A training that cannot start, continue or resume."""
