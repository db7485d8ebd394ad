"""Stand-in for Qt: names to derive from."""


class QObject:
    """Base of KOAPY's executors."""


class QThread(QObject):
    """Base of KOAPY's rate limiters."""


class Qt:
    """Named when a signal is connected."""


def Signal(*_types):
    """No signal: nothing is emitted on the client's side."""


def SIGNAL(prototype):
    """As Qt writes a signal's name."""
    return "2" + prototype
