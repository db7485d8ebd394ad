"""Stand-in for pywin32: the constants that KOAPY's client names."""

HKEY_CLASSES_ROOT = "HKEY_CLASSES_ROOT"
REG_EXPAND_SZ = 2
PROCESS_TERMINATE = 1
PROCESS_SET_QUOTA = 256
