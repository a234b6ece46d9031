"""Long work that a server starts: one job after the other, each in a process of its own.

`queue.py` has them wait and go on, `tasks.py` says what each verb does, `worker.py` runs one;
`storage/job_history.py` keeps what was done.
"""

from bilderatlas.results.jobs import ENDED as ENDED
from bilderatlas.results.jobs import Job as Job
from bilderatlas.results.jobs import State as State
from bilderatlas.server.jobs.queue import Jobs as Jobs
from bilderatlas.server.jobs.tasks import VERBS as VERBS
