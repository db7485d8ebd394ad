"""Stand-in for Qt: KOAPY asks where it is installed, nothing more."""
