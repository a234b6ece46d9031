"""What the pages say, in German. The names are those of `english.py`."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from bilderatlas.results import Decision, ProblemKind, Verdict

# -- the frame

PROGRAM = "Bilderatlas"
SKIP = "Zu den Bildern springen"
LOADING = "Die Bilder werden ausgelegt…"
SCHEME = "Hell oder dunkel"
NAVIGATION = "Seiten"
UNDO = "Rückgängig"
HOME, GALLERY, SEARCH, CLUSTERS, MAP = "Anfang", "Galerie", "Suche", "Gruppen", "Karte"
NOT_FOUND = "Diese Seite gibt es nicht"
NOT_FOUND_HINT = "Vielleicht hat die Galerie das Gesuchte."
TO_GALLERY = "Zur Galerie"
REFUSED = "Das ging nicht"
FAILED = "Etwas ist schiefgegangen"
FAILED_HINT = (
    "Das ist ein Fehler im Programm. Sein Protokoll sagt, was geschehen ist; bitte melden."
)


def title(page: str, collection: str) -> str:
    """The title of the browser's window."""
    return f"{page} · {collection} · {PROGRAM}"


def too_long(name: str, n: int, most: int) -> str:
    """What is wrong with a parameter of the address that is a novel."""
    return f"{name} hat {count(n)} Zeichen. Erwartet: höchstens {count(most)}."


def no_such_number(name: str, written: str, low: float, high: float) -> str:
    """A parameter of the address that is no number, or one out of range."""
    return f"{name} ist {written!r}; nötig ist eine Zahl von {low:g} bis {high:g}."


def no_such_choice(name: str, written: str, choices: Sequence[str]) -> str:
    """A parameter of the address that is none of some words."""
    return f"{name} ist {written!r}; möglich ist: {', '.join(choices)}."


def count(n: int) -> str:
    """A number as it is written: 12.345."""
    return f"{n:,}".replace(",", ".")


# -- pictures on every page

EARLIER, LATER = "← Frühere", "Spätere →"
SELECT_ALL, SELECT_NONE = "Alle auf dieser Seite auswählen", "Keins auswählen"
SELECT_HINT = "oder einzelne ankreuzen: Leertaste wählt eins aus, Umschalt einen Bereich."
SELECTION = "Was ausgewählt ist"
ONE_SELECTED, MANY_SELECTED = "1 Bild ausgewählt", "{n} Bilder ausgewählt"
PARTS = {
    "image": "ganzes Bild",
    "person": "Person",
    "animal": "Tier",
    "vehicle": "Fahrzeug",
    "outdoor": "draußen",
    "sports": "Sport",
    "object": "Gegenstand",
    "text": "Text",
}
MATCHED_BY = {
    "picture": "durch sein Aussehen",
    "words": "durch seine Wörter",
    "meaning": "durch den Sinn seiner Wörter",
    "label": "durch seine Beschriftung",
}


def select_one(name: str) -> str:
    """The box that selects a picture."""
    return f"{name} auswählen"


def n_images(n: int) -> str:
    """A count of images."""
    return "1 Bild" if n == 1 else f"{count(n)} Bilder"


def pages(first: int, last: int, n: int) -> str:
    """Which part of a long list is on this page."""
    return f"{count(first)} bis {count(last)} von {count(n)}"


def score(value: float) -> str:
    """How close a hit is to the query."""
    return f"{value:.2f}".replace(".", ",")


def relevance(value: float) -> str:
    """How surely a hit stands out."""
    return f"Relevanz {value:.0%}"


def part(kind: str, label: str | None, text: str | None) -> str:
    """What the part of a picture is that matched: the words there, its label, or its kind."""
    return f"„{text}“" if text else label or PARTS[kind]


def share_of(share: float, matched_by: str) -> str:
    """How much a part counts among all that speaks for its picture, and why."""
    return f"{share:.0%} dessen, was für dieses Bild spricht, {MATCHED_BY[matched_by]}"


def pixels(width: int, height: int) -> str:
    """The size of a picture."""
    return f"{count(width)} mal {count(height)} Pixel"


# -- jobs, in the tray of every page; {…} is filled in by static/jobs.js and uploads.js

JOBS = "Aufträge"
JOB_WORDS = {
    "index": "Bilder einlesen",
    "reindex": "Bilder neu einbetten",
    "cluster": "Gruppen bilden",
    "project": "Karte zeichnen",
    "name": "Gruppen benennen",
    "waiting": "wartet",
    "running": "läuft",
    "done": "fertig",
    "failed": "fehlgeschlagen",
    "cancelled": "abgebrochen",
    "interrupted": "unterbrochen: der Server wurde beendet",
    "n_running": "{n} laufen",
    "of": "{done} von {all}",
    "so_far": "bisher {n}",
    "rate": "{n} in der Sekunde",
    "left": "noch {time}",
    "problems": "{n} nicht gelesen",
    "seconds": "{n} s",
    "minutes": "{n} min",
    "hours": "{n} h",
    "one_new": "1 neues Bild",
    "new": "{n} neue Bilder",
    "clusters": "{n} Gruppen",
    "see_clusters": "Die Gruppen ansehen",
    "see_map": "Die Karte ansehen",
    "see_pictures": "Die Bilder ansehen",
    "see_problems": "Ansehen, was übergangen wurde",
    "cancel": "Abbrechen",
    "resume": "Fortsetzen",
    "dismiss": "Ausblenden",
    "uploading": "Dateien senden",
    "sent": "{done} von {all} Dateien gesendet",
    "one_refused": "1 Datei wurde abgelehnt",
    "refused": "{n} Dateien wurden abgelehnt",
    "stopped": "abgebrochen; nichts davon wurde behalten",
    "nothing": "davon wurde nichts angenommen",
    "cut": "Die Verbindung zum Server ist abgerissen.",
}

# -- home

EMPTY_COLLECTION = "Hier sind noch keine Bilder"
EMPTY_COLLECTION_HINT = "Oder die Sammlung aus einem Ordner auf dem Rechner des Servers füllen:"
ADD_PICTURES = "Bilder hinzufügen"
ADD_HINT = "Bilder, Ordner, ZIP- oder tar-Archive hier ablegen oder auswählen."
CHOOSE_FILES, CHOOSE_FOLDER = "Dateien auswählen", "Ordner auswählen"
PICTURES, PARTS_INSIDE, LAST_INDEX = "Bilder", "Gefundene Teile", "Zuletzt eingelesen"
SKIPPED = "Übergangen"
ALL_PROBLEMS = "Alles, was übergangen wurde"
NEXT = "Wie es weitergeht"
STEP_CLUSTER = "Die Bilder in Gruppen ordnen"
STEP_CLUSTER_HINT = "Was sich ähnlich sieht, kommt zusammen, und jede Gruppe bekommt einen Namen."
STEP_PROJECT = "Sie auf einer Karte auslegen"
STEP_PROJECT_HINT = "Jedes Bild wird ein Punkt; was sich ähnlich sieht, liegt beieinander."
STEP_FIND = "Menschen und Dinge in den Bildern finden"
STEP_FIND_HINT = "Die Suche findet dann auch Teile von Bildern. Alle Bilder werden neu gelesen."
STEP_INDEX = "Nach neuen Bildern sehen"
STEP_INDEX_HINT = "Alle Ordner und Tabellen werden durchgegangen: Neues, Geändertes, Verschobenes."


def n_skipped(kind: ProblemKind, n: int) -> str:
    """A count of skipped files of a kind."""
    files = "1 Datei" if n == 1 else f"{count(n)} Dateien"
    was = "wurde" if n == 1 else "wurden"
    return {
        "problem": f"{files} {'konnte' if n == 1 else 'konnten'} nicht gelesen werden",
        "other": f"{files} {was} übergangen",
        "small": f"{files} {'war' if n == 1 else 'waren'} zu klein",
        "all": f"{files} {was} übergangen",
    }[kind]


def no_problems_but(n: int) -> str:
    """No picture failed, but some files are not in the collection."""
    return f"Kein Bild ist misslungen. {n_skipped('all', n)}."


def n_because(n: int, reason: str) -> str:
    """How many were skipped for one reason."""
    return f"{count(n)}: {reason if len(reason) <= 60 else reason[:59] + '…'}"


def n_places(n: int) -> str:
    """In how many places pictures lie."""
    return "an 1 Ort" if n == 1 else f"an {count(n)} Orten"


def n_sources(n: int) -> str:
    """From how many folders, tables and archives pictures come."""
    return "aus 1 Quelle" if n == 1 else f"aus {count(n)} Quellen"


def part_count(kind: str, n: int) -> str:
    """How many parts of a kind were found."""
    return f"{count(n)} {PARTS[kind]}"


def space_lacks(n: int) -> str:
    """How many parts a space does not have."""
    return "ihm fehlt 1 Teil" if n == 1 else f"ihm fehlen {count(n)} Teile"


def indexed_at(images_per_s: float, device: str) -> str:
    """How fast pictures were read the last time."""
    return f"{images_per_s:.1f} Bilder in der Sekunde auf {device}".replace(".", ",")


def cluster_command(path: str) -> str:
    """What makes clusters."""
    return f"bilderatlas cluster {shlex.quote(path)}"


def project_command(path: str) -> str:
    """What makes a map."""
    return f"bilderatlas project {shlex.quote(path)} --dims 3"


def index_command(path: str) -> str:
    """What fills a collection."""
    return f"bilderatlas index {shlex.quote(path)} ORDNER"


# -- gallery

ANOTHER_SAMPLE = "Andere Auswahl"
SAMPLE_LEAD = "zufällig gezogen"
ORDER = "Reihenfolge"
ORDERS = {
    "random": "Zufällig",
    "name": "Nach Namen",
    "date": "Älteste zuerst",
    "newest": "Neueste zuerst",
}
YEARS, UNDATED = "Jahre", "Ohne Datum"
MONTHS = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September"),
    *("Oktober", "November", "Dezember"),
)
NO_SUCH_IMAGES = "Kein Bild erfüllt das alles. Es hilft, einen Filter zu entfernen."
NO_FACETS = "Mehr ist über diese Bilder nicht bekannt."
PARTS_FOUND, WITHOUT_LABEL = "Mit gefundenem Teil", "ohne Beschriftung"
FROM, TO, APPLY = "von", "bis", "Anwenden"
FOLD_AWAY = "Einklappen"
CHOSEN_BY_HAND = "von Hand gewählt"
PAGE, GO = "Seite", "Los"
COLUMNS = {
    "source": "Quelle",
    "width": "Breite in Pixeln",
    "height": "Höhe in Pixeln",
    "media_type": "Dateiart",
    "taken_at": "Aufnahmedatum",
}


def sample_of(n: int, n_all: int) -> str:
    """How many of how many the gallery shows."""
    return f"Alle {n_images(n_all)}" if n >= n_all else f"{count(n)} von {count(n_all)} Bildern"


def month(month: tuple[int, int] | None) -> str:
    """A year and a month; None is an unknown date."""
    return f"{MONTHS[month[1] - 1]} {month[0]}" if month else UNDATED


def of_pages(n: int) -> str:
    """How many pages there are, behind the number of one."""
    return f"von {count(n)}"


def more_values(n: int) -> str:
    """How many values of a column are not shown."""
    return f"und {count(n)} weitere"


def has_part(kind: str) -> str:
    """What is chosen: images with a part of a kind."""
    return f"mit: {PARTS[kind]}" if kind in PARTS else kind


def with_label(label: str) -> str:
    """What is chosen: images with a label."""
    return f"Beschriftung: {label}"


def without(said: str) -> str:
    """What a link does that takes back what is chosen."""
    return f"{said} entfernen"


def no_such_column(name: str, columns: Sequence[str]) -> str:
    """A column that images cannot be chosen by."""
    return f"Nach {name!r} lässt sich nicht wählen. Die Spalten sind: {', '.join(columns)}."


# -- search

SEARCH_LABEL = "Was zeigt das Bild?"
SEARCH_HINT = "rotes Fahrrad, Brief von Hand, Leute am Tisch…"
SEARCH_BUTTON = "Suchen"
MORE_OPTIONS = "Eingrenzen"
THRESHOLD = "Nähe mindestens"
HOW_MANY = "Wie viele je Seite"
WHERE = "Nur wo"
WHERE_HINT = "year > 1950"
WEIGHTS = "Wie viel jede Art von Teil zählt: 0 lässt sie weg, 2 zählt doppelt"
UPLOAD = "oder ein Bild ablegen, einfügen oder auswählen, um ähnliche zu finden"
UPLOADED = "Das eigene Bild"
UPLOAD_GONE = "Dieses Bild ist nicht mehr da. Zum Suchen bitte noch einmal ablegen."
NOTHING_FOUND = "Hier passt nichts"
NOTHING_FOUND_HINT = "Andere Wörter versuchen, weniger Nähe verlangen oder den Filter weglassen."
LIKELY, DOUBTFUL, BACKGROUND = "Wahrscheinlich", "Zweifelhaft", "Hintergrund"
SEARCH_LEAD = "Sagen, was gesucht wird, oder es zeigen."


FOUND_LIKE = "Bilder wie dieses"
THIS_PART = "Der gesuchte Teil"
THIS_IMAGE = "dieses Bild"
TERMS = "Wonach gesucht wird"
ONLY_THIS = "nur das"
USUAL_SPACE = "wie üblich"
EXPORT_RESULTS = "Ergebnisse als Tabelle (CSV)"
BACKGROUND_HINT = "Diese kommen danach, sind aber nicht näher als bei jeder anderen Suche."


def found(query: str) -> str:
    """The heading over what words found."""
    return f"Bilder zu „{query}“"


def found_with_picture(query: str) -> str:
    """The heading over what words and a picture found together."""
    return f"Bilder zu „{query}“, die diesem ähneln"


def band(title: str, n: int) -> str:
    """The heading over the likely, doubtful or background images of all."""
    return f"{title} · {count(n)}"


def more_like(name: str) -> str:
    """What a link does that adds an image to the query."""
    return f"Mehr wie {name}"


def less_like(name: str) -> str:
    """What a link does that takes an image's likeness out of the query."""
    return f"Weniger wie {name}"


def turn_term(called: str) -> str:
    """What a link does that changes the sign of a term."""
    return f"Vorzeichen von {called} ändern"


def only_kind(kind: str) -> str:
    """What is chosen: only parts of a kind."""
    return f"nur: {PARTS.get(kind, kind)}"


def label_answers(n: int) -> str:
    """A link to the page that labels all results."""
    return f"Alle {count(n)} beschriften"


def verdict(verdict: Verdict) -> str:
    """How many of all images answer the query."""
    if not verdict.n_likely + verdict.n_doubtful:
        return f"{NOTHING_FOUND}. Am nächsten sind diese, aber nicht näher als bei jeder Suche."
    counts = f"{count(verdict.n_likely)} wahrscheinlich und {count(verdict.n_doubtful)} zweifelhaft"
    return f"{counts} in der ganzen Sammlung; {count(verdict.n_background)} sind Hintergrund."


def weight_of(kind: str, n: int) -> str:
    """The field that says how much parts of a kind count."""
    name = PARTS[kind]
    return f"{name[0].upper()}{name[1:]} ({count(n)})"


# -- image

NEIGHBORS = "Am nächsten in dieser Sammlung"
NO_NEIGHBORS = "Hier ist kein anderes Bild."
MORE_LIKE_THIS = "Nach weiteren wie diesem suchen"
COMPARED_BY = "Verglichen nach"
SIZE, KIND_OF_FILE, TAKEN_AT, LIES_AT, IMAGE_ID = "Größe", "Art", "Aufgenommen", "Liegt in", "Id"
FACTS = "Was bekannt ist"
WAY, BACK_TO_LIST = "Durch die Liste", "Zurück zur Liste"
PREVIOUS_IMAGE, NEXT_IMAGE = "← Voriges", "Nächstes →"
FULL_SIZE, SHOW_PARTS, OPEN_ALONE = "Volle Größe", "Teile zeigen", "Allein öffnen"
PICTURE_GONE = "Die Datei ist nicht mehr, wo sie war; das ist ihre Vorschau."
PARTS_HINT = "Jeder davon findet ähnliche."
WORDS_FOUND, COPY, COPIED = "Gefundene Wörter", "Kopieren", "Kopiert"
NEW_LABEL, GIVE_THIS_LABEL, LABEL_GIVEN = (
    "Neue Beschriftung",
    "Hinzufügen",
    "Beschriftung hinzugefügt",
)


def place_in_list(place: int, n: int) -> str:
    """Where an image stands in a list."""
    return f"{count(place)} von {count(n)}"


def n_parts(n: int) -> str:
    """A count of the parts of a picture."""
    return "1 Teil" if n == 1 else f"{count(n)} Teile"


def take_label_off(label: str) -> str:
    """What a button does that takes a label from an image."""
    return f"Die Beschriftung {label} entfernen"


def label_taken(label: str) -> str:
    """What was done."""
    return f"Beschriftung {label} entfernt"


# -- clusters

NO_CLUSTERS = "Die Bilder sind noch nicht gruppiert"
NO_CLUSTERS_HINT = "Im Terminal geht es so:"
ALL_CLUSTERS = "Alle Gruppen"
NOISE = "In keiner Gruppe"
NOISE_HINT = "Diese Bilder ähneln zu wenigen anderen, um eine Gruppe zu bilden."
RUNS = "Andere Läufe"
ADVICE, COMPARE_RUNS, DECISIONS = (
    "Welches k, welches eps?",
    "Zwei Läufe vergleichen",
    "Entscheidungen",
)
MORE_ABOUT_CLUSTERS = "Mehr zu Gruppen"
FILTER_CLUSTERS, FILTER_BUTTON = "Nur Gruppen mit dem Namen", "Filtern"
FILTER_HINT = "Teil eines Namens…"
NO_SUCH_CLUSTER = "Keine Gruppe heißt so."
SORTED_BY = "Sortiert nach"
CLUSTER_SORTS = {
    "size": "Größe",
    "tightness": "Dichte",
    "name": "Name",
    "confidence": "Sicherheit des Namens",
}
CLUSTER_GONE = (
    "Diese Gruppe ist jetzt leer: Ihre Bilder wurden verschoben oder gehören zu einer anderen. "
    "„Rückgängig“ oder die Seite der Entscheidungen bringt sie zurück."
)
CHANGE_CLUSTER = "Diese Gruppe ändern"
NAME, RENAME, RENAMED = "Name", "Umbenennen", "Umbenannt."
MERGE_WITH, MERGE, MERGED = "Vereinen mit", "Vereinen", "Vereint."
MERGE_HERE = "In diese aufnehmen"
INTO_PARTS, SPLIT = "In wie viele Teile", "Teilen"
SPLIT_DONE = "Geteilt. Die neuen Gruppen stehen bei den nächsten."
SPLIT_OFF, SPLIT_OFF_DONE = "Eigene Gruppe", "Sie bilden jetzt eine eigene Gruppe."
MOVE_TO, MOVE, MOVED = "In die Gruppe", "Verschieben", "Verschoben."
MOVE_OUT, MOVED_OUT = "Aus allen Gruppen", "Aus allen Gruppen genommen."
MEMBERS = "Vom Kern zum Rand"
NEAREST_CLUSTERS = "Die nächsten Gruppen"
WORDS_READ = "Wörter dafür:"
NEW_RUN, NEW_RUN_HINT = (
    "Die Bilder neu gruppieren",
    "Leere Felder nehmen die Vorgaben des Verfahrens.",
)
METHOD, KIND_OF_PART, SPACE, SEED, START = (
    "Verfahren",
    "Was gruppiert wird",
    "Raum",
    "Seed",
    "Starten",
)
STARTED = "Gestartet. Unter „Aufträge“ ist zu sehen, wie weit er ist."
USUAL_KIND, ALL_KINDS, ACTIVE_SPACE = "ganze Bilder", "alle Teile", "der aktive"
METHODS = {
    "hdbscan": "hdbscan: dichte Stellen, wie dicht auch immer",
    "fast-hdbscan": "fast-hdbscan: dasselbe, schneller",
    "evoc": "evoc: für Einbettungen gemacht",
    "dbscan": "dbscan: dichte Stellen einer Dichte",
    "kmeans": "kmeans: k Gruppen um Mittelpunkte",
    "minibatch-kmeans": "minibatch-kmeans: dasselbe für sehr viele",
    "agglomerative": "agglomerative: verbindet, was nah ist",
}
CLUSTER_OPTIONS = {
    "k": "k, wie viele Gruppen",
    "eps": "eps, wie weit gereicht wird",
    "min_samples": "min_samples",
    "min_cluster_size": "min_cluster_size",
    "distance_threshold": "distance_threshold",
}
NAME_SOURCES = {
    "number": "ohne Namen",
    "vocabulary": "benannt nach dem Aussehen",
    "words": "benannt nach Wörtern in den Bildern",
    "label": "benannt nach dem, was Detektoren sehen",
    "llm": "benannt von einem Sprachmodell",
    "person": "von einer Person benannt",
}
ONE_RUN_ONLY = "Es gibt erst einen Lauf. Ein weiterer beginnt auf der Seite der Gruppen."
FIRST_RUN, SECOND_RUN, COMPARE_BUTTON = "Erster Lauf", "Zweiter Lauf", "Vergleichen"
MATCHES = "Gruppen, die einander entsprechen"
MATCH_SORTS = {"moved": "Veränderung", "size": "Größe"}
ADVICE_LEAD = (
    "Wie viele Gruppen zu k-means passen und wie weit DBSCAN reichen sollte: gemessen an einer "
    "Stichprobe dieser Bilder."
)
MEASURING = "Es wird gemessen. Das dauert einige Sekunden bis eine Minute…"
NEIGHBORS_OF_DBSCAN, MEASURE = "min_samples von DBSCAN", "Messen"
ADVICE_K, ADVICE_EPS = "Wie viele Gruppen: k", "Wie weit gereicht wird: eps"
START_WITH_THIS = "Damit starten"
ADVICE_CURVES = {
    "silhouette": "Silhouette: wie gut getrennt (mehr ist besser)",
    "gap": "Gap: dichter als ohne Gruppen (der Knick zählt)",
    "stability": "Stabilität: wie gleich Stichproben gruppiert werden",
    "inertia": "Trägheit: quadrierte Abstände zu den Mitten",
    "separation": "Paare von Bildern, die getrennt werden",
    "noise": "Rauschen: Anteil ohne Gruppe",
    "n_clusters": "Zahl der Gruppen",
    "k_distances": "Abstand zum Nachbarn, nach Rang",
    "recommended": "empfohlen",
    "at": "bei",
    "from": "von",
    "to": "bis",
    "numbers": "Dasselbe in Zahlen",
}
DECISIONS_LEAD = (
    "Was Menschen entschieden haben, das Neueste zuerst. Eine Entscheidung gilt in ihrem Lauf und "
    "in allen späteren; nichts wird gelöscht, nur zurückgenommen."
)
NOTHING_DECIDED = "Noch wurde nichts entschieden."
ONLY_IN_FORCE, WITH_UNDONE = "Nur was gilt", "Auch Zurückgenommenes"
UNDONE, TAKEN_BACK = "Zurückgenommen.", "zurückgenommen"


def clusters_of(n: int, run: str) -> str:
    """How many clusters a run has."""
    return f"{'1 Gruppe' if n == 1 else f'{count(n)} Gruppen'} in {run}"


def older_runs(n: int) -> str:
    """What unfolds the runs before the newest."""
    return f"{count(n)} ältere"


def not_carried(n: int) -> str:
    """How many decisions of other runs do not hold in this one."""
    return f"{'1 Entscheidung gilt' if n == 1 else f'{count(n)} Entscheidungen gelten'} hier nicht"


def made_by(method: str, parameters: Mapping[str, object], kind: str) -> str:
    """What made a run."""
    listed = ", ".join(f"{name} {value}" for name, value in parameters.items())
    return f"Mit {method} ({listed}) aus Teilen dieser Art: {kind}."


def tightness(value: float) -> str:
    """How close together a cluster lies."""
    return f"Dichte {score(value)}"


def closeness(value: float) -> str:
    """How close a picture is to the middle of its cluster."""
    return f"Nähe zur Mitte {score(value)}"


def near(value: float) -> str:
    """How near another cluster is."""
    return f"Nähe {score(value)}"


def named_by(source: str, confidence: float) -> str:
    """Where the name of a cluster comes from, and how sure it is."""
    column = source.removeprefix("column ")
    by = NAME_SOURCES.get(source, f"benannt nach der Spalte „{column}“")
    return by if source in ("number", "person") else f"{by}, zu {confidence:.0%} sicher"


def agreement(ari: float, n_moved: int, n: int) -> str:
    """How alike two runs are."""
    return (
        f"Die Läufe stimmen zu {score(ari)} überein (angepasster Rand-Index; 1 sind dieselben "
        f"Gruppen, 0 ist Zufall). {count(n_moved)} von {count(n)} wechselten die Gruppe."
    )


def noise_moved(n_in: int, n_out: int) -> str:
    """What fell out of groups, and what came into them."""
    return f"{count(n_in)} fielen aus allen Gruppen, {count(n_out)} kamen in eine."


def n_stayed(n: int) -> str:
    """How many two clusters share."""
    return f"{count(n)} in beiden"


def n_left(n: int) -> str:
    """How many of the first cluster are elsewhere in the second run."""
    return f"{count(n)} nur hier"


def n_came(n: int) -> str:
    """How many of the second cluster were elsewhere in the first run."""
    return f"{count(n)} nur hier"


def overlap(share: float) -> str:
    """How much of two clusters is the same."""
    return f"{share:.0%} von beiden sind gleich"


def only_in(run: str) -> str:
    """The clusters of a run that the other has none for."""
    return f"Nur in {run}"


def and_more(n: int) -> str:
    """What is left out of a long list."""
    return f"und {count(n)} weitere"


def moment(when: datetime) -> str:
    """A date and a time."""
    return f"{when.day}. {MONTHS[when.month - 1]} {when:%Y, %H:%M} UTC"


def undo(decision: str) -> str:
    """What the button does that takes a decision back."""
    return f"Entscheidung {decision} zurücknehmen"


def decided(decision: Decision) -> str:
    """What a person decided."""
    told, n = decision.payload, len(decision.region_ids or decision.image_ids)
    run, name = told.get("run"), told.get("name", told.get("label"))
    out = told.get("cluster") == -1
    return {
        "name": f"Gruppe {told.get('cluster')} von {run} heißt „{name}“",
        "merge": f"Gruppen {_listed(told.get('clusters', ()))} von {run} sind eine",
        "split": f"{n_pictures(n)} aus Gruppe {told.get('cluster')} von {run} abgeteilt",
        "move": f"{n_pictures(n)} aus allen Gruppen von {run} genommen"
        if out
        else f"{n_pictures(n)} in Gruppe {told.get('cluster')} von {run} verschoben",
        "must-link": f"Zwei Bilder von {run} gehören zusammen",
        "cannot-link": f"Zwei Bilder von {run} gehören nicht zusammen",
        "label": f"{n_pictures(n)} mit „{name}“ beschriftet",
        "unlabel": f"Die Beschriftung „{name}“ von {n_pictures(n)} entfernt",
        "not-duplicate": "Zwei Bilder sind keine Kopien voneinander",
        "undo": f"Entscheidung {told.get('decision')} zurückgenommen",
    }.get(decision.verb, decision.verb)


def n_pictures(n: int) -> str:
    """A count of pictures or parts of them."""
    return "1 Bild" if n == 1 else f"{count(n)} Bilder"


def _listed(numbers: Iterable[object]) -> str:
    return ", ".join(map(str, numbers))


def cluster(number: int, name: str) -> str:
    """What a cluster is called."""
    return NOISE if number == -1 else name or f"Gruppe {number}"


def run(name: str, dims: int | None) -> str:
    """A run to choose; of a map also whether it is flat or deep."""
    return f"{name} · {dims}-D" if dims else name


# -- map

NO_MAP = "Es gibt noch keine Karte"
NO_MAP_HINT = "Das zeichnet eine:"
MAP_HINT = "Auf einen Punkt zeigen, um sein Bild zu sehen; klicken öffnet es."
MAP_HINT_3D = "Ziehen dreht, Strg und Ziehen verschiebt, Scrollen bringt näher."
MAP_HINT_2D = "Ziehen verschiebt, Scrollen bringt näher."
MAP_NEEDS_WEBGL = "Dieser Browser kann kein WebGL, das die Karte braucht. Siehe die Gruppen."
MAP_TOOL = "Was Ziehen tut"
MAP_TOOLS = {"move": "Bewegen", "lasso": "Lasso", "rectangle": "Rechteck"}
SELECT_IN_VIEW = "Alle im Ausschnitt auswählen"
LASSO_HINT = "Umschalt und Ziehen ist auch ein Lasso."
COLOUR, COLOUR_BUTTON = "Gefärbt nach", "Färben"
LEGEND, OPEN_CLUSTER = "Was die Farben bedeuten", "Gruppe öffnen"
OTHER_VALUES = "andere Werte oder keine"
COLOURED_BY = {
    "cluster": "Gruppen",
    "labels": "Beschriftungen",
    "kind": "Art des Teils",
    "label": "Was ein Detektor sah",
    "media_type": "Art der Datei",
    "width": "Breite",
    "height": "Höhe",
    "taken_at": "Aufnahmedatum",
    "folder": "Ordner",
    "source": "Quelle",
}
OPEN_AS_LIST, EXPORT_CSV = "Als Liste öffnen", "Exportieren (CSV)"
LABEL_ONE_BY_ONE = "Einzeln beschriften"
SEARCH_WITHIN = "Darin suchen"
LABEL_SELECTED, LABEL_BUTTON, LABELLED = "Beschriftung dafür", "Beschriften", "Beschriftet."
MOVE_SELECTED = "In diese Gruppe verschieben"
NEW_MAP, DIMENSIONS, WHAT_TO_MAP = (
    "Eine neue Karte zeichnen",
    "Dimensionen",
    "Was auf die Karte soll",
)
MAP_METHODS = {
    "tsne": "tsne: Nachbarschaften",
    "umap": "umap: dasselbe, lockerer",
    "pca": "pca: die größten Unterschiede",
}
MAP_OPTIONS = {
    "perplexity": "perplexity",
    "n_neighbors": "n_neighbors",
    "min_dist": "min_dist",
}
ADD_TO_MAP = "Auf diese Karte setzen"


def map_of(n: int, run: str) -> str:
    """What a map shows."""
    return f"{count(n)} Punkte in {run}"


def map_label(n: int) -> str:
    """What a screen reader says of the drawing."""
    return f"Eine Karte von {count(n)} Bildern. Die Pfeiltasten und + und - bewegen sie."


def map_thinned(n: int) -> str:
    """That a map has too many points to be drawn."""
    return f"{count(n)} davon sind gezeichnet: wo es eng ist, fehlen einige; einzelne bleiben."


def by_clusters(run: str) -> str:
    """A clustering to colour by."""
    return f"Gruppen von {run}"


def more_entries(n: int) -> str:
    """How many lines of a legend are not shown."""
    return f"und {count(n)} weitere"


def not_on_the_map(n: int) -> str:
    """How many pictures came after a map was made."""
    if n == 1:
        return "1 Bild ist noch nicht darauf."
    return f"{count(n)} Bilder sind noch nicht darauf."


# -- labelling

LABEL = "Beschriften"
LABELS = "Beschriftungen"
NOTHING_TO_LABEL = "Hier ist nichts mehr zu beschriften."
LABEL_SEARCH, LABEL_SEARCH_HINT = "Nur Bilder von", "ein Wort, oder nichts"
LABEL_SHOW, LABEL_SHOW_BUTTON = "Reihenfolge", "Zeigen"
LABEL_SHOWS = {
    "suggested": "nach dem, was es sein könnte",
    "unsure": "das Unsicherste zuerst",
    "different": "das Verschiedenste zuerst",
    "unlabelled": "ohne Beschriftung, nach Namen",
    "all": "alle, nach Namen",
}
LABEL_LEADS = {
    "suggested": "Nach den beschrifteten Bildern, denen jedes am ähnlichsten sieht. Nichts davon "
    "gilt, bevor es bestätigt ist.",
    "unsure": "Zu diesen passen zwei Beschriftungen fast gleich gut: sie lehren am meisten.",
    "different": "Jedes ist allem Beschrifteten und denen vor ihm so unähnlich wie möglich.",
}
FIRST_LABELS = (
    "Noch ist nichts beschriftet. Diese Bilder unterscheiden sich am meisten: nach einigen "
    "Beschriftungen kommen die nächsten mit Vorschlägen."
)
LABEL_EVERYWHERE = "Überall"
IN_SELECTION = "Nur das Ausgewählte."
LABEL_FIELD, LABEL_HINT = "Beschriftung", "Katze, Omas Garten…"
LABEL_ALL_BUTTON = "Alle beschriften"
GIVE_LABEL, GIVE_LABELS = "Hinzufügen", "Beschriften"
NONE_SELECTED = "Bilder auswählen, oder auf eins zeigen"
WHICH_PICTURE = "Welches Bild? Eins auswählen, oder mit den Pfeiltasten hingehen."
LABELLED_SAID = "„{label}“: {n}"
TAKEN_SAID = "Nicht mehr „{label}“"
UNDONE_SAID = "Zurückgenommen."
KEYS = "Tasten"
CLOSE = "Schließen"
LABEL_KEYS = (
    ("← → ↑ ↓", "von Bild zu Bild gehen"),
    ("Leertaste", "auswählen, oder nicht; mit Umschalt bis hierher"),
    ("Strg + A", "alle auf der Seite auswählen; Escape: keins"),
    ("1 … 9", "diese Beschriftung für das Ausgewählte, sonst für das Bild, bei dem man ist"),
    ("a b c …", "eine neue Beschriftung beginnen; Enter fügt sie hinzu"),
    ("Enter", "den Vorschlag annehmen"),
    ("z", "das Letzte zurücknehmen"),
    ("/", "zum Suchfeld gehen"),
    ("?", "diese Liste"),
)


def labelled_of(n: int, n_all: int) -> str:
    """How far labelling is."""
    return f"{count(n)} von {'1 Bild' if n_all == 1 else f'{count(n_all)} Bildern'} beschriftet"


def only_where(condition: str) -> str:
    """The condition that the pictures fulfil."""
    return f"Nur wo {condition}."


def in_cluster(number: int, run: str | None) -> str:
    """Which cluster the pictures are of."""
    return f"In Gruppe {number} von {run}." if run else f"In Gruppe {number}."


def label_all(n: int) -> str:
    """What opens the form that labels everything at once."""
    return (
        "Dieses eine Bild beschriften" if n == 1 else f"Alle {n_images(n)} auf einmal beschriften"
    )


def label_all_question(n: int) -> str:
    """What is asked before everything is labelled."""
    return f"{n_images(n)} beschriften, ob gesehen oder nicht? Es lässt sich zurücknehmen."


def labelled_all(n: int) -> str:
    """What was done."""
    return f"{n_images(n)} beschriftet."


def accept(n: int, label: str) -> str:
    """What accepts the suggestions of a group."""
    return f"Als „{label}“ annehmen" if n == 1 else f"Alle {n} als „{label}“ annehmen"


def shown_of(n: int, n_all: int) -> str:
    """How many of a group are shown."""
    return n_images(n) if n == n_all else f"die sichersten {n} von {count(n_all)}"


def percent(value: float) -> str:
    """How sure a suggestion is."""
    return f"{100 * min(value, 0.99):.0f} %"


def give_label(label: str, confidence: float) -> str:
    """What a click on a suggestion does."""
    return f"Als „{label}“ beschriften, zu {percent(confidence)} sicher"


def take_label(label: str) -> str:
    """What a click on a label does."""
    return f"„{label}“ entfernen"


# -- problems

PROBLEMS = "Übergangene Dateien"
NO_PROBLEMS = "Alles konnte gelesen werden."
NO_SUCH_PROBLEM = "Keine übergangene Datei entspricht diesen Filtern."
PART_OF_PATH, STAGE, REASON, ALL = "Teil des Pfads", "Wobei", "Warum", "alle"
STAGES = {
    "read": "beim Lesen",
    "decode": "beim Dekodieren",
    "embed": "beim Einbetten",
    "incomplete": "nur zum Teil gelesen",
    "find": "beim Finden von Teilen",
    "reindex": "anderer Raum",
    "other": "übergangen",
    "small": "zu klein",
}
KIND_OF_PROBLEM = "Art"
KINDS_OF_PROBLEMS: dict[ProblemKind, str] = {
    "problem": "nicht zu lesen",
    "other": "keine Bilder, oder übergangen",
    "small": "zu klein",
}
PROBLEM_COLUMNS = ("Liegt in", "Warum", "Wobei und wann")
AS_CSV, TRY_AGAIN, COMPLETE_SPACE = "Als CSV", "Noch einmal versuchen", "Den Raum vervollständigen"


# -- comparing models and settings

COMPARE = "Vergleichen"
COMPARE_VIEWS = {"classes": "Klassen einer Stichprobe", "spaces": "Zwei Räume"}
CLASSIFY_BY = "Klassen nach"
CLASSIFY_WAYS = {
    "prompts": "eigene Wörter",
    "builtin": "die 1.000 eingebauten Klassen",
    "neighbors": "Beschriftungen, nach Ähnlichkeit",
    "logistic": "Beschriftungen, durch Regression",
}
PROMPTS, PROMPTS_HINT = "Wörter, durch Kommas getrennt", "Katze, Hund, Fahrrad"
PROMPTS_LEAD = (
    "Welche Wörter beschreiben diese Bilder? Einige eingeben, durch Kommas getrennt, und sehen, "
    "welche Bilder zu jedem passen, wie sicher, und welche zu keinem."
)
SAMPLE_SIZE, SAMPLE_SEED = "Bilder", "Startwert"
COMPARE_SPACE, FIRST_SPACE, SECOND_SPACE = "Raum", "Ein Raum", "Der andere"
TRY_IT = "Ausprobieren"
NONE_OF_THESE = "keins davon"
BARS_HEAD = ("Klasse", "Anteil", "Bilder", "Sicher")
SPACES_LEAD = "Beide Räume dasselbe fragen, und sehen, welche Antworten sie teilen."
ONE_SPACE = "Es gibt nur einen Raum. Das fügt einen zum Vergleichen hinzu:"
ONLY_HERE = "nur hier"
HOW_MANY_ANSWERS = "Wie viele Antworten"


def sample_said(n: int, n_labels: int) -> str:
    """How many pictures were asked about, and in how many ways they were called."""
    return f"{n_images(n)}, zufällig gezogen, mit {count(n_labels)} verschiedenen Klassen."


def bars_of(n: int, n_all: int) -> str:
    """What the bars show."""
    return "Wie oft jede die wahrscheinlichste ist" if n == n_all else f"Die {n} häufigsten"


def shared_hits(n_shared: int, n: int) -> str:
    """How many answers two spaces share."""
    return f"{n_shared} von {n} sind gemeinsam ({percent(n_shared / max(n, 1))})."


def rank(number: int) -> str:
    """The rank of a hit."""
    return f"{number}."


def rank_there(number: int) -> str:
    """The rank of a hit in the other space, and the way there."""
    return f"dort {number}."


def reindex_command(path: str) -> str:
    """What adds a space."""
    return f"bilderatlas reindex {shlex.quote(path)} --encoder ENCODER"


# -- signing in

SIGN_IN = "Anmelden"
SIGN_IN_HINT = "Diese Sammlung fragt nach einem Schlüssel. Wer sie bereitstellt, gibt ihn aus."
KEY = "Schlüssel"
WRONG_KEY = "Diesen Schlüssel kennt der Server nicht. Wurde er ganz kopiert?"
SIGNED_IN = "Angemeldet"
SIGN_OUT = "Abmelden"
TO_PICTURES = "Zurück zu den Bildern"


def signed_in_as(name: str, *, may_edit: bool) -> str:
    """Whose key it is, and what it allows."""
    may = "ändern" if may_edit else "ansehen und suchen"
    return f"Als {name}, mit dem Recht: {may}."
