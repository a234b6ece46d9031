"""Results -> pictures on the warm paper of the web pages.

`sheets.py` contact sheets, `maps.py` scatters, `paper.py` what they are drawn on.
"""

from bilderatlas.figures.maps import scatter as scatter
from bilderatlas.figures.paper import GREY as GREY
from bilderatlas.figures.paper import PALETTE as PALETTE
from bilderatlas.figures.paper import to_png as to_png
from bilderatlas.figures.sheets import contact_sheet as contact_sheet
