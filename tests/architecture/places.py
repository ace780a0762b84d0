"""Every name and its place: a new file, folder or library is given its place here or cannot be."""

from __future__ import annotations

FLOWS = (
    *("enrolment", "registration", "service", "modules"),
    *("offerings", "reservations", "rights", "sessions", "devices"),
    *("letters", "extensions", "actions"),
)
"""The twelve flows, one file each, in every layer where they have something to say."""

LATER = ("payments", "accounts", "help", "audit", "setup", "hooks", "privacy")
"""Where they come, under these names."""

AT_THE_TOP = frozenset(
    ".ci .git .gitignore CHANGELOG.md LICENSE README.md cloud_controller common dev "
    "docs edge_agent pyproject.toml systemd tests".split()
)

_TO_BOTH_SIDES = ("main", "settings", "ports", "flows", "listener", "courier", "timers", "__main__")

LAYERS: dict[str, tuple[str, ...]] = {
    "common": (
        *("ids", "errors", "machine", "topics", "channels", "codec", "seals"),
        *("messages", "rules", "words"),
        *("mqtt", "system", "settings", "logs", "watchdog", "queries", "files", "tls", "pictures"),
        *("look", "switches"),
    ),
    "common/switches": ("settings", "status", "doers", "board", "trying"),
    "common/messages": (*FLOWS, "base", "specification", "problems", "scanners", "help"),
    "common/rules/problems": ("kinds", "alerts"),
    "common/rules/offerings": ("states", "pictures"),
    "common/rules/setup": ("documents", "difference", "first_hour", "written"),
    "common/rules": (
        *FLOWS,
        *("specification", "tickets", "clock", "presence", "problems", "receipts"),
        *("scanners", "figures"),
        *LATER,
        "acts",
    ),
    "cloud_controller": (
        *_TO_BOTH_SIDES,
        "commands",
        "controller",
        "seeds",
        "connection",
        "explain",
        *("upstream", "mirrors", "calling", "bundle", "auditor"),
        *("payments", "reservations", "reservation_port"),
        "postman",
        "telemetry",
        "smtp",
        "hooks",
        "forgetting",
        "inbox",
        "bookings",
        "actions",
        "web",
        "storage",
        "broker",
        "keys",
        "certificates",
        "packages",
        "credentials",
        "accounts",
        "proofs",
        "home",
    ),
    "cloud_controller/bookings": (
        *("orders", "changes", "ends", "letters", "addresses", "extensions", "repairs"),
        *("removals", "setup", "acts"),
        "alerts",
    ),
    "cloud_controller/actions": ("switches",),
    "cloud_controller/settings": (
        *("part", "doors", "stores", "mail", "payments", "elsewhere", "modules", "wallet"),
        "hooks",
        "home",
        "privacy",
    ),
    "cloud_controller/ports": ("faults", "values", "world", "books"),
    "cloud_controller/reservations": ("builtin", "remote", "errands"),
    "cloud_controller/flows": (
        *(*FLOWS, *LATER, "problems", "directory", "photos"),
        *("board", "acts", "home"),
        *("alerts", "watches"),
        "figures",
    ),
    "cloud_controller/home": ("bridge", "discovery"),
    "cloud_controller/flows/offerings": ("telling", "shelf", "pictures", "saying"),
    "cloud_controller/flows/accounts": (
        *("acts", "people", "places", "proving", "sessions", "tokens"),
    ),
    "cloud_controller/proofs": ("codes", "passkeys", "passwords"),
    "common/words": (
        *("sentences", "denials", "extensions", "problems", "notices", "hints", "particulars"),
        *("timeline", "screen", "help", "calls", "audit", "acts"),
    ),
    "cloud_controller/web": (
        *(*FLOWS, *LATER, "app", "guard", "qr", "pages", "static", "locales"),
        *("language", "faults", "problems", "routes", "table", "openapi", "asyncapi", "metrics"),
        *(
            "peers",
            "calendar",
            "paper",
            "tickets",
            "timeline",
            "receipts",
            "orders",
            "changes",
            "lists",
            "waiting",
            "hours",
            "photos",
            "pictures",
            "offered",
            "packages",
            *("admission", "module_logs", "live", "wallet", "passes", "acts"),
            "alerts",
            *("royalties", "figures", "sheets"),
        ),
    ),
    "cloud_controller/web/live": (
        *("board", "looking", "opening", "shelves", "stamps", "watching", "written"),
    ),
    "cloud_controller/web/paper": ("page",),
    "cloud_controller/web/wallet": ("face", "apple", "google"),
    "cloud_controller/commands": (
        *(
            "beginning",
            "beside",
            "devices",
            "keys",
            "modules",
            "peers",
            "reports",
            "seats",
            "switches",
        ),
        "offerings",
        *("customers", "module_logs", "printed", "helpers", "auditing"),
    ),
    "cloud_controller/storage": (
        *(
            "books",
            "transaction",
            "registry",
            "sqlite",
            "postgres",
            "pool",
            "waiting",
            "schema",
            "choice",
            "records",
            "events",
            "queries",
            "migrations",
        ),
    ),
    "cloud_controller/storage/queries": (
        *(*FLOWS, *LATER, "post", "problems", "lending", "directory", "lists"),
        *("provenance", "royalties", "escrow"),
        *("console", "acts", "home", "metrics"),
        *("alerts", "watches"),
        *("findings", "figures"),
    ),
    "edge_agent": (
        *_TO_BOTH_SIDES,
        *("terminal", "reconciler", "enrolment", "journal", "switches", "migrations", "afterwards"),
        *("scanners", "runner", "inventory", "display", "actions", "turnover", "modules"),
        *(
            "gate",
            "commands",
            "queries",
            "connection",
            "inspector",
            "offers",
            "drafts",
            "entrance",
            "extensions",
            "threads",
            "alone",
            "opened",
        ),
        *("heartbeats", "installed"),
    ),
    "edge_agent/queries": (*FLOWS, "help", "holding", "installs", "post", "runs", "uses"),
    "edge_agent/commands": ("serving", "running", "enrolling", "reading", "switching", "packaging"),
    "edge_agent/enrolment": ("keys", "trust", "calls", "answers", "asking", "credentials"),
    "edge_agent/flows": (*FLOWS, "help"),
    "edge_agent/display": (
        *("faces", "picture", "stage", "presses", "screen", "server", "streams", "written", "qr"),
        *("around", "calls", "static"),
    ),
    "edge_agent/modules": (
        *("metadata", "download", "unpack", "store", "disk", "installer", "sequence", "making"),
        *("fetching", "telling", "part", "checks", "needs", "wanted", "starts", "uninstaller"),
        *("removing", "reading", "ports"),
    ),
    "cloud_controller/packages": (
        *(
            "keys",
            "lists",
            "publishing",
            "releasing",
            "replacing",
            "repository",
            "signing",
            "serving",
        ),
    ),
    "edge_agent/actions": ("switches", "commands", "trying"),
    "edge_agent/inventory": (
        *("specification", "machine", "parts", "displays", "programs", "reading"),
    ),
    "edge_agent/scanners": (
        *("camera", "serial", "keyboard", "image", "reading", "decoders", "hygiene", "read_ticket"),
        *("standard_input", "lens", "movement", "looking", "intake", "lines", "layouts"),
        *("making", "found", "counting", "turns"),
    ),
    "edge_agent/runner": (
        *("main", "settings", "catalogue", "records", "programs", "tree", "deadlines"),
        *("keeper", "held", "course", "adoption", "resumes", "budget", "readiness", "windows"),
        *("packages", "groups", "runs", "server", "wire", "link", "beside", "wipe", "wipes"),
    ),
    "edge_agent/runner/catalogue": (
        *("entries", "reading", "checks", "seal", "trust", "operating", "commands"),
    ),
    "edge_agent/runner/wire": ("words", "lines"),
    "tests": (
        *("rules", "flows", "contracts", "fakes", "rim", "simulation", "e2e", "architecture"),
        *("demo", "bench", "prove", "pictures", "programs", "conftest", "waiting"),
    ),
}
"""What may stand in each layer, named without its ending."""

ONE_PLACE: dict[str, tuple[str, ...]] = {
    "paho": ("common/mqtt",),
    "aiosql": ("common/queries.py",),
    "alembic": ("cloud_controller/storage/",),
    "psycopg": ("cloud_controller/storage/",),
    "sqlalchemy": ("cloud_controller/storage/",),
    "sqlite3": (
        "cloud_controller/storage/",
        "edge_agent/journal.py",
        "edge_agent/runner/records.py",
    ),
    "pyzbar": ("edge_agent/scanners/",),
    "zxingcpp": ("edge_agent/scanners/",),
    "linuxpy": ("edge_agent/scanners/lens.py",),
    "serial": ("edge_agent/scanners/serial.py",),
    "evdev": ("edge_agent/scanners/keyboard.py",),
    "tuf": ("cloud_controller/packages/", "edge_agent/modules/"),
    "standardwebhooks": ("cloud_controller/hooks/",),
    "securesystemslib": ("cloud_controller/packages/", "edge_agent/modules/"),
    "argon2": ("cloud_controller/proofs/passwords.py",),
    "pyotp": ("cloud_controller/proofs/codes.py",),
    "webauthn": ("cloud_controller/proofs/passkeys.py",),
    "qrcode": ("cloud_controller/web/qr.py", "edge_agent/display/qr.py"),
    "aiosmtplib": ("cloud_controller/smtp.py",),
    "reportlab": ("cloud_controller/web/paper/",),
    "psutil": ("edge_agent/runner/", "edge_agent/inventory/"),
    "random": ("common/system.py",),
    "secrets": ("common/system.py",),
}
"""Who alone may know a library, so that exchanging it is a change in one place."""
