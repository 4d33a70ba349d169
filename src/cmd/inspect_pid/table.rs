//! The table of `inspect pid`: who it is, what is odd, then the detail.

use super::PidAnswer;
use crate::cmd::document::started as started_at;
use crate::cmd::files::Columns;
use crate::cmd::look::Shown;
use crate::cmd::observed;
use crate::cmd::output::page::{Page, age, size};
use crate::cmd::output::parts;
use crate::process::{Address, Content, Label, Listener, Owner, PackageNote, Told};

/// A table being drawn.
pub(super) struct Table<'a> {
    pub(super) answer: &'a PidAnswer<'a>,
    pub(super) page: &'a mut Page,
    pub(super) wide: bool,
}

/// The width of a label and the two spaces behind it.
const LABEL: usize = 12;

fn label(word: &str) -> String {
    format!("{word:LABEL$}")
}

impl Table<'_> {
    pub(super) fn draw(&mut self) {
        self.who();
        self.place();
        self.notable();
        self.page.gap();
        self.executable();
        self.arguments();
        self.ancestry();
        self.namespaces();
        self.security();
        self.listening();
        self.libraries();
        let explained = self.answer.settings.look.explain.then_some(&self.answer.traffic);
        parts::end(self.page, &self.answer.frame.gaps, explained);
    }

    fn who(&mut self) {
        let identity = &self.answer.observation.identity;
        let uid = identity.uid.map_or_else(|| "?".to_owned(), |uid| uid.to_string());
        let state = match (identity.kernel_thread, identity.is_zombie()) {
            (true, _) => "kernel thread",
            (_, true) => "zombie, started",
            _ if identity.state == b'Z' => "first thread ended, running",
            _ => "running",
        };
        let mut words = vec![format!("{}  pid {}", self.page.name(&identity.comm), identity.pid)];
        words.push(format!("uid {uid}"));
        match identity.started {
            None => words.push(format!("{state} since ?")),
            Some(started) => {
                let old = self.answer.frame.begun.duration_since(started).unwrap_or_default();
                let ago = if identity.is_zombie() { " ago" } else { "" };
                words.push(format!("{state} {}{ago}", age(old)));
            }
        }
        let mut line = words.join(", ");
        if let Some(started) = identity.started {
            let since = started_at(started).strftime("%Y-%m-%d %H:%M:%SZ");
            line.push_str(&format!(" (since {since})"));
        }
        self.page.prose("", &line);
    }

    /// Where it belongs, or that it belongs nowhere.
    fn place(&mut self) {
        let member = &self.answer.observation.membership;
        let mut words = Vec::new();
        if let Some(container) = &member.container {
            words.push(format!("ctr:{}", self.page.digest(&container.id)));
            words.push(container.engine.map_or("engine ?", |engine| engine.as_str()).to_owned());
        }
        if let Some(pod) = &member.pod {
            words.push(format!("pod {}", pod.uid));
            words.extend(pod.qos.map(|qos| qos.as_str().to_owned()));
        }
        if let Some(name) = &member.container_name {
            words.push(format!("container {}", self.page.safe(name.as_bytes())));
        }
        if member.pod.is_some() && member.container.is_none() {
            words.push("ctr:?".to_owned());
        }
        for outer in member.outer.iter().rev() {
            words.push(format!("inside ctr:{}", self.page.digest(&outer.id)));
        }
        if words.is_empty() {
            let kernel = self.answer.observation.identity.kernel_thread;
            words.push(match member.isolated {
                _ if kernel => "of the kernel, in no container".to_owned(),
                Some(true) => {
                    "container ? (it lives apart from the host, and nothing names it)".to_owned()
                }
                Some(false) => "on the host, in no container".to_owned(),
                None => "container ? (what would tell could not be read)".to_owned(),
            });
        }
        self.page.flow("  ", &words, "   ");
    }

    fn notable(&mut self) {
        let notable = &self.answer.observation.notable;
        if notable.is_empty() {
            return;
        }
        self.page.gap();
        self.page.line(format!("NOTABLE ({})", notable.len()));
        for remark in notable {
            let subject = self.page.name(self.answer.settings.look.arguments.subject(remark));
            let subject = self.page.digest(&subject);
            let text = remark.text.split(' ').map(str::to_owned);
            let words: Vec<String> = std::iter::once(subject).chain(text).collect();
            self.page.flow("! ", &words, " ");
        }
    }

    fn executable(&mut self) {
        let Some(exe) = &self.answer.observation.exe else {
            self.page.line(format!("{}?", label("EXECUTABLE")));
            return;
        };
        let elf = exe.content.elf.known();
        let mut kind = vec![exe.file.map_or_else(|| "?".to_owned(), |file| size(file.size))];
        kind.extend(elf.map(|elf| observed::linkage(elf).to_owned()));
        kind.extend(elf.and_then(|elf| observed::libc(elf)).map(str::to_owned));
        let mut words = vec![self.page.name(&exe.path), kind.join(", ")];
        let state = match (exe.memfd, exe.replaced, exe.deleted) {
            (true, _, _) => "in memory",
            (_, true, _) => "replaced",
            (_, _, true) => "deleted",
            _ => "",
        };
        words.extend((!state.is_empty()).then(|| state.to_owned()));
        if let (Some(program), Shown::Whole) = (&exe.program, self.answer.settings.look.arguments) {
            words.push(format!("runs {}", self.page.name(&program.path)));
        }
        self.page.flow(&label("EXECUTABLE"), &words, "   ");
        self.identity(&exe.content);
    }

    /// What identifies the executable, whole: it gets copied.
    fn identity(&mut self, content: &Content) {
        let id = match content.elf.unknown() {
            Some(reason) => format!("? {reason}"),
            None => match observed::build_id(content) {
                Some(id) if id == "none" => "-".to_owned(),
                id => id.unwrap_or_else(|| "?".to_owned()),
            },
        };
        self.page.line(format!("  build-id  {id}"));
        match &content.digest {
            Told::Known(digest) => {
                self.page.line(format!("  {:9} {}", digest.algorithm(), digest.hex()));
            }
            Told::Unknown(reason) => self.page.line(format!("  digest    ? {reason}")),
            Told::None | Told::NotAsked => {}
        }
        let Some(elf) = content.elf.known() else { return };
        if let Some(go) = &elf.go {
            let mut words = vec![go.version.clone().unwrap_or_else(|| "?".to_owned())];
            words.extend(go.module.as_ref().map(|m| format!("module {} {}", m.path, m.version)));
            let words: Vec<_> = words.iter().map(|word| self.page.safe(word.as_bytes())).collect();
            self.page.flow("  go        ", &words, "   ");
        }
        for package in &elf.packages {
            let PackageNote { kind, name, version, .. } = package;
            let told = [kind, name, version].into_iter().flatten().cloned().collect::<Vec<_>>();
            let told = self.page.safe(told.join(" ").as_bytes());
            self.page.line(format!("  package   {told}"));
        }
    }

    fn arguments(&mut self) {
        let Some(argv) = &self.answer.observation.argv else {
            self.page.line("  argv      ?");
            return;
        };
        if argv.is_empty() {
            return;
        }
        let kept = self.answer.settings.look.arguments.of(argv);
        // A title written over the arguments is often padded with NULs, which read as empty ones.
        let padding = kept.iter().rev().take_while(|argument| argument.is_empty()).count();
        let told = kept.len() - if padding > 1 { padding } else { 0 };
        let mut words: Vec<_> = kept[..told].iter().map(|word| self.page.argument(word)).collect();
        if told < kept.len() {
            words.push(format!("+{padding} empty"));
        }
        if self.answer.settings.look.arguments == Shown::Redacted {
            words.push(format!("+{} redacted", argv.len() - kept.len()));
        }
        let shown = words.join(" ");
        self.page.line(format!("  argv      {shown}"));
    }

    fn ancestry(&mut self) {
        let seen = &self.answer.observation;
        let mut chain: Vec<_> = seen.ancestry.iter().map(|a| (a.pid, a.comm.as_slice())).collect();
        chain.push((seen.identity.pid, &seen.identity.comm));
        let words: Vec<_> =
            chain.iter().map(|(pid, comm)| format!("{pid} {}", self.page.name(comm))).collect();
        self.page.flow(&label("ANCESTRY"), &words, " > ");
    }

    fn namespaces(&mut self) {
        let kinds = |host: Option<bool>| {
            let these = self.answer.observation.namespaces.iter().filter(|ns| ns.host == host);
            these.map(|ns| ns.kind.as_str()).collect::<Vec<_>>().join(" ")
        };
        let parts =
            [("own: ", Some(false)), ("the host's: ", Some(true)), ("own or the host's? ", None)];
        let told = parts.map(|(word, host)| (word, kinds(host)));
        let mut words: Vec<_> = told
            .iter()
            .filter(|(_, kinds)| !kinds.is_empty())
            .map(|(word, kinds)| format!("{word}{kinds}"))
            .collect();
        if words.is_empty() {
            words.push("?".to_owned());
        }
        self.page.flow(&label("NAMESPACES"), &words, "; ");
    }

    fn security(&mut self) {
        let identity = &self.answer.observation.identity;
        let capabilities = match identity.cap_eff {
            None => "capabilities ?".to_owned(),
            Some(0) => "no capabilities".to_owned(),
            Some(bits) if bits.count_ones() == 1 => "1 capability".to_owned(),
            Some(bits) => format!("{} capabilities", bits.count_ones()),
        };
        let seccomp = match identity.seccomp {
            Some(0) => "no seccomp",
            Some(1) => "seccomp strict",
            Some(2) => "seccomp filter",
            _ => "seccomp ?",
        };
        let privileges = match identity.no_new_privs {
            Some(true) => "no new privileges: yes",
            Some(false) => "no new privileges: no",
            None => "no new privileges: ?",
        };
        let mut words = vec![capabilities, seccomp.to_owned(), privileges.to_owned()];
        words.extend(match &identity.lsm {
            Label::Named(label) => Some(self.page.safe(label)),
            Label::None => None,
            Label::Unknown => Some("label ?".to_owned()),
        });
        self.page.flow(&label("SECURITY"), &words, ", ");
    }

    fn listening(&mut self) {
        let Some(listening) = &self.answer.observation.listening else {
            self.page.line(format!("{}?", label("LISTENING")));
            return;
        };
        let mut words: Vec<_> = listening.own.iter().map(|socket| self.socket(socket)).collect();
        let unsure = self.answer.frame.gaps.iter().any(|gap| gap.field == "process.listening");
        if words.is_empty() || unsure {
            words.push(if unsure { "?" } else { "-" }.to_owned());
        }
        self.page.flow(&label("LISTENING"), &words, "   ");
        if listening.others.is_empty() {
            return;
        }
        if !self.wide {
            let count = listening.others.len();
            let line = format!("{}{count} more in its network namespace (-o wide)", label(""));
            return self.page.line(line);
        }
        for socket in &listening.others {
            let owners: Vec<_> = socket.owners.iter().map(|owner| self.owner(owner)).collect();
            let by = if owners.is_empty() { "?".to_owned() } else { owners.join(", ") };
            self.page.line(format!("{}{} by {by}", label("  beside"), self.socket(socket)));
        }
    }

    fn socket(&self, listener: &Listener) -> String {
        let address = match &listener.address {
            Address::Inet(socket) => socket.to_string(),
            Address::Unix(path) if path.is_empty() => "(no name)".to_owned(),
            Address::Unix(path) => self.page.name(path),
        };
        format!("{} {address}", listener.protocol.as_str())
    }

    fn owner(&self, owner: &Owner) -> String {
        format!("{} {}", owner.pid, self.page.name(&owner.comm))
    }

    fn libraries(&mut self) {
        let Some(files) = &self.answer.observation.mapped else {
            self.page.line(format!("{}?", label("LIBRARIES")));
            return;
        };
        if files.is_empty() {
            return self.page.line(format!("{}-", label("LIBRARIES")));
        }
        let known: u64 = files.iter().filter_map(|file| file.size).sum();
        let code = files.iter().filter(|file| file.executable).count();
        let noun = if files.len() == 1 { "file" } else { "files" };
        let mut line = format!("{} mapped {noun}, {}", files.len(), size(known));
        line.push_str(&format!(", {code} with code"));
        let hashed = files.iter().filter(|file| file.content.digest.known().is_some()).count();
        if self.answer.settings.content.digest.is_some() {
            line.push_str(&format!(", {hashed} hashed"));
        }
        let pid = self.answer.observation.identity.pid;
        let mut words = vec![line];
        words.extend((!self.wide).then(|| format!("list: zastava libs pid:{pid}")));
        self.page.flow(&label("LIBRARIES"), &words, "; ");
        if self.wide {
            self.page.gap();
            let columns = Columns::wide(self.answer.settings.content.digest);
            let mut rows = vec![columns.heads()];
            rows.extend(files.iter().map(|file| columns.row(self.page, file)));
            self.page.columns(rows, 0);
        }
    }
}
