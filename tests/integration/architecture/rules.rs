//! The rules that the code is held to, each a function from the tree to lines that say what broke.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::sources::{Code, File, Segments, Sources, module_of};

/// Rooms that are functions of their arguments alone, so that they can be tested with bytes.
const PURE: [&str; 5] = ["contract", "drift", "entry", "policy", "process/parse"];

/// What reaches past the arguments.
const IMPURE: [&str; 10] = [
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::time::UNIX_EPOCH",
];

/// What `cmd` alone may do: read the environment, write to the standard streams, end the process.
const FOR_CMD: [&str; 14] = [
    "std::dbg",
    "std::env::args",
    "std::env::args_os",
    "std::env::var",
    "std::env::var_os",
    "std::env::vars",
    "std::env::vars_os",
    "std::eprint",
    "std::eprintln",
    "std::io::stderr",
    "std::io::stdout",
    "std::print",
    "std::println",
    "std::process::exit",
];

/// The per-page table of memory: whoever is read of stands still meanwhile.
const STALLS: &str = "smaps";

/// Style rule 4, without the tests of the file.
const LINES_MAX: usize = 600;

const DOCUMENT: &str = "docs/ARCHITECTURE.md";

/// Every way in which the tree breaks a rule, a readable line each; none is what we want.
pub(super) fn violations(tree: &Sources) -> Vec<String> {
    let house = House::survey(tree);
    let mut found = house.code.unreadable.clone();
    found.extend(house.unlisted_rooms());
    found.extend(house.cycles());
    found.extend(house.impurities());
    found.extend(house.unlisted_crates());
    found.extend(house.stale_lists());
    found.extend(house.missing_headers());
    found.extend(house.what_is_for_cmd());
    found.extend(stalling_reads(tree));
    found.extend(house.undeclared_and_empty_rooms());
    found.extend(house.disagreements_of_the_document());
    found.extend(house.long_files());
    found
}

/// What a room's header lets it use.
#[derive(Clone, Debug)]
struct Header {
    /// The file that it stands in.
    file: String,
    /// `None` where there is no readable `May use:` line.
    lists: Option<Lists>,
}

#[derive(Clone, Debug)]
struct Lists {
    rooms: BTreeSet<String>,
    crates: BTreeSet<String>,
}

/// What one file uses of what its room does not own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Used {
    Room(String),
    Crate(String),
}

/// The rooms of a tree and what the files in them use.
#[derive(Clone, Debug)]
struct House<'a> {
    tree: &'a Sources,
    code: Code,
    headers: BTreeMap<String, Header>,
    /// By file; only files that are in a room.
    used: BTreeMap<String, BTreeSet<Used>>,
    /// By file: everything of the standard library.
    std: BTreeMap<String, BTreeSet<String>>,
}

impl<'a> House<'a> {
    fn survey(tree: &'a Sources) -> Self {
        let code = Code::read(tree);
        let headers = headers(tree, &code);
        let mut house = Self { tree, code, headers, used: BTreeMap::new(), std: BTreeMap::new() };
        let crates = tree.dependencies();
        for (path, file) in &house.code.files {
            let room = house.room(&file.module);
            let mut used = BTreeSet::new();
            let mut of_std = BTreeSet::new();
            for mention in &file.mentions {
                let meanings = house.code.meanings(mention);
                of_std
                    .extend(meanings.iter().filter(|path| path[0] == "std").map(|p| p.join("::")));
                used.extend(room.iter().find_map(|room| house.first_use(room, &meanings, &crates)));
            }
            house.used.insert(path.clone(), used);
            house.std.insert(path.clone(), of_std);
        }
        house
    }

    /// The room that a module is in; for a pure sub-room, that one.
    fn room(&self, module: &[String]) -> Option<String> {
        (1..=module.len()).rev().map(|end| module[..end].join("/")).find(|name| self.is_room(name))
    }

    fn is_room(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// The first thing on a path's way that is not the room's own. What another room re-exports
    /// counts as that room's.
    fn first_use(
        &self,
        room: &str,
        meanings: &[Segments],
        crates: &BTreeSet<String>,
    ) -> Option<Used> {
        meanings.iter().find_map(|path| match path[0].as_str() {
            "crate" => self.room_seen_from(room, &path[1..]).map(Used::Room),
            name => crates.contains(name).then(|| Used::Crate(name.to_owned())),
        })
    }

    /// From outside, a sub-room is its parent's.
    fn room_seen_from(&self, room: &str, path: &[String]) -> Option<String> {
        let target = self.room(path)?;
        if target == room {
            return None;
        }
        let outside = |name: &String| !inside(room, name);
        let rooms = (1..=path.len()).map(|end| path[..end].join("/"));
        rooms.filter(|name| self.is_room(name)).find(outside).or(Some(target))
    }

    /// The files of every room, with the room's name and its header's lists where it has them.
    fn files_in_rooms(&self) -> impl Iterator<Item = (&String, &File, String)> {
        self.code.files.iter().filter_map(|(path, file)| {
            let room = self.room(&file.module)?;
            Some((path, file, room))
        })
    }

    /// Rule a. A room's own sub-rooms need no mention.
    fn unlisted_rooms(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (path, _, room) in self.files_in_rooms() {
            let Header { file, lists: Some(lists) } = &self.headers[&room] else {
                continue;
            };
            for used in &self.used[path] {
                if let Used::Room(other) = used
                    && !lists.rooms.contains(other)
                    && !inside(other, &room)
                {
                    found.push(format!(
                        "{path}: `{room}` uses room `{other}`, which {file} does not list"
                    ));
                }
            }
        }
        found
    }

    /// Rule b: one line for the smallest circle through the first room of each.
    fn cycles(&self) -> Vec<String> {
        let mut edges: BTreeMap<String, BTreeSet<&String>> = BTreeMap::new();
        for (path, _, room) in self.files_in_rooms() {
            let rooms = self.used[path].iter().filter_map(|used| match used {
                Used::Room(other) => Some(other),
                Used::Crate(_) => None,
            });
            edges.entry(room).or_default().extend(rooms);
        }
        let circles = edges.keys().filter_map(|room| circle(room, &edges));
        circles.map(|circle| format!("src: rooms in a circle: {}", circle.join(" -> "))).collect()
    }

    /// Rule c.
    fn impurities(&self) -> Vec<String> {
        let pure = self.files_in_rooms().filter(|(_, _, room)| PURE.contains(&room.as_str()));
        pure.flat_map(|(path, _, room)| {
            named(&self.std[path], &IMPURE).into_iter().map(move |what| {
                format!(
                    "{path}: `{room}` is pure and names `{what}`: no file system, network, \
                     process, environment, thread or clock"
                )
            })
        })
        .collect()
    }

    /// Rule d, what the header lacks.
    fn unlisted_crates(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (path, _, room) in self.files_in_rooms() {
            let Header { file, lists: Some(lists) } = &self.headers[&room] else {
                continue;
            };
            for used in &self.used[path] {
                if let Used::Crate(name) = used
                    && !lists.crates.contains(name)
                {
                    found.push(format!(
                        "{path}: `{room}` uses crate `{name}`, which {file} does not list"
                    ));
                }
            }
        }
        found
    }

    /// Rule d, what the header has too much.
    fn stale_lists(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (room, Header { file, lists }) in &self.headers {
            let of_room = self.files_in_rooms().filter(|(_, _, in_room)| in_room == room);
            let used: BTreeSet<&Used> = of_room.flat_map(|(path, ..)| &self.used[path]).collect();
            let Some(lists) = lists else {
                continue;
            };
            for name in &lists.rooms {
                if !used.contains(&Used::Room(name.clone())) {
                    found.push(format!("{file}: lists room `{name}`, which `{room}` does not use"));
                }
            }
            for name in &lists.crates {
                if !used.contains(&Used::Crate(name.clone())) {
                    found
                        .push(format!("{file}: lists crate `{name}`, which `{room}` does not use"));
                }
            }
        }
        found
    }

    /// Rule e.
    fn missing_headers(&self) -> Vec<String> {
        let bare = self.code.files.keys().filter(|path| !self.tree.files[*path].starts_with("//!"));
        let mut found: Vec<String> =
            bare.map(|path| format!("{path}: does not open with a `//!` header")).collect();
        for (room, header) in &self.headers {
            if header.lists.is_none() {
                found.push(format!(
                    "{}: the header of `{room}` has no `May use: …. Crates: ….`",
                    header.file
                ));
            }
        }
        found
    }

    /// Rule f.
    fn what_is_for_cmd(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (path, file) in &self.code.files {
            if file.module.first().is_some_and(|room| room == "cmd") {
                continue;
            }
            for what in named(&self.std[path], &FOR_CMD) {
                found.push(format!("{path}: names `{what}`, which only `cmd` may"));
            }
        }
        found
    }

    /// Rule h.
    fn undeclared_and_empty_rooms(&self) -> Vec<String> {
        let declared = self.code.declared();
        let files = self.code.files.values();
        let with_code: BTreeSet<&String> =
            files.filter(|file| file.has_code).filter_map(|file| file.module.first()).collect();
        let empty = declared.iter().filter(|room| !with_code.contains(room));
        let mut found: Vec<String> =
            empty.map(|room| format!("src/lib.rs: declares `{room}`, which has no code")).collect();
        for room in self.headers.keys().filter(|room| !room.contains('/')) {
            if !declared.contains(room) {
                found.push(format!("src/lib.rs: does not declare `{room}`, which is under src/"));
            }
        }
        found
    }

    /// Rule i. Sub-rooms may have a row; rooms must.
    fn disagreements_of_the_document(&self) -> Vec<String> {
        let Some(text) = &self.tree.architecture else {
            return vec![format!("{DOCUMENT}: is missing")];
        };
        let Some(rows) = rows(text) else {
            return vec![format!("{DOCUMENT}: has no table `| Room | … | May use |`")];
        };
        let mut found = Vec::new();
        for (room, may_use) in &rows {
            match self.headers.get(room).map(|header| &header.lists) {
                None => found.push(format!("{DOCUMENT}: row `{room}` names a room without code")),
                Some(Some(lists)) if lists.rooms != *may_use => found.push(format!(
                    "{DOCUMENT}: row `{room}` says {}, its header says {}",
                    listed(may_use),
                    listed(&lists.rooms)
                )),
                Some(_) => {}
            }
        }
        for room in self.headers.keys().filter(|room| !room.contains('/')) {
            if !rows.contains_key(room) {
                found.push(format!("{DOCUMENT}: has no row for `{room}`"));
            }
        }
        found
    }

    /// Rule j.
    fn long_files(&self) -> Vec<String> {
        let lengths = self.code.files.keys().map(|path| (path, lines(&self.tree.files[path])));
        let long = lengths.filter(|(_, lines)| *lines > LINES_MAX);
        long.map(|(path, lines)| {
            format!("{path}: {lines} lines without its tests, at most {LINES_MAX} are allowed")
        })
        .collect()
    }
}

/// Rule g, in code, comments and tests alike.
fn stalling_reads(tree: &Sources) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in &tree.files {
        for (number, line) in (1..).zip(text.lines()) {
            if line.contains(STALLS) {
                found.push(format!(
                    "{path}:{number}: `{STALLS}` is never named: reading it stalls its process"
                ));
            }
        }
    }
    found
}

/// Whether a room is a sub-room of another, or that room itself.
fn inside(room: &str, other: &str) -> bool {
    room.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Every room by name: the top-level modules, and below them whatever has lists of its own or has
/// to be pure.
fn headers(tree: &Sources, code: &Code) -> BTreeMap<String, Header> {
    let mut headers = BTreeMap::new();
    for path in code.files.keys() {
        let module = module_of(path);
        let Some(top) = module.first().filter(|top| *top != "bin") else {
            continue;
        };
        let root = || Header { file: format!("src/{top}/mod.rs"), lists: None };
        headers.entry(top.clone()).or_insert_with(root);
        let (name, lists) = (module.join("/"), lists(&tree.files[path]));
        if module.len() == 1 || lists.is_some() || PURE.contains(&name.as_str()) {
            headers.insert(name, Header { file: path.clone(), lists });
        }
    }
    headers
}

/// Reads `May use: …. Crates: ….`, which begins a line of the header and may run over several.
fn lists(text: &str) -> Option<Lists> {
    let header = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    let from = header.skip_while(|line| !line.starts_with("May use:"));
    let joined = from.collect::<Vec<_>>().join(" ");
    let (rooms, rest) = joined.strip_prefix("May use:")?.split_once('.')?;
    let (crates, _) = rest.trim_start().strip_prefix("Crates:")?.split_once('.')?;
    let crates = names(crates).into_iter().map(|name| name.replace('-', "_")).collect();
    Some(Lists { rooms: names(rooms), crates })
}

/// The names in a list; an empty one is written as a word or a dash.
fn names(list: &str) -> BTreeSet<String> {
    let names = list.split(',').map(|name| name.trim().trim_matches('`').trim_end_matches('/'));
    names.filter(|name| !matches!(*name, "" | "nothing" | "none" | "–")).map(String::from).collect()
}

fn listed(names: &BTreeSet<String>) -> String {
    match names.iter().map(String::as_str).collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "–".to_owned(),
        some => some,
    }
}

/// The table of rooms: what each may use, by room.
fn rows(document: &str) -> Option<BTreeMap<String, BTreeSet<String>>> {
    let cells = |line: &str| -> Option<Vec<String>> {
        let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
        Some(inner.split('|').map(|cell| cell.trim().to_owned()).collect())
    };
    let is_head = |line: &&str| {
        cells(line).is_some_and(|cells| {
            cells.len() == 3
                && cells[0].eq_ignore_ascii_case("room")
                && cells[2].eq_ignore_ascii_case("may use")
        })
    };
    let mut below = document.lines().skip_while(|line| !is_head(line));
    below.next()?;
    let rows = below.skip(1).map_while(cells).filter(|cells| cells.len() == 3);
    let room = |cell: &str| {
        let name = cell.trim_matches('`').trim_end_matches('/');
        name.strip_suffix(".rs").unwrap_or(name).to_owned()
    };
    Some(rows.map(|cells| (room(&cells[0]), names(&cells[2]))).collect())
}

/// Which of the paths of a list are named, or something below them is.
fn named(paths: &BTreeSet<String>, list: &[&'static str]) -> Vec<&'static str> {
    let names = |path: &String, what: &str| {
        path.strip_prefix(what).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let named = |what: &&&str| paths.iter().any(|path| names(path, what));
    list.iter().filter(named).copied().collect()
}

/// The shortest way from a room back to it through rooms that come after it, so that a circle is
/// told from its first room only.
fn circle(room: &str, edges: &BTreeMap<String, BTreeSet<&String>>) -> Option<Vec<String>> {
    let mut ways = VecDeque::from([vec![room.to_owned()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in edges.get(way.last()?).into_iter().flatten() {
            let longer = [way.as_slice(), &[(*next).clone()]].concat();
            if *next == room {
                return Some(longer);
            }
            if next.as_str() > room && seen.insert(*next) {
                ways.push_back(longer);
            }
        }
    }
    None
}

/// The lines of a file without those of its modules for tests, which end, as rustfmt leaves them,
/// with a brace at the edge.
fn lines(text: &str) -> usize {
    let mut count = 0;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let opens = |next: &&str| next.contains("mod ") && next.ends_with('{');
        if line == "#[cfg(test)]" && lines.next_if(opens).is_some() {
            lines.by_ref().find(|line| *line == "}");
        } else {
            count += 1;
        }
    }
    count
}
