"""The people, groups and films of the demonstration."""

from demo.films import Film, Grant, Scene

PASSWORD = "a quiet afternoon"  # of everyone
ADMINISTRATOR = "anna"
PEOPLE = {
    "anna": "admin",
    "ben": "uploader",
    "clara": "uploader",
    "david": "viewer",
    "emma": "viewer",
}
GROUPS = {"Family": ("ben", ("anna", "emma")), "Class 7b": ("clara", ("david", "emma"))}
"""By name: who manages it, and its other members."""

DAWN = ("#31356e", "#f7a072", "#8d6a9f", "#2b2d42")
NOON = ("#3a7ca5", "#d9eaf2", "#81a4a8", "#2f4f4a")
DUSK = ("#2d1e4f", "#ef6f6c", "#6b4e71", "#1d1a31")
MINT = ("#5fa8a3", "#f6f1d1", "#7fb69e", "#24564c")
GOLD = ("#c86b3c", "#fbe3a1", "#b98b50", "#4a3424")
SLATE = ("#6c7a89", "#e8ecef", "#93a1ad", "#37424c")
NIGHT = ("#05071a", "#27385e", "#18233f", "#080c18")
ROSE = ("#7b3f61", "#f6c1c7", "#a4657f", "#3d1f33")
ICE = ("#4c6fa5", "#eef6fb", "#a9c3dc", "#5b7a99")
SUMMER = ("#2f8fd0", "#fdf3c7", "#86b84c", "#3d6b2a")
LAGOON = ("#0f4c75", "#9fe3e0", "#1f9aa4", "#0b3a4a")
EMBER = ("#1d1128", "#e4572e", "#7a2e2e", "#180f1c")

FILMS = (
    Film(
        "The long way round the lake",
        "ben",
        150,
        Scene("mountains", DAWN),
        "Two days on foot around the lake, from the boat house to the old mill. The map is at"
        " https://example.org/lake-walk.",
        ("hiking", "summer 2026"),
        (1280, 720),
        chapters=(
            (0, "The boat house"),
            (35, "Through the reeds"),
            (80, "The pass"),
            (120, "The mill"),
        ),
        words=(
            "We start at the boat house, a little after six.",
            "The path through the reeds is narrow, and wet.",
            "From the pass you can see both ends of the lake.",
        ),
        captions={
            "en": (
                "We start at the boat house, a little after six.",
                "The path through the reeds is narrow, and wet.",
                "From the pass you can see both ends of the lake.",
            ),
            "de": (
                "Wir beginnen am Bootshaus, kurz nach sechs.",
                "Der Weg durch das Schilf ist schmal und nass.",
                "Vom Pass sieht man beide Enden des Sees.",
            ),
        },
        position=42,
    ),
    Film(
        "Morning at the salt pans",
        "ben",
        48,
        Scene("sea", ROSE),
        "The water is a hand deep and turns pink when the sun comes up.",
        ("sea", "summer 2026"),
        (854, 480),
        words=("The water here is only a hand deep.", "When the sun comes up, it turns pink."),
        captions={
            "en": ("The water here is only a hand deep.", "When the sun comes up, it turns pink."),
            "fr": (
                "Ici, l'eau a la profondeur d'une main.",
                "Au lever du soleil, elle devient rose.",
            ),
        },
        visibility="public",
        position=61,
    ),
    Film(
        "Grandmother explains the apple cake",
        "ben",
        92,
        Scene("field", GOLD),
        "She says four apples. She means six.",
        ("family", "kitchen"),
        chapters=(
            (0, "What you need"),
            (20, "The dough"),
            (48, "The apples"),
            (75, "Forty minutes"),
        ),
        words=("Four apples, she says.", "Butter, sugar, flour, and two eggs.", "And patience."),
        visibility="private",
        position=30,
    ),
    Film(
        "Emma's first goal",
        "ben",
        12,
        Scene("field", SUMMER),
        "Minute 58. Watch the left side.",
        ("family", "football"),
        (406, 720),
        visibility="private",
    ),
    Film(
        "Snow on the tracks",
        "ben",
        26,
        Scene("snow", ICE),
        "The night train was three hours late, and nobody minded.",
        ("trains", "winter"),
        visibility="public",
        downloadable=True,
    ),
    Film(
        "A lighthouse, standing up",
        "ben",
        18,
        Scene("sea", DUSK),
        "Filmed with a phone held upright.",
        ("sea",),
        (360, 640),
        position=50,
    ),
    Film(
        "Harbour, high water",
        "ben",
        36,
        Scene("sea", LAGOON),
        "High water at 11:42. The ferry leaves in the second half.",
        ("sea", "summer 2026"),
        position=35,
    ),
    Film(
        "Window seat", "ben", 15, Scene("mountains", ICE), "Somewhere above the Alps.", ("travel",)
    ),
    Film(
        "Unwrapping, 24 December",
        "ben",
        40,
        Scene("snow", NIGHT),
        "The dog gets the paper, as every year.",
        ("family", "winter"),
        visibility="private",
    ),
    Film(
        "Kite weather",
        "ben",
        9,
        Scene("field", NOON),
        "Wind force five, and the string held.",
        ("family",),
        (480, 480),
    ),
    Film(
        "Night bus 62",
        "ben",
        22,
        Scene("city", NIGHT),
        "From the front seat of the upper deck.",
        ("city", "travel"),
    ),
    Film(
        "Campfire songs",
        "ben",
        64,
        Scene("forest", EMBER),
        "Three songs, two of them with all the verses.",
        ("family", "summer 2026"),
        chapters=((0, "First song"), (22, "Second song"), (45, "The long one")),
        visibility="private",
    ),
    Film("Rain on the tent", "ben", 30, Scene("forest", SLATE), "To fall asleep to.", ("quiet",)),
    Film("Moonrise over the ridge", "ben", 20, Scene("night", NIGHT), "", ("quiet",), (854, 480)),
    Film(
        "Uncle Theo fixes the gate",
        "ben",
        33,
        Scene("field", MINT),
        "In one take. The gate has held since.",
        ("family",),
        visibility="private",
    ),
    Film(
        "From the phone: first steps",
        "ben",
        8,
        Scene("field", ROSE),
        "She let go of the table by herself.",
        ("family",),
        (360, 640),
        visibility="private",
        codec="hevc",
    ),
    Film(
        "Fractions: why the bottom number stays",
        "clara",
        125,
        Scene("pattern", source="mandelbrot=end_pts=900:maxiter=600"),
        "For class 7b. The exercises are at https://example.org/7b/fractions.",
        ("mathematics", "class 7b"),
        (320, 180),
        chapters=(
            (0, "What is a fraction?"),
            (40, "Adding"),
            (85, "An example"),
            (110, "Exercises"),
        ),
        words=(
            "The bottom number says into how many parts we cut.",
            "So when we add, it stays as it is.",
            "Try the exercises before you look at the answers.",
        ),
        captions={
            "en": (
                "The bottom number says into how many parts we cut.",
                "So when we add, it stays as it is.",
                "Try the exercises before you look at the answers.",
            ),
            "de": (
                "Die untere Zahl sagt, in wie viele Teile wir schneiden.",
                "Beim Addieren bleibt sie deshalb, wie sie ist.",
                "Rechnet die Aufgaben, bevor ihr die Lösungen anseht.",
            ),
        },
    ),
    Film(
        "A game of life, 600 steps",
        "clara",
        24,
        Scene(
            "pattern",
            source="life=mold=14:ratio=0.12:life_color=#f6c177:death_color=#31487a:mold_color=#0b132b",
        ),
        "Conway's rules, a random start. Where does it become quiet?",
        ("mathematics", "class 7b"),
    ),
    Film(
        "Triangles in triangles",
        "clara",
        20,
        Scene("pattern", source="sierpinski=type=triangle:seed=7"),
        "Sierpinski's triangle, one point at a time.",
        ("mathematics",),
    ),
    Film(
        "How waves add up",
        "clara",
        28,
        Scene("sea", ICE),
        "Interference, for the physics group.",
        ("physics", "class 7b"),
        (480, 480),
    ),
    Film(
        "Water in the desert",
        "clara",
        55,
        Scene("mountains", GOLD),
        "Geography, unit 4. How an oasis works.",
        ("geography", "class 7b"),
        chapters=((0, "Where the rain goes"), (18, "Underground"), (40, "The oasis")),
        position=45,
    ),
    Film(
        "Class trip: the observatory",
        "clara",
        75,
        Scene("night", NIGHT),
        "Thank you to everyone who stayed awake.",
        ("class 7b", "trip"),
        (854, 480),
        visibility="private",
    ),
    Film(
        "School play, dress rehearsal",
        "clara",
        90,
        Scene("city", DUSK),
        "Please do not pass this on before Friday.",
        ("theatre", "class 7b"),
        visibility="private",
        chapters=((0, "First act"), (38, "Second act"), (80, "Bows")),
    ),
    Film(
        "Choir: the round in four voices",
        "clara",
        42,
        Scene("forest", MINT),
        "Altos, listen to bar 12.",
        ("choir", "music"),
        downloadable=True,
    ),
    Film(
        "Choir: sopranos alone",
        "clara",
        21,
        Scene(
            "pattern",
            source="gradients=c0=#2d1e4f:c1=#ef6f6c:c2=#f6c177:nb_colors=3:speed=0.01:seed=4",
        ),
        "To practise with.",
        ("choir", "music"),
        downloadable=True,
    ),
    Film(
        "Choir: basses alone",
        "clara",
        21,
        Scene(
            "pattern",
            source="gradients=c0=#0f4c75:c1=#9fe3e0:c2=#24564c:nb_colors=3:speed=0.01:seed=9",
        ),
        "To practise with.",
        ("choir", "music"),
        downloadable=True,
    ),
    Film(
        "Bread from three ingredients",
        "clara",
        58,
        Scene("field", DAWN),
        "Flour, water, salt, and a day.",
        ("kitchen",),
        visibility="public",
        chapters=((0, "Mixing"), (15, "Waiting"), (30, "Folding"), (50, "Baking")),
        position=55,
    ),
    Film(
        "Leaf",
        "clara",
        5,
        Scene("forest", SUMMER),
        "Five seconds of one leaf.",
        ("quiet",),
        (480, 480),
    ),
    Film("The school garden in May", "clara", 17, Scene("field", SUMMER), "", ("garden",)),
    Film("The school garden in November", "clara", 17, Scene("field", SLATE), "", ("garden",)),
    Film(
        "Signals: a test card",
        "clara",
        10,
        Scene("pattern", source="testsrc2"),
        "For the projector in room 12.",
        ("technology",),
        downloadable=True,
    ),
    Film(
        "Rule 110, line by line",
        "clara",
        16,
        Scene("pattern", source="cellauto=rule=110:scroll=1:ratio=0.3:seed=5"),
        "A cellular automaton.",
        ("mathematics",),
        (320, 180),
    ),
    Film(
        "Club evening: what we do this year",
        "anna",
        85,
        Scene("city", DAWN),
        "The plan for the year, and who has the keys. Questions to the board:"
        " https://example.org/club.",
        ("club",),
        chapters=((0, "Welcome"), (20, "Dates"), (50, "Money"), (70, "Keys")),
        words=("Welcome, everyone.", "We have three dates to agree on.", "And we need new keys."),
        visibility="members",
        position=25,
    ),
    Film(
        "Regatta, from the jetty",
        "anna",
        38,
        Scene("sea", NOON),
        "Boat 7 is ours.",
        ("club", "sea"),
        (1280, 720),
        downloadable=True,
    ),
    Film(
        "How to rig the small boat",
        "anna",
        70,
        Scene("sea", MINT),
        "For new members. Watch it before Saturday.",
        ("club", "how to"),
        chapters=((0, "Mast"), (24, "Sail"), (52, "Rudder")),
    ),
    Film(
        "City lights, one hour in twenty seconds", "anna", 20, Scene("city", EMBER), "", ("city",)
    ),
    Film("First snow in the yard", "anna", 14, Scene("snow", SLATE), "", ("winter",), (480, 480)),
    Film(
        "Old recording, repaired",
        "anna",
        19,
        Scene("night", ROSE),
        "From a tape of 1994.",
        ("club",),
    ),
    Film(
        "Ridge walk without words",
        "anna",
        44,
        Scene("mountains", MINT),
        "No music, no talking.",
        ("hiking", "quiet"),
        visibility="public",
    ),
    Film(
        "Outtakes",
        "anna",
        11,
        Scene("city", ROSE),
        "Nobody needs to see these.",
        visibility="private",
    ),
)

BINNED = "Outtakes"
FAILED_STEP = "Old recording, repaired"
"""Its pictures could not be made, where that can be brought about."""
REFUSED = "Damaged card, recovered"
"""The title of a file that looks like a film and cannot be decoded."""
PREPARING = "The whole concert"
"""The title of a long film, uploaded last, that is still being prepared."""
PREPARING_FILM = Film(
    PREPARING,
    "anna",
    170,
    Scene("night", DUSK),
    "All of it, from the first row.",
    ("music", "club"),
    (1280, 720),
    chapters=((0, "Before the interval"), (95, "After the interval")),
)
UNFINISHED = "Half of the summer party"
"""The title of an upload of which only a part has arrived."""

COLLECTIONS = {
    "Summer 2026": (
        "ben",
        "Everything from June to September.",
        (
            "The long way round the lake",
            "Morning at the salt pans",
            "Harbour, high water",
            "Campfire songs",
        ),
    ),
    "Mathematics, class 7b": (
        "clara",
        "In the order in which we do them.",
        (
            "Fractions: why the bottom number stays",
            "A game of life, 600 steps",
            "Triangles in triangles",
            "Rule 110, line by line",
        ),
    ),
    "Choir": (
        "clara",
        "Listen, then practise with your own voice.",
        (
            "Choir: the round in four voices",
            "Choir: sopranos alone",
            "Choir: basses alone",
        ),
    ),
    "For new members": (
        "anna",
        "Start here.",
        (
            "Club evening: what we do this year",
            "How to rig the small boat",
            "Regatta, from the jetty",
        ),
    ),
}
"""By title: owner, description and films in their order."""

GRANTS = (
    Grant("Grandmother explains the apple cake", "Family"),
    Grant("Unwrapping, 24 December", "Family", "download"),
    Grant("Campfire songs", "Family"),
    Grant("From the phone: first steps", "anna", "share"),
    Grant("From the phone: first steps", "emma"),
    Grant("Emma's first goal", "emma", "download"),
    Grant("Uncle Theo fixes the gate", "david", days=21),
    Grant("Class trip: the observatory", "Class 7b", days=21),
    Grant("School play, dress rehearsal", "Class 7b", days=21),
    Grant("School play, dress rehearsal", "anna", "edit"),
    Grant("Summer 2026", "Family"),
    Grant("Mathematics, class 7b", "Class 7b"),
)

LINK_OF_A_WEEK = "For a week"
LINKS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("Morning at the salt pans", "For the newsletter", {}),
    ("Grandmother explains the apple cake", "For aunt Rosa", {"password": "six apples"}),
    ("Bread from three ingredients", LINK_OF_A_WEEK, {}),
    ("Choir: the round in four voices", "For the altos", {"level": "download"}),
    ("School play, dress rehearsal", "For the parents", {"max_views": 60}),
)
"""The film, the label, and what else is asked for."""
