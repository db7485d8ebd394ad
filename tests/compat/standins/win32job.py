"""Stand-in for pywin32: KOAPY makes a job object when it is imported, for a server process that is not started here."""

JobObjectExtendedLimitInformation = 9
JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE = 8192


def CreateJobObject(_attributes, _name):
    """No job."""


def QueryInformationJobObject(_job, _kind):
    """The limits that the caller changes."""
    return {"BasicLimitInformation": {}}


def SetInformationJobObject(_job, _kind, _information):
    """Nothing to set."""
