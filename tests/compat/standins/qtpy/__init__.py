"""Stand-in for Qt: the client of KOAPY imports classes of its server, which derive from Qt's, and uses none of them."""

PYQT5 = False
PYSIDE2 = True


class PythonQtError(RuntimeError):
    """No Qt at all."""
