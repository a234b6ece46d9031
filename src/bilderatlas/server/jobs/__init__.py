"""Long work that a server starts: one job after the other, each in a process of its own.

`job.py` says what a job is, `work.py` what each verb does, `child.py` runs it, `history.py` keeps
what was done.
"""

from bilderatlas.results.jobs import ENDED as ENDED
from bilderatlas.results.jobs import Job as Job
from bilderatlas.results.jobs import State as State
from bilderatlas.server.jobs.queue import Jobs as Jobs
from bilderatlas.server.jobs.tasks import VERBS as VERBS
