"""What the pages say, in English. `german.py` has the same names."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from bilderatlas.results import Decision, ProblemKind, Verdict

# -- the frame

PROGRAM = "Bilderatlas"
SKIP = "Skip to the pictures"
LOADING = "Laying out the pictures…"
SCHEME = "Light or dark"
NAVIGATION = "Pages"
UNDO = "Undo"
HOME, GALLERY, SEARCH, CLUSTERS, MAP = "Home", "Gallery", "Search", "Clusters", "Map"
NOT_FOUND = "There is no such page"
NOT_FOUND_HINT = "Perhaps the gallery has what you are looking for."
TO_GALLERY = "To the gallery"
REFUSED = "That did not work"
FAILED = "Something went wrong"
FAILED_HINT = "This is a fault in the program. Its log says what happened; please report it."


def title(page: str, collection: str) -> str:
    """The title of the browser's window."""
    return f"{page} · {collection} · {PROGRAM}"


def too_long(name: str, n: int, most: int) -> str:
    """What is wrong with a parameter of the address that is a novel."""
    return f"{name} has {count(n)} characters. Expected: {count(most)} at most."


def no_such_number(name: str, written: str, low: float, high: float) -> str:
    """A parameter of the address that is no number, or one out of range."""
    return f"{name} is {written!r}; it must be a number from {low:g} to {high:g}."


def no_such_choice(name: str, written: str, choices: Sequence[str]) -> str:
    """A parameter of the address that is none of some words."""
    return f"{name} is {written!r}; it must be one of: {', '.join(choices)}."


def count(n: int) -> str:
    """A number as it is written: 12,345."""
    return f"{n:,}"


# -- pictures on every page

EARLIER, LATER = "← Earlier", "Later →"
SELECT_ALL, SELECT_NONE = "Select all on this page", "Select none"
SELECT_HINT = "or tick single ones: Space selects one, Shift a range."
SELECTION = "What is selected"
ONE_SELECTED, MANY_SELECTED = "1 picture selected", "{n} pictures selected"
PARTS = {
    "image": "whole picture",
    "person": "person",
    "animal": "animal",
    "vehicle": "vehicle",
    "outdoor": "outdoor",
    "sports": "sports",
    "object": "object",
    "text": "text",
}
MATCHED_BY = {
    "picture": "by its looks",
    "words": "by its words",
    "meaning": "by the meaning of its words",
    "label": "by its label",
}


def select_one(name: str) -> str:
    """The box that selects a picture."""
    return f"Select {name}"


def n_images(n: int) -> str:
    """A count of images."""
    return "1 image" if n == 1 else f"{count(n)} images"


def pages(first: int, last: int, n: int) -> str:
    """Which part of a long list is on this page."""
    return f"{count(first)} to {count(last)} of {count(n)}"


def score(value: float) -> str:
    """How close a hit is to the query."""
    return f"{value:.2f}"


def relevance(value: float) -> str:
    """How surely a hit stands out."""
    return f"relevance {value:.0%}"


def part(kind: str, label: str | None, text: str | None) -> str:
    """What the part of a picture is that matched: the words there, its label, or its kind."""
    return f"“{text}”" if text else label or PARTS[kind]


def share_of(share: float, matched_by: str) -> str:
    """How much a part counts among all that speaks for its picture, and why."""
    return f"{share:.0%} of what speaks for this picture, {MATCHED_BY[matched_by]}"


def pixels(width: int, height: int) -> str:
    """The size of a picture."""
    return f"{count(width)} by {count(height)} pixels"


# -- jobs, in the tray of every page; {…} is filled in by static/jobs.js and uploads.js

JOBS = "Jobs"
JOB_WORDS = {
    "index": "Reading pictures",
    "reindex": "Embedding pictures again",
    "cluster": "Forming clusters",
    "project": "Drawing a map",
    "name": "Naming clusters",
    "waiting": "waiting",
    "running": "running",
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
    "interrupted": "interrupted: the server stopped",
    "n_running": "{n} running",
    "of": "{done} of {all}",
    "so_far": "{n} so far",
    "rate": "{n} a second",
    "left": "{time} left",
    "problems": "{n} not read",
    "seconds": "{n} s",
    "minutes": "{n} min",
    "hours": "{n} h",
    "one_new": "1 new picture",
    "new": "{n} new pictures",
    "clusters": "{n} clusters",
    "see_clusters": "See the clusters",
    "see_map": "See the map",
    "see_pictures": "See the pictures",
    "see_problems": "See what was skipped",
    "cancel": "Cancel",
    "resume": "Resume",
    "dismiss": "Dismiss",
    "uploading": "Sending files",
    "sent": "{done} of {all} files sent",
    "one_refused": "1 file was refused",
    "refused": "{n} files were refused",
    "stopped": "stopped; nothing was kept",
    "nothing": "nothing was accepted",
    "cut": "The connection to the server was lost.",
}

# -- home

EMPTY_COLLECTION = "There are no images here yet"
EMPTY_COLLECTION_HINT = "Or fill the collection from a folder on the server's machine:"
ADD_PICTURES = "Add pictures"
ADD_HINT = "Drop pictures, folders, ZIP or tar archives here, or choose them."
CHOOSE_FILES, CHOOSE_FOLDER = "Choose files", "Choose a folder"
PICTURES, PARTS_INSIDE, LAST_INDEX, SKIPPED = "Pictures", "Parts found", "Last read", "Skipped"
ALL_PROBLEMS = "Everything that was skipped"
NEXT = "What next"
STEP_CLUSTER = "Sort the pictures into clusters"
STEP_CLUSTER_HINT = "Pictures that look alike come together, and each cluster gets a name."
STEP_PROJECT = "Lay them out on a map"
STEP_PROJECT_HINT = "Every picture becomes a point; what looks alike lies close together."
STEP_FIND = "Find people and things in the pictures"
STEP_FIND_HINT = "Searches then find parts of pictures too. All pictures are read again."
STEP_INDEX = "Look for new pictures"
STEP_INDEX_HINT = "Goes through all folders and tables for new, changed and moved pictures."


def n_skipped(kind: ProblemKind, n: int) -> str:
    """A count of skipped files of a kind."""
    files = "1 file" if n == 1 else f"{count(n)} files"
    was = "was" if n == 1 else "were"
    return {
        "problem": f"{files} could not be read",
        "other": f"{files} {was} passed over",
        "small": f"{files} {was} too small",
        "all": f"{files} {was} skipped",
    }[kind]


def no_problems_but(n: int) -> str:
    """No picture failed, but some files are not in the collection."""
    return f"No picture failed. {n_skipped('all', n)}."


def n_because(n: int, reason: str) -> str:
    """How many were skipped for one reason."""
    return f"{count(n)}: {reason if len(reason) <= 60 else reason[:59] + '…'}"


def n_places(n: int) -> str:
    """In how many places pictures lie."""
    return "in 1 place" if n == 1 else f"in {count(n)} places"


def n_sources(n: int) -> str:
    """From how many folders, tables and archives pictures come."""
    return "from 1 source" if n == 1 else f"from {count(n)} sources"


def part_count(kind: str, n: int) -> str:
    """How many parts of a kind were found."""
    return f"{count(n)} {PARTS[kind]}"


def space_lacks(n: int) -> str:
    """How many parts a space does not have."""
    return "lacks 1 part" if n == 1 else f"lacks {count(n)} parts"


def indexed_at(images_per_s: float, device: str) -> str:
    """How fast pictures were read the last time."""
    return f"{images_per_s:.1f} pictures a second on {device}"


def cluster_command(path: str) -> str:
    """What makes clusters."""
    return f"bilderatlas cluster {shlex.quote(path)}"


def project_command(path: str) -> str:
    """What makes a map."""
    return f"bilderatlas project {shlex.quote(path)} --dims 3"


def index_command(path: str) -> str:
    """What fills a collection."""
    return f"bilderatlas index {shlex.quote(path)} FOLDER"


# -- gallery

ANOTHER_SAMPLE = "Another sample"
SAMPLE_LEAD = "drawn at random"
ORDER = "Order"
ORDERS = {
    "random": "At random",
    "name": "By name",
    "date": "Oldest first",
    "newest": "Newest first",
}
YEARS, UNDATED = "Years", "Without a date"
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
NO_SUCH_IMAGES = "No image matches all of this. Remove a filter."
NO_FACETS = "Nothing else is known about these images."
PARTS_FOUND, WITHOUT_LABEL = "With a part found", "without a label"
FROM, TO, APPLY = "from", "to", "Apply"
FOLD_AWAY = "Fold away"
CHOSEN_BY_HAND = "chosen by hand"
PAGE, GO = "Page", "Go"
COLUMNS = {
    "source": "source",
    "width": "width, pixels",
    "height": "height, pixels",
    "media_type": "kind of file",
    "taken_at": "date taken",
}


def sample_of(n: int, n_all: int) -> str:
    """How many of how many the gallery shows."""
    return f"All {n_images(n_all)}" if n >= n_all else f"{count(n)} of {n_images(n_all)}"


def month(month: tuple[int, int] | None) -> str:
    """A year and a month; None is an unknown date."""
    return f"{MONTHS[month[1] - 1]} {month[0]}" if month else UNDATED


def of_pages(n: int) -> str:
    """How many pages there are, behind the number of one."""
    return f"of {count(n)}"


def more_values(n: int) -> str:
    """How many values of a column are not shown."""
    return f"and {count(n)} more"


def has_part(kind: str) -> str:
    """What is chosen: images with a part of a kind."""
    return f"with: {PARTS[kind]}" if kind in PARTS else kind


def with_label(label: str) -> str:
    """What is chosen: images with a label."""
    return f"label: {label}"


def without(said: str) -> str:
    """What a link does that takes back what is chosen."""
    return f"Remove {said}"


def no_such_column(name: str, columns: Sequence[str]) -> str:
    """A column that images cannot be chosen by."""
    return f"Images cannot be chosen by {name!r}. The columns are: {', '.join(columns)}."


# -- search

SEARCH_LABEL = "What does the picture show?"
SEARCH_HINT = "red bicycle, handwritten letter, people at a table…"
SEARCH_BUTTON = "Search"
MORE_OPTIONS = "Narrow it down"
THRESHOLD = "Score at least"
HOW_MANY = "How many per page"
WHERE = "Only where"
WHERE_HINT = "year > 1950"
WEIGHTS = "How much each kind of part counts: 0 leaves it out, 2 counts twice"
UPLOAD = "or drop, paste or choose a picture, to find others like it"
UPLOADED = "Your picture"
UPLOAD_GONE = "This picture is no longer here. Drop it again to search with it."
NOTHING_FOUND = "Nothing here matches"
NOTHING_FOUND_HINT = "Try other words, a lower score, or no filter."
LIKELY, DOUBTFUL, BACKGROUND = "Likely", "Doubtful", "Background"
SEARCH_LEAD = "Say what you are looking for, or show it."


FOUND_LIKE = "Images like this one"
THIS_PART = "The part that is searched for"
THIS_IMAGE = "this image"
TERMS = "What is searched for"
ONLY_THIS = "only this"
USUAL_SPACE = "as usual"
EXPORT_RESULTS = "Results as a table (CSV)"
BACKGROUND_HINT = "These come next, but are no closer to this query than to any other."


def found(query: str) -> str:
    """The heading over what words found."""
    return f"Images for “{query}”"


def found_with_picture(query: str) -> str:
    """The heading over what words and a picture found together."""
    return f"Images for “{query}” and like this one"


def band(title: str, n: int) -> str:
    """The heading over the likely, doubtful or background images of all."""
    return f"{title} · {count(n)}"


def more_like(name: str) -> str:
    """What a link does that adds an image to the query."""
    return f"More like {name}"


def less_like(name: str) -> str:
    """What a link does that takes an image's likeness out of the query."""
    return f"Less like {name}"


def turn_term(called: str) -> str:
    """What a link does that changes the sign of a term."""
    return f"Change the sign of {called}"


def only_kind(kind: str) -> str:
    """What is chosen: only parts of a kind."""
    return f"only: {PARTS.get(kind, kind)}"


def label_answers(n: int) -> str:
    """A link to the page that labels all results."""
    return f"Label all {count(n)}"


def verdict(verdict: Verdict) -> str:
    """How many of all images answer the query."""
    if not verdict.n_likely + verdict.n_doubtful:
        return f"{NOTHING_FOUND}. These are the closest, but no closer than to any other query."
    counts = f"{count(verdict.n_likely)} likely and {count(verdict.n_doubtful)} doubtful"
    return f"{counts} in the whole collection; {count(verdict.n_background)} are background."


def weight_of(kind: str, n: int) -> str:
    """The field that says how much parts of a kind count."""
    return f"{PARTS[kind].capitalize()} ({count(n)})"


# -- image

NEIGHBORS = "Nearest in this collection"
NO_NEIGHBORS = "There is no other image here."
MORE_LIKE_THIS = "Search for more like this"
COMPARED_BY = "Compared by"
SIZE, KIND_OF_FILE, TAKEN_AT, LIES_AT, IMAGE_ID = "Size", "Kind", "Taken", "Place", "Id"
FACTS = "What is known"
WAY, BACK_TO_LIST = "Through the list", "Back to the list"
PREVIOUS_IMAGE, NEXT_IMAGE = "← Previous", "Next →"
FULL_SIZE, SHOW_PARTS, OPEN_ALONE = "Full size", "Show parts", "Open alone"
PICTURE_GONE = "The file is not where it was; this is its thumbnail."
PARTS_HINT = "Choose one to find others like it."
WORDS_FOUND, COPY, COPIED = "Words found", "Copy", "Copied"
NEW_LABEL, GIVE_THIS_LABEL, LABEL_GIVEN = "New label", "Add", "Label added"


def place_in_list(place: int, n: int) -> str:
    """Where an image stands in a list."""
    return f"{count(place)} of {count(n)}"


def n_parts(n: int) -> str:
    """A count of the parts of a picture."""
    return "1 part" if n == 1 else f"{count(n)} parts"


def take_label_off(label: str) -> str:
    """What a button does that takes a label from an image."""
    return f"Remove the label {label}"


def label_taken(label: str) -> str:
    """What was done."""
    return f"Removed the label {label}"


# -- clusters

NO_CLUSTERS = "There are no clusters yet"
NO_CLUSTERS_HINT = "This makes them in the terminal:"
ALL_CLUSTERS = "All clusters"
NOISE = "In no cluster"
NOISE_HINT = "These resemble too few others to form a cluster."
RUNS = "Other runs"
ADVICE, COMPARE_RUNS, DECISIONS = "Which k, which eps?", "Compare two runs", "Decisions"
MORE_ABOUT_CLUSTERS = "More about clusters"
FILTER_CLUSTERS, FILTER_BUTTON = "Only clusters called", "Filter"
FILTER_HINT = "part of a name…"
NO_SUCH_CLUSTER = "No cluster has this name."
SORTED_BY = "Sorted by"
CLUSTER_SORTS = {
    "size": "size",
    "tightness": "tightness",
    "name": "name",
    "confidence": "how sure its name is",
}
CLUSTER_GONE = (
    "This cluster is empty now: its pictures were moved or became part of another. "
    "“Undo” or the page of decisions brings them back."
)
CHANGE_CLUSTER = "Change this cluster"
NAME, RENAME, RENAMED = "Name", "Rename", "Renamed."
MERGE_WITH, MERGE, MERGED = "Merge with", "Merge", "Merged."
MERGE_HERE = "Merge into this one"
INTO_PARTS, SPLIT = "Into how many parts", "Split"
SPLIT_DONE = "Split. The new clusters are among the nearest."
SPLIT_OFF, SPLIT_OFF_DONE = "A cluster of their own", "They are a cluster of their own now."
MOVE_TO, MOVE, MOVED = "To the cluster", "Move", "Moved."
MOVE_OUT, MOVED_OUT = "Out of all clusters", "Moved out of all clusters."
MEMBERS = "From the core to the edge"
NEAREST_CLUSTERS = "The nearest clusters"
WORDS_READ = "Words for it:"
NEW_RUN, NEW_RUN_HINT = "Cluster the pictures again", "Empty fields take the method's defaults."
METHOD, KIND_OF_PART, SPACE, SEED, START = "Method", "What to cluster", "Space", "Seed", "Start"
STARTED = "Started. You can follow it under Jobs."
USUAL_KIND, ALL_KINDS, ACTIVE_SPACE = "whole pictures", "all parts", "the active one"
METHODS = {
    "hdbscan": "hdbscan: dense places, however dense",
    "fast-hdbscan": "fast-hdbscan: the same, faster",
    "evoc": "evoc: made for embeddings",
    "dbscan": "dbscan: dense places of one density",
    "kmeans": "kmeans: k clusters around centres",
    "minibatch-kmeans": "minibatch-kmeans: the same for very many",
    "agglomerative": "agglomerative: joins what is close",
}
CLUSTER_OPTIONS = {
    "k": "k, how many clusters",
    "eps": "eps, how far to reach",
    "min_samples": "min_samples",
    "min_cluster_size": "min_cluster_size",
    "distance_threshold": "distance_threshold",
}
NAME_SOURCES = {
    "number": "not named",
    "vocabulary": "named by its looks",
    "words": "named by words in the pictures",
    "label": "named by what detectors see",
    "llm": "named by a language model",
    "person": "named by a person",
}
ONE_RUN_ONLY = "There is only one run so far. Start another on the page of clusters."
FIRST_RUN, SECOND_RUN, COMPARE_BUTTON = "First run", "Second run", "Compare"
MATCHES = "Clusters that correspond"
MATCH_SORTS = {"moved": "how much moved", "size": "size"}
ADVICE_LEAD = (
    "How many clusters suit k-means, and how far DBSCAN should reach: measured on a sample of the "
    "pictures."
)
MEASURING = "Measuring. This takes from a few seconds to a minute…"
NEIGHBORS_OF_DBSCAN, MEASURE = "min_samples of DBSCAN", "Measure"
ADVICE_K, ADVICE_EPS = "How many clusters: k", "How far to reach: eps"
START_WITH_THIS = "Start with this"
ADVICE_CURVES = {
    "silhouette": "Silhouette: how well apart (higher is better)",
    "gap": "Gap: tighter than without clusters (the bend counts)",
    "stability": "Stability: how alike subsamples are clustered",
    "inertia": "Inertia: squared distances to the centres",
    "separation": "Pairs of pictures that are set apart",
    "noise": "Noise: share in no cluster",
    "n_clusters": "Number of clusters",
    "k_distances": "Distance to the neighbor, by rank",
    "recommended": "recommended",
    "at": "at",
    "from": "from",
    "to": "to",
    "numbers": "The same in numbers",
}
DECISIONS_LEAD = (
    "What people decided, the newest first. A decision holds in its run and in all later ones; "
    "nothing is ever deleted, only undone."
)
NOTHING_DECIDED = "Nothing has been decided yet."
ONLY_IN_FORCE, WITH_UNDONE = "Only those in force", "Also those undone"
UNDONE, TAKEN_BACK = "Undone.", "undone"


def clusters_of(n: int, run: str) -> str:
    """How many clusters a run has."""
    return f"{'1 cluster' if n == 1 else f'{count(n)} clusters'} in {run}"


def older_runs(n: int) -> str:
    """What unfolds the runs before the newest."""
    return f"{count(n)} older"


def not_carried(n: int) -> str:
    """How many decisions of other runs do not hold in this one."""
    return f"{'1 decision does' if n == 1 else f'{count(n)} decisions do'} not hold here"


def made_by(method: str, parameters: Mapping[str, object], kind: str) -> str:
    """What made a run."""
    listed = ", ".join(f"{name} {value}" for name, value in parameters.items())
    return f"Made by {method} ({listed}) from parts of this kind: {kind}."


def tightness(value: float) -> str:
    """How close together a cluster lies."""
    return f"tightness {value:.2f}"


def closeness(value: float) -> str:
    """How close a picture is to the middle of its cluster."""
    return f"closeness to the centre {value:.2f}"


def near(value: float) -> str:
    """How near another cluster is."""
    return f"closeness {value:.2f}"


def named_by(source: str, confidence: float) -> str:
    """Where the name of a cluster comes from, and how sure it is."""
    column = source.removeprefix("column ")
    by = NAME_SOURCES.get(source, f"named by the column “{column}”")
    return by if source in ("number", "person") else f"{by}, {confidence:.0%} sure"


def agreement(ari: float, n_moved: int, n: int) -> str:
    """How alike two runs are."""
    return (
        f"The runs agree by {ari:.2f} (adjusted Rand index; 1 is the same clusters, 0 is chance). "
        f"{count(n_moved)} of {count(n)} changed cluster."
    )


def noise_moved(n_in: int, n_out: int) -> str:
    """What fell out of groups, and what came into them."""
    return f"{count(n_in)} fell out of all clusters, {count(n_out)} came into one."


def n_stayed(n: int) -> str:
    """How many two clusters share."""
    return f"{count(n)} in both"


def n_left(n: int) -> str:
    """How many of the first cluster are elsewhere in the second run."""
    return f"{count(n)} only here"


def n_came(n: int) -> str:
    """How many of the second cluster were elsewhere in the first run."""
    return f"{count(n)} only here"


def overlap(share: float) -> str:
    """How much of two clusters is the same."""
    return f"{share:.0%} of both are the same"


def only_in(run: str) -> str:
    """The clusters of a run that the other has none for."""
    return f"Only in {run}"


def and_more(n: int) -> str:
    """What is left out of a long list."""
    return f"and {count(n)} more"


def moment(when: datetime) -> str:
    """A date and a time."""
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def undo(decision: str) -> str:
    """What the button does that takes a decision back."""
    return f"Undo decision {decision}"


def decided(decision: Decision) -> str:
    """What a person decided."""
    told, n = decision.payload, len(decision.region_ids or decision.image_ids)
    run, name = told.get("run"), told.get("name", told.get("label"))
    out = told.get("cluster") == -1
    return {
        "name": f"Cluster {told.get('cluster')} of {run} is called “{name}”",
        "merge": f"Clusters {_listed(told.get('clusters', ()))} of {run} are one",
        "split": f"{n_pictures(n)} left cluster {told.get('cluster')} of {run}",
        "move": f"{n_pictures(n)} moved out of all clusters of {run}"
        if out
        else f"{n_pictures(n)} moved to cluster {told.get('cluster')} of {run}",
        "must-link": f"Two pictures of {run} belong together",
        "cannot-link": f"Two pictures of {run} do not belong together",
        "label": f"{n_pictures(n)} labelled “{name}”",
        "unlabel": f"The label “{name}” removed from {n_pictures(n)}",
        "not-duplicate": "Two pictures are not copies of each other",
        "undo": f"Decision {told.get('decision')} undone",
    }.get(decision.verb, decision.verb)


def n_pictures(n: int) -> str:
    """A count of pictures or parts of them."""
    return "1 picture" if n == 1 else f"{count(n)} pictures"


def _listed(numbers: Iterable[object]) -> str:
    return ", ".join(map(str, numbers))


def cluster(number: int, name: str) -> str:
    """What a cluster is called."""
    return NOISE if number == -1 else name or f"Cluster {number}"


def run(name: str, dims: int | None) -> str:
    """A run to choose; of a map also whether it is flat or deep."""
    return f"{name} · {dims}-D" if dims else name


# -- map

NO_MAP = "There is no map yet"
NO_MAP_HINT = "This draws one:"
MAP_HINT = "Point at a dot to see its picture, click to open it."
MAP_HINT_3D = "Drag to turn, drag with Ctrl to move, scroll to zoom."
MAP_HINT_2D = "Drag to move, scroll to zoom."
MAP_NEEDS_WEBGL = "This browser has no WebGL, which the map needs. See the clusters instead."
MAP_TOOL = "What dragging does"
MAP_TOOLS = {"move": "Move", "lasso": "Lasso", "rectangle": "Rectangle"}
SELECT_IN_VIEW = "Select all in view"
LASSO_HINT = "Dragging with Shift is a lasso too."
COLOUR, COLOUR_BUTTON = "Coloured by", "Colour"
LEGEND, OPEN_CLUSTER = "What the colours mean", "Open the cluster"
OTHER_VALUES = "other values, or none"
COLOURED_BY = {
    "cluster": "Clusters",
    "labels": "Labels",
    "kind": "Kind of part",
    "label": "What a detector saw",
    "media_type": "Kind of file",
    "width": "Width",
    "height": "Height",
    "taken_at": "Date taken",
    "folder": "Folder",
    "source": "Source",
}
OPEN_AS_LIST, EXPORT_CSV = "Open as a list", "Export (CSV)"
LABEL_ONE_BY_ONE = "Label one by one"
SEARCH_WITHIN = "Search among them"
LABEL_SELECTED, LABEL_BUTTON, LABELLED = "Give them the label", "Label", "Labelled."
MOVE_SELECTED = "Move them to the cluster"
NEW_MAP, DIMENSIONS, WHAT_TO_MAP = "Draw a new map", "Dimensions", "What to map"
MAP_METHODS = {
    "tsne": "tsne: neighborhoods",
    "umap": "umap: the same, more loosely",
    "pca": "pca: the greatest differences",
}
MAP_OPTIONS = {
    "perplexity": "perplexity",
    "n_neighbors": "n_neighbors",
    "min_dist": "min_dist",
}
ADD_TO_MAP = "Place them on this map"


def map_of(n: int, run: str) -> str:
    """What a map shows."""
    return f"{count(n)} points in {run}"


def map_label(n: int) -> str:
    """What a screen reader says of the drawing."""
    return f"A map of {count(n)} pictures. The arrow keys and + and - move it."


def map_thinned(n: int) -> str:
    """That a map has too many points to be drawn."""
    return f"{count(n)} of them are drawn: crowded places lose some, isolated points stay."


def by_clusters(run: str) -> str:
    """A clustering to colour by."""
    return f"Clusters of {run}"


def more_entries(n: int) -> str:
    """How many lines of a legend are not shown."""
    return f"and {count(n)} more"


def not_on_the_map(n: int) -> str:
    """How many pictures came after a map was made."""
    return "1 picture is not on it yet." if n == 1 else f"{count(n)} pictures are not on it yet."


# -- labelling

LABEL = "Label"
LABELS = "Labels"
NOTHING_TO_LABEL = "Nothing is left to label here."
LABEL_SEARCH, LABEL_SEARCH_HINT = "Only pictures of", "a word, or nothing"
LABEL_SHOW, LABEL_SHOW_BUTTON = "In which order", "Show"
LABEL_SHOWS = {
    "suggested": "by what they may be",
    "unsure": "the least sure first",
    "different": "the most different first",
    "unlabelled": "without a label, by name",
    "all": "all, by name",
}
LABEL_LEADS = {
    "suggested": "By the labelled pictures most like each. Nothing counts until you accept it.",
    "unsure": "Two labels fit each of these almost equally well, so these teach the most.",
    "different": "Each is as unlike the labelled pictures, and those before it, as possible.",
}
FIRST_LABELS = (
    "Nothing is labelled yet. These differ most from each other: give a few of them a label, and "
    "the next ones will come with suggestions."
)
LABEL_EVERYWHERE = "Everywhere"
IN_SELECTION = "Only what you selected."
LABEL_FIELD, LABEL_HINT = "Label", "cat, grandma's garden…"
LABEL_ALL_BUTTON = "Label all"
GIVE_LABEL, GIVE_LABELS = "Add", "Add labels"
NONE_SELECTED = "Select pictures, or point at one"
WHICH_PICTURE = "Which picture? Select some, or go to one with the arrow keys."
LABELLED_SAID = "“{label}”: {n}"
TAKEN_SAID = "No longer “{label}”"
UNDONE_SAID = "Undone."
KEYS = "Keys"
CLOSE = "Close"
LABEL_KEYS = (
    ("← → ↑ ↓", "go from picture to picture"),
    ("Space", "select, or not; with Shift up to here"),
    ("Ctrl + A", "select all on the page; Escape: none"),
    ("1 … 9", "give this label to what is selected, else to the picture you are at"),
    ("a b c …", "begin a new label; Enter adds it"),
    ("Enter", "accept what is suggested"),
    ("z", "undo the last change"),
    ("/", "go to the search field"),
    ("?", "this list"),
)


def labelled_of(n: int, n_all: int) -> str:
    """How far labelling is."""
    return f"{count(n)} of {n_images(n_all)} labelled"


def only_where(condition: str) -> str:
    """The condition that the pictures fulfil."""
    return f"Only where {condition}."


def in_cluster(number: int, run: str | None) -> str:
    """Which cluster the pictures are of."""
    return f"In cluster {number} of {run}." if run else f"In cluster {number}."


def label_all(n: int) -> str:
    """What opens the form that labels everything at once."""
    return "Label this one picture" if n == 1 else f"Label all {n_images(n)} at once"


def label_all_question(n: int) -> str:
    """What is asked before everything is labelled."""
    return f"Give the label to {n_images(n)}, seen or not? You can undo this."


def labelled_all(n: int) -> str:
    """What was done."""
    return f"{n_images(n)} labelled."


def accept(n: int, label: str) -> str:
    """What accepts the suggestions of a group."""
    return f"Accept “{label}”" if n == 1 else f"Accept all {n} as “{label}”"


def shown_of(n: int, n_all: int) -> str:
    """How many of a group are shown."""
    return n_images(n) if n == n_all else f"the surest {n} of {count(n_all)}"


def percent(value: float) -> str:
    """How sure a suggestion is."""
    return f"{min(value, 0.99):.0%}"


def give_label(label: str, confidence: float) -> str:
    """What a click on a suggestion does."""
    return f"Give it “{label}”, {percent(confidence)} sure"


def take_label(label: str) -> str:
    """What a click on a label does."""
    return f"Remove “{label}”"


# -- problems

PROBLEMS = "Skipped files"
NO_PROBLEMS = "Everything could be read."
NO_SUCH_PROBLEM = "No skipped file fits these filters."
PART_OF_PATH, STAGE, REASON, ALL = "Part of the path", "Where it failed", "Why", "all"
STAGES = {
    "read": "reading",
    "decode": "decoding",
    "embed": "embedding",
    "incomplete": "read in part",
    "find": "finding parts",
    "reindex": "another space",
    "other": "passed over",
    "small": "too small",
}
KIND_OF_PROBLEM = "Kind"
KINDS_OF_PROBLEMS: dict[ProblemKind, str] = {
    "problem": "could not be read",
    "other": "not pictures, or passed over",
    "small": "too small",
}
PROBLEM_COLUMNS = ("Place", "Why", "Where and when")
AS_CSV, TRY_AGAIN, COMPLETE_SPACE = "As CSV", "Try again", "Complete the space"


# -- comparing models and settings

COMPARE = "Compare"
COMPARE_VIEWS = {"classes": "Classes of a sample", "spaces": "Two spaces"}
CLASSIFY_BY = "Classify by"
CLASSIFY_WAYS = {
    "prompts": "your own words",
    "builtin": "the built-in 1,000 classes",
    "neighbors": "people's labels, by likeness",
    "logistic": "people's labels, by regression",
}
PROMPTS, PROMPTS_HINT = "Words, separated by commas", "cat, dog, bicycle"
PROMPTS_LEAD = (
    "Which words describe these pictures? Type some, separated by commas, and see which "
    "pictures fit each of them, how surely, and which fit none."
)
SAMPLE_SIZE, SAMPLE_SEED = "Pictures", "Seed"
COMPARE_SPACE, FIRST_SPACE, SECOND_SPACE = "Space", "One space", "The other"
TRY_IT = "Try it"
NONE_OF_THESE = "none of these"
BARS_HEAD = ("Label", "Share", "Pictures", "Sure")
SPACES_LEAD = "Ask both spaces the same, and see which answers they share."
ONE_SPACE = "There is only one space. This adds another to compare it with:"
ONLY_HERE = "only here"
HOW_MANY_ANSWERS = "How many answers"


def sample_said(n: int, n_labels: int) -> str:
    """How many pictures were asked about, and in how many ways they were called."""
    return f"{n_images(n)} drawn at random, with {count(n_labels)} different labels."


def bars_of(n: int, n_all: int) -> str:
    """What the bars show."""
    return "How often each label is the likeliest" if n == n_all else f"The {n} commonest labels"


def shared_hits(n_shared: int, n: int) -> str:
    """How many answers two spaces share."""
    return f"{n_shared} of {n} are shared ({percent(n_shared / max(n, 1))})."


def rank(number: int) -> str:
    """The rank of a hit."""
    return f"{number}."


def rank_there(number: int) -> str:
    """The rank of a hit in the other space, and the way there."""
    return f"{number}. there"


def reindex_command(path: str) -> str:
    """What adds a space."""
    return f"bilderatlas reindex {shlex.quote(path)} --encoder ENCODER"


# -- signing in

SIGN_IN = "Sign in"
SIGN_IN_HINT = "This collection asks for a key. Whoever serves it can give you one."
KEY = "Key"
WRONG_KEY = "This server does not know this key. Was all of it copied?"
SIGNED_IN = "You are signed in"
SIGN_OUT = "Sign out"
TO_PICTURES = "Back to the pictures"


def signed_in_as(name: str, *, may_edit: bool) -> str:
    """Whose key it is, and what it allows."""
    return f"As {name}, who may " + ("change things." if may_edit else "look and search.")
