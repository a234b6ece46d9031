"""Long work that a server starts: one job after the other, each in a process of its own.

`job.py` says what a job is, `work.py` what each verb does, `child.py` runs it, `history.py` keeps
what was done.
"""

from bilderatlas.jobs.job import ENDED as ENDED
from bilderatlas.jobs.job import Job as Job
from bilderatlas.jobs.job import State as State
from bilderatlas.jobs.queue import Jobs as Jobs
from bilderatlas.jobs.work import VERBS as VERBS
