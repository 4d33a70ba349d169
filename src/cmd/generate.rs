//! Files that are made from the code: man pages, completions, schemas.
//!
//! They are checked in, and a test compares them with what is made here.

use std::fs;
use std::path::PathBuf;

use clap::CommandFactory;
use clap_complete::Shell;
use schemars::{JsonSchema, Schema};

use super::arguments::{Cli, GenerateArgs};
use super::error::Failure;
use super::exit::ExitStatus;
use super::{inspect_pid, libs};
use crate::contract;

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Its name in its directory.
    pub name: String,
    /// What it holds.
    pub content: Vec<u8>,
}

const KINDS: [&str; 3] = ["man", "completions", "schemas"];

/// The files of a kind: `man`, `completions` or `schemas`; `None` for another word.
#[must_use]
pub fn generated_files(kind: &str) -> Option<Vec<GeneratedFile>> {
    match kind {
        "man" => Some(man_pages()),
        "completions" => Some(completions()),
        "schemas" => Some(schemas()),
        _ => None,
    }
}

/// Writes the files of a kind into a directory.
pub(super) fn run(arguments: &GenerateArgs) -> Result<ExitStatus, Failure> {
    let files = generated_files(&arguments.kind).ok_or_else(|| {
        Failure::usage(format!(
            "failed to generate `{}`: expected {}",
            arguments.kind,
            KINDS.join(", ")
        ))
    })?;
    for file in files {
        let path: PathBuf = arguments.directory.join(&file.name);
        fs::write(&path, &file.content).map_err(|error| Failure::file(&path, error))?;
    }
    Ok(ExitStatus::Done)
}

/// A page a command, named as the command is typed, with dashes.
fn man_pages() -> Vec<GeneratedFile> {
    let mut pages = Vec::new();
    let mut root = without_help(Cli::command());
    root.build();
    collect_pages(&root, "zastava", &mut pages);
    pages
}

/// `help` prints the other pages and has none of its own.
fn without_help(command: clap::Command) -> clap::Command {
    command.disable_help_subcommand(true).mut_subcommands(without_help)
}

fn collect_pages(command: &clap::Command, name: &str, pages: &mut Vec<GeneratedFile>) {
    let mut content = Vec::new();
    let page = clap_mangen::Man::new(command.clone()).title(name.to_owned()).date("");
    // Writing to memory does not fail.
    if page.render(&mut content).is_ok() {
        pages.push(GeneratedFile { name: format!("{name}.1"), content });
    }
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        collect_pages(sub, &format!("{name}-{}", sub.get_name()), pages);
    }
}

fn completions() -> Vec<GeneratedFile> {
    let shells =
        [(Shell::Bash, "zastava.bash"), (Shell::Zsh, "_zastava"), (Shell::Fish, "zastava.fish")];
    let make = |(shell, name): (Shell, &str)| {
        let mut content = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "zastava", &mut content);
        GeneratedFile { name: name.to_owned(), content }
    };
    shells.into_iter().map(make).collect()
}

/// The commands' documents, and what is sent.
fn schemas() -> Vec<GeneratedFile> {
    let documents = [
        document::<inspect_pid::PidDocument>(inspect_pid::SCHEMA),
        document::<libs::LibsDocument>(libs::SCHEMA),
        document::<libs::FindDocument>(libs::FIND_SCHEMA),
    ];
    let contract = contract::schema::schemas().into_iter();
    documents.into_iter().chain(contract.map(|(name, schema)| file(&name, &schema))).collect()
}

fn document<T: JsonSchema>(name: &str) -> GeneratedFile {
    file(name, &contract::schema::document::<T>(name))
}

fn file(name: &str, schema: &Schema) -> GeneratedFile {
    let mut content = serde_json::to_vec_pretty(schema).unwrap_or_default();
    content.push(b'\n');
    GeneratedFile { name: format!("{name}.json"), content }
}
