"""Stand-in for pywin32."""
