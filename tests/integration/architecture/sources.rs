//! The source tree as text, and every path that its code names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{fs, io};

use syn::buffer::Cursor;
use syn::parse::ParseStream;
use syn::visit::{self, Visit};
use syn::{Attribute, Meta, UseTree};

/// The texts that the rules are about. Held in memory, so that a test can plant a violation.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    /// Every `.rs` file under `src/`, by its path from the root of the repository.
    pub(super) files: BTreeMap<String, String>,
    /// `Cargo.toml`.
    pub(super) manifest: String,
    /// `docs/ARCHITECTURE.md`, if there is one.
    pub(super) architecture: Option<String>,
}

impl Sources {
    /// The repository that this test is part of.
    #[expect(clippy::disallowed_methods, reason = "our own files, not a container's")]
    pub(super) fn of_this_repository() -> io::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = BTreeMap::new();
        collect(root, "src", &mut files)?;
        Ok(Self {
            files,
            manifest: fs::read_to_string(root.join("Cargo.toml"))?,
            architecture: fs::read_to_string(root.join("docs/ARCHITECTURE.md")).ok(),
        })
    }

    /// The crates that the package depends on, as the code spells them.
    pub(super) fn dependencies(&self) -> BTreeSet<String> {
        let mut inside = false;
        let mut names = BTreeSet::new();
        for line in self.manifest.lines().map(str::trim) {
            if let Some(section) = line.strip_prefix('[') {
                let section = section.trim_end_matches(']');
                let one = section.strip_prefix("dependencies.");
                names.extend(one.map(|name| name.replace('-', "_")));
                inside = section == "dependencies"
                    || (section.starts_with("target.") && section.ends_with(".dependencies"));
            } else if inside && !line.starts_with('#') {
                let key = line.split(['=', '.']).next().unwrap_or_default().trim();
                names.extend(Some(key.replace('-', "_")).filter(|key| !key.is_empty()));
            }
        }
        names
    }
}

/// Reads the `.rs` files below a directory of the repository.
#[expect(clippy::disallowed_methods, reason = "our own files, not a container's")]
fn collect(root: &Path, below: &str, files: &mut BTreeMap<String, String>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let path = format!("{below}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(root, &path, files)?;
        } else if path.ends_with(".rs") {
            files.insert(path, fs::read_to_string(entry.path())?);
        }
    }
    Ok(())
}

/// A path, a segment an element. A resolved one begins with `crate` or the name of another crate;
/// an empty first segment stands for the leading `::`.
pub(super) type Segments = Vec<String>;

/// Where a path stands, which decides what its first segment may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    /// In a `use`: one segment may already be a crate.
    Import,
    /// In code: one segment is a crate never, an imported name perhaps.
    Code,
    /// Before a `!`: what nobody imported comes from the prelude.
    Macro,
}

/// One path in one file, as it is written.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    module: Segments,
    path: Segments,
    spelling: Spelling,
}

/// The names that a module gives to paths.
#[derive(Clone, Debug, Default)]
struct Scope {
    children: BTreeSet<String>,
    /// Several where functions have a `use` of their own: those count for the whole module.
    imports: Vec<(String, Segments)>,
    globs: Vec<Segments>,
}

/// What the rules need of one file.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    /// The module that the file is, from the root of the crate.
    pub(super) module: Segments,
    /// Every path outside `#[cfg(test)]`.
    pub(super) mentions: Vec<Mention>,
    /// Whether there is an item other than `mod` and `use`.
    pub(super) has_code: bool,
}

/// The parsed tree, without what is only there for tests.
#[derive(Clone, Debug, Default)]
pub(super) struct Code {
    /// By path from the root of the repository.
    pub(super) files: BTreeMap<String, File>,
    /// What could not be parsed, and why.
    pub(super) unreadable: Vec<String>,
    scopes: BTreeMap<Segments, Scope>,
    for_tests: BTreeSet<Segments>,
    crates: BTreeSet<String>,
}

impl Code {
    /// Parses every file.
    pub(super) fn read(tree: &Sources) -> Self {
        let mut code = Self { crates: tree.dependencies(), ..Self::default() };
        code.crates.extend(["std", "core", "alloc"].map(String::from));
        for (path, text) in &tree.files {
            let module = module_of(path);
            code.scopes.entry(module.clone()).or_default();
            match syn::parse_file(text) {
                Ok(parsed) => {
                    let file = File { module: module.clone(), ..File::default() };
                    let mut reader = Reader { code: &mut code, module, file };
                    reader.visit_file(&parsed);
                    let file = reader.file;
                    code.files.insert(path.clone(), file);
                }
                Err(error) => code.unreadable.push(format!("{path}: does not parse: {error}")),
            }
        }
        let for_tests = &code.for_tests;
        code.files.retain(|_, file| !for_tests.iter().any(|test| file.module.starts_with(test)));
        code
    }

    /// The modules that `src/lib.rs` declares.
    pub(super) fn declared(&self) -> BTreeSet<String> {
        self.scopes.get(&Segments::new()).map(|root| root.children.clone()).unwrap_or_default()
    }

    /// What a path may stand for, nearest first: itself from the root on, then what is behind each
    /// name that an import gave it on the way.
    pub(super) fn meanings(&self, mention: &Mention) -> Vec<Segments> {
        const ENOUGH: usize = 64;
        let mut found = self.rooted(&mention.module, &mention.path, mention.spelling);
        let mut next = 0;
        while next < found.len() && found.len() < ENOUGH {
            for further in self.behind(&found[next]) {
                if !found.contains(&further) {
                    found.push(further);
                }
            }
            next += 1;
        }
        found
    }

    /// The path from the root of its crate on, by its first segments alone.
    fn rooted(&self, module: &[String], path: &[String], spelling: Spelling) -> Vec<Segments> {
        let Some((first, rest)) = path.split_first() else {
            return Vec::new();
        };
        match first.as_str() {
            "" => vec![rest.to_vec()].into_iter().filter(|path| !path.is_empty()).collect(),
            "crate" => vec![path.to_vec()],
            "self" => vec![from_root(module, rest)],
            "super" => {
                let up = path.iter().take_while(|segment| *segment == "super").count();
                let above = &module[..module.len().saturating_sub(up)];
                vec![from_root(above, &path[up..])]
            }
            name => self.named(name, module, path, spelling),
        }
    }

    /// A path whose first segment is a name of the module's own, a crate's or the prelude's.
    fn named(
        &self,
        name: &str,
        module: &[String],
        path: &[String],
        spelling: Spelling,
    ) -> Vec<Segments> {
        let scope = self.scopes.get(module);
        let of_its_own = scope.is_some_and(|scope| scope.names(name));
        let mut found = Vec::new();
        if of_its_own || scope.is_some_and(|scope| !scope.globs.is_empty()) {
            found.push(from_root(module, path));
        }
        let may_be_crate = spelling == Spelling::Import || path.len() > 1;
        if !of_its_own && may_be_crate && self.crates.contains(name) {
            found.push(path.to_vec());
        } else if !of_its_own && spelling == Spelling::Macro && path.len() == 1 {
            found.push(vec!["std".to_owned(), name.to_owned()]);
        }
        found
    }

    /// What the imports of a module put behind the first name of the path that is not a module.
    fn behind(&self, path: &[String]) -> Vec<Segments> {
        if path.first().is_none_or(|first| first != "crate") {
            return Vec::new();
        }
        let inner = (1..path.len()).rev().find_map(|end| {
            let scope = self.scopes.get(&path[1..end])?;
            Some((&path[1..end], scope, &path[end], &path[end + 1..]))
        });
        let Some((module, scope, name, rest)) = inner else {
            return Vec::new();
        };
        if scope.children.contains(name) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for (_, import) in scope.imports.iter().filter(|(given, _)| given == name) {
            for target in self.rooted(module, import, Spelling::Import) {
                found.push([&target, rest].concat());
            }
        }
        for glob in &scope.globs {
            for target in self.rooted(module, glob, Spelling::Import) {
                found.push([&target, std::slice::from_ref(name), rest].concat());
            }
        }
        found
    }
}

impl Scope {
    /// Whether the module itself has the name. `use serde::{self}` gives a name to itself and
    /// says nothing new.
    fn names(&self, name: &str) -> bool {
        let anew =
            |(given, path): &(String, Segments)| given == name && path.first() != Some(given);
        self.children.contains(name) || self.imports.iter().any(anew)
    }
}

fn from_root(module: &[String], rest: &[String]) -> Segments {
    [&["crate".to_owned()], module, rest].concat()
}

/// The module that a file is. A program under `src/bin/` is beside the library, in no room.
pub(super) fn module_of(path: &str) -> Segments {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let inner = inner.strip_suffix("/mod").unwrap_or(inner);
    if inner == "lib" || inner == "main" {
        return Segments::new();
    }
    inner.split('/').map(String::from).collect()
}

/// Walks one file and writes down what it names.
struct Reader<'a> {
    code: &'a mut Code,
    module: Segments,
    file: File,
}

impl Reader<'_> {
    fn mention(&mut self, path: Segments, spelling: Spelling) {
        let module = self.module.clone();
        self.file.mentions.push(Mention { module, path, spelling });
    }

    fn scope(&mut self) -> &mut Scope {
        self.code.scopes.entry(self.module.clone()).or_default()
    }

    fn import(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &syn::Ident| match plain(name) {
            name if name == "self" => before.to_vec(),
            name => [before, &[name]].concat(),
        };
        match tree {
            UseTree::Path(inner) => {
                let path = [before, &[plain(&inner.ident)]].concat();
                self.import(&inner.tree, &path);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(tree, before)),
            UseTree::Glob(_) => {
                self.scope().globs.push(before.to_vec());
                self.mention(before.to_vec(), Spelling::Import);
            }
            UseTree::Name(name) => {
                let path = with(&name.ident);
                self.import_as(path.last().cloned().unwrap_or_default(), path);
            }
            UseTree::Rename(renamed) => {
                self.import_as(plain(&renamed.rename), with(&renamed.ident));
            }
        }
    }

    fn import_as(&mut self, name: String, path: Segments) {
        self.scope().imports.push((name, path.clone()));
        self.mention(path, Spelling::Import);
    }

    fn mention_all(&mut self, found: syn::Result<Vec<(Segments, Spelling)>>) {
        for (path, spelling) in found.unwrap_or_default() {
            self.mention(path, spelling);
        }
    }
}

/// Visits a node unless it is there for tests only.
macro_rules! unless_for_tests {
    ($($visit:ident: $node:ident),* $(,)?) => {
        $(fn $visit(&mut self, node: &'ast syn::$node) {
            if !for_tests(&node.attrs) {
                self.file.has_code = true;
                visit::$visit(self, node);
            }
        })*
    };
}

impl<'ast> Visit<'ast> for Reader<'_> {
    unless_for_tests! {
        visit_item_const: ItemConst,
        visit_item_enum: ItemEnum,
        visit_item_fn: ItemFn,
        visit_item_foreign_mod: ItemForeignMod,
        visit_item_impl: ItemImpl,
        visit_item_macro: ItemMacro,
        visit_item_static: ItemStatic,
        visit_item_struct: ItemStruct,
        visit_item_trait: ItemTrait,
        visit_item_trait_alias: ItemTraitAlias,
        visit_item_type: ItemType,
        visit_item_union: ItemUnion,
        visit_impl_item_const: ImplItemConst,
        visit_impl_item_fn: ImplItemFn,
        visit_impl_item_macro: ImplItemMacro,
        visit_impl_item_type: ImplItemType,
        visit_trait_item_const: TraitItemConst,
        visit_trait_item_fn: TraitItemFn,
        visit_trait_item_macro: TraitItemMacro,
        visit_trait_item_type: TraitItemType,
        visit_arm: Arm,
        visit_expr_block: ExprBlock,
        visit_field: Field,
        visit_field_value: FieldValue,
        visit_local: Local,
        visit_stmt_macro: StmtMacro,
        visit_variant: Variant,
    }

    fn visit_file(&mut self, file: &'ast syn::File) {
        if for_tests(&file.attrs) {
            self.code.for_tests.insert(self.module.clone());
        } else {
            visit::visit_file(self, file);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let name = plain(&item.ident);
        let child = [self.module.as_slice(), std::slice::from_ref(&name)].concat();
        if for_tests(&item.attrs) {
            self.code.for_tests.insert(child);
            return;
        }
        self.scope().children.insert(name);
        self.module = child;
        self.scope();
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !for_tests(&item.attrs) {
            let before = item.leading_colon.map(|_| String::new());
            self.import(&item.tree, before.as_slice());
        }
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        if !for_tests(&item.attrs) {
            let given = item.rename.as_ref().map_or(&item.ident, |(_, name)| name);
            self.import_as(plain(given), vec![String::new(), plain(&item.ident)]);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.mention(segments(path), Spelling::Code);
        visit::visit_path(self, path);
    }

    /// `pub(super)` and `pub(in …)` say who may look in; they use nothing.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.mention(segments(&call.path), Spelling::Macro);
        self.mention_all(call.parse_body_with(paths_in_tokens));
    }

    /// An attribute's own name is no use of anything, but `#[derive(thiserror::Error)]` is.
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.mention_all(list.parse_args_with(paths_in_tokens));
        }
    }
}

fn plain(name: &syn::Ident) -> String {
    name.to_string().trim_start_matches("r#").to_owned()
}

fn segments(path: &syn::Path) -> Segments {
    let leading = path.leading_colon.map(|_| String::new());
    leading.into_iter().chain(path.segments.iter().map(|segment| plain(&segment.ident))).collect()
}

/// Whether a `cfg` holds in tests only.
fn for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<Meta>().is_ok_and(|meta| needs_test(&meta))
    })
}

fn needs_test(meta: &Meta) -> bool {
    match meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) => {
            let separated = syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated;
            let Ok(inner) = list.parse_args_with(separated) else {
                return false;
            };
            (list.path.is_ident("all") && inner.iter().any(needs_test))
                || (list.path.is_ident("any") && !inner.is_empty() && inner.iter().all(needs_test))
        }
        Meta::NameValue(_) => false,
    }
}

/// The paths among the tokens of a macro, which need not be Rust in any other respect.
fn paths_in_tokens(input: ParseStream<'_>) -> syn::Result<Vec<(Segments, Spelling)>> {
    input.step(|cursor| {
        let mut found = Vec::new();
        let end = scan(*cursor, &[], &mut found);
        Ok((found, end))
    })
}

fn scan<'a>(
    mut cursor: Cursor<'a>,
    before: &[String],
    found: &mut Vec<(Segments, Spelling)>,
) -> Cursor<'a> {
    while !cursor.eof() {
        if let Some((path, after)) = path_at(cursor) {
            let path = [before, &path].concat();
            cursor = after;
            let calls = after.punct().is_some_and(|(mark, behind)| {
                mark.as_char() == '!' && behind.any_group().is_some()
            });
            if let Some((inner, _, _, after)) = colons(after).and_then(Cursor::any_group) {
                scan(inner, &path, found);
                cursor = after;
            }
            found.push((path, if calls { Spelling::Macro } else { Spelling::Code }));
        } else if let Some((inner, _, _, after)) = cursor.any_group() {
            scan(inner, &[], found);
            cursor = after;
        } else if let Some((_, after)) = cursor.token_tree() {
            cursor = after;
        }
    }
    cursor
}

/// The longest `a::b::c` that begins here.
fn path_at(cursor: Cursor<'_>) -> Option<(Segments, Cursor<'_>)> {
    let (first, mut after) = cursor.ident()?;
    let mut path = vec![plain(&first)];
    while let Some((next, behind)) = colons(after).and_then(Cursor::ident) {
        path.push(plain(&next));
        after = behind;
    }
    Some((path, after))
}

/// What follows a `::`.
fn colons(cursor: Cursor<'_>) -> Option<Cursor<'_>> {
    let (first, after) = cursor.punct()?;
    let (second, after) = after.punct()?;
    (first.as_char() == ':' && second.as_char() == ':').then_some(after)
}
