"""Results -> pictures on the warm paper of the web pages.

`sheets.py` contact sheets, `maps.py` scatters, `heat_maps.py` cosines between things, `curves.py`
advice on k and eps, `paper.py` what they are drawn on.
"""

from bilderatlas.figures.curves import advice as advice
from bilderatlas.figures.heat_maps import heat_map as heat_map
from bilderatlas.figures.heat_maps import value_range as value_range
from bilderatlas.figures.maps import N_PICTURES as N_PICTURES
from bilderatlas.figures.maps import apart as apart
from bilderatlas.figures.maps import scatter as scatter
from bilderatlas.figures.paper import GREY as GREY
from bilderatlas.figures.paper import PALETTE as PALETTE
from bilderatlas.figures.paper import to_png as to_png
from bilderatlas.figures.sheets import contact_sheet as contact_sheet
from bilderatlas.figures.sheets import group_sheet as group_sheet
from bilderatlas.figures.sheets import smaller as smaller
